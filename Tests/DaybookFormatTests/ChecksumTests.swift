import CChecksum
import DaybookFormat
import DaybookTestSupport
import Testing

struct ChecksumTests {
    /// The check value of CRC-32C in the catalogues, and the four of RFC 3720, appendix B.4.
    static let known: [([UInt8], UInt32)] = [
        (Array("123456789".utf8), 0xE306_9283),
        ([], 0),
        ([UInt8](repeating: 0x00, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        ((0..<32).map { UInt8($0) }, 0x46DD_794E),
        ((0..<32).reversed().map { UInt8($0) }, 0x113F_DB5C),
    ]

    @Test(arguments: known)
    func knownBytesHaveTheKnownChecksum(bytes: [UInt8], expected: UInt32) {
        #expect(crc32c(bytes) == expected)
        #expect(daybook_crc32c_table(0, bytes, bytes.count) == expected)
    }

    @Test func theInstructionAndTheTableAgree() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<500 {
            let count = Int.random(in: 0...3_000, using: &random)
            let skipped = Int.random(in: 0...min(count, 15), using: &random)
            let bytes = Array(random.bytes(count).dropFirst(skipped))
            let seed = UInt32.random(in: 0 ... .max, using: &random)
            #expect(daybook_crc32c(seed, bytes, bytes.count) == daybook_crc32c_table(seed, bytes, bytes.count))
        }
    }

    @Test func aChecksumContinuesWhereItStopped() {
        var random = SeededRandom(seed: 2)
        let bytes = random.bytes(1_000)
        for split in [0, 1, 7, 8, 9, 500, 999, 1_000] {
            let first = crc32c(Array(bytes[..<split]))
            #expect(crc32c(Array(bytes[split...]), continuing: first) == crc32c(bytes))
        }
    }

    @Test func everySingleFlippedBitChangesIt() {
        var random = SeededRandom(seed: 3)
        var bytes = random.bytes(64)
        let expected = crc32c(bytes)
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(crc32c(bytes) != expected)
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }
}
