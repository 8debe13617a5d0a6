import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookCompression

@Suite struct UnpackerTests {
    /// Unpacks everything, in pieces of random length.
    private func unpack(
        _ packed: [UInt8], _ packing: Packing, pieceByteCountMax: Int = .max, outputByteCountMax: Int = 4_096,
        blockByteCountMax: Int = 4 << 20, random: inout SeededRandom
    ) throws -> (bytes: [UInt8], mayEnd: Bool) {
        let unpacker = try packing.unpacker(blockByteCountMax: blockByteCountMax)
        var output: [UInt8] = []
        var position = 0
        while position < packed.count || unpacker.hasMore {
            let end = min(packed.count, position + 1 + random.below(min(packed.count + 1, pieceByteCountMax)))
            let before = output.count
            let taken = try packed.withUnsafeBytes { bytes in
                try unpacker.unpack(
                    RawSpan(_unsafeBytes: bytes[position..<end]), to: &output, byteCountMax: outputByteCountMax)
            }
            #expect(output.count - before <= outputByteCountMax)
            try #require(taken > 0 || output.count > before, "no progress at \(position)")
            position += taken
        }
        return (output, unpacker.mayEnd)
    }

    private func text(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in UInt8(97 + random.below(6)) }
    }

    private func pack(_ bytes: [UInt8], _ packing: Packing, _ random: inout SeededRandom) -> [UInt8] {
        switch packing {
        case .gzip: Packer.gzip(bytes, level: Int32(random.below(10)))
        case .lz4:
            Packer.lz4(bytes, blockSize: UInt32(4 + random.below(4)), areLinked: random.below(2) == 0)
        }
    }

    @Test(arguments: Packing.allCases)
    func whateverWasPackedComesBackWhateverThePieces(packing: Packing) throws {
        var random = SeededRandom(seed: 900)
        for count in [0, 1, 17, 4_095, 70_000, 300_000] {
            let bytes = text(count, &random)
            let packed = pack(bytes, packing, &random)
            for (piece, output) in [(1, 64), (100, 1), (3_000, 4_096), (.max, 1 << 20)] where count < 5_000 || piece > 1
            {
                if output == 1, count > 5_000 { continue }
                let found = try unpack(
                    packed, packing, pieceByteCountMax: piece, outputByteCountMax: output, random: &random)
                #expect(found.bytes == bytes)
                #expect(found.mayEnd)
            }
        }
    }

    @Test(arguments: Packing.allCases)
    func severalMembersAreOneStream(packing: Packing) throws {
        var random = SeededRandom(seed: 901)
        let parts = [9, 0, 20_000].map { text($0, &random) }
        let packed = parts.flatMap { pack($0, packing, &random) }
        let found = try unpack(packed, packing, pieceByteCountMax: 700, random: &random)
        #expect(found.bytes == Array(parts.joined()))
        #expect(found.mayEnd)
    }

    @Test(arguments: Packing.allCases)
    func aStreamThatBreaksOffMayNotEnd(packing: Packing) throws {
        var random = SeededRandom(seed: 902)
        let packed = pack(text(3_000, &random), packing, &random)
        for count in 0..<packed.count {
            #expect(try !unpack(Array(packed[..<count]), packing, random: &random).mayEnd, "\(count) bytes")
        }
    }

    @Test(arguments: Packing.allCases)
    func damageIsMetOrChangesNothing(packing: Packing) throws {
        var random = SeededRandom(seed: 903)
        let bytes = text(2_000, &random)
        let packed = pack(bytes, packing, &random)
        var refusalCount = 0
        for position in packed.indices {
            var damaged = packed
            damaged[position] ^= UInt8(1 << random.below(8))
            do {
                let found = try unpack(damaged, packing, random: &random)
                // Some bits of a header say nothing about the content.
                #expect(found.bytes == bytes || !found.mayEnd, "byte \(position)")
            } catch let error as UnpackError {
                #expect(error == .malformed)
                refusalCount += 1
            }
        }
        #expect(refusalCount > packed.count / 2)
    }

    @Test(arguments: Packing.allCases)
    func anyBytesAreRefusedWithoutATrap(packing: Packing) throws {
        var random = SeededRandom(seed: 904)
        let magic: [UInt8] = packing == .gzip ? [0x1f, 0x8b, 8, 0] : [0x04, 0x22, 0x4d, 0x18]
        for _ in 0..<2_000 {
            let noise = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let found = try? unpack(magic + noise, packing, random: &random)
            #expect(found?.mayEnd != true)
        }
    }

    /// The inputs that the fuzzer starts from and those that once broke something; see tools/fuzz.
    @Test func theFuzzersInputsAreUnpackedOrRefused() throws {
        let folder = Repository.root.appending(path: "data/corpus/unpacker")
        var random = SeededRandom(seed: 906)
        var unpackedCount = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let input = Array(try Data(contentsOf: folder.appending(path: name)))
            guard input.count > 2 else { continue }
            let packing = Packing.allCases[Int(input[0]) % Packing.allCases.count]
            let found = try? unpack(
                Array(input[2...]), packing, pieceByteCountMax: 1 + Int(input[1]), blockByteCountMax: 256 << 10,
                random: &random)
            if found?.mayEnd == true { unpackedCount += 1 }
        }
        #expect(unpackedCount >= 3)
    }

    @Test func whatOtherProgramsPackedIsUnderstood() throws {
        var random = SeededRandom(seed: 905)
        // printf 'hello, hello, hello' | gzip -9 -n, and | lz4 -c
        let gzip: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0xc8,
            0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0x00, 0x00, 0x00,
        ]
        let lz4: [UInt8] = [
            0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x10, 0x00, 0x00, 0x00, 0x73, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2c,
            0x20, 0x07, 0x00, 0x50, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x00, 0x00, 0x00, 0x00, 0x30, 0x66, 0x93, 0x58,
        ]
        for (packed, packing) in [(gzip, Packing.gzip), (lz4, .lz4)] {
            let found = try unpack(packed, packing, random: &random)
            #expect(String(decoding: found.bytes, as: UTF8.self) == "hello, hello, hello")
            #expect(found.mayEnd)
        }
    }

    @Test func largerBlocksThanAllowedAreRefusedBeforeTheyTakeMemory() throws {
        var random = SeededRandom(seed: 906)
        let bytes = text(1_000, &random)
        for (blockSize, byteCount) in [(4, 65_536), (5, 262_144), (6, 1 << 20), (7, 4 << 20)] {
            let packed = Packer.lz4(bytes, blockSize: UInt32(blockSize))
            #expect(try unpack(packed, .lz4, blockByteCountMax: byteCount, random: &random).bytes == bytes)
            // Also in a frame behind another one.
            let second = Packer.lz4(bytes, blockSize: 4) + packed
            for packed in [packed, second] where blockSize > 4 {
                #expect(throws: UnpackError.blockTooLarge(byteCountMax: byteCount / 4)) {
                    try unpack(packed, .lz4, blockByteCountMax: byteCount / 4, random: &random)
                }
            }
        }
    }
}
