import DaybookFormat
import Testing

struct JournalFrameTests {
    static let nonce: UInt64 = 0x0123_4567_89AB_CDEF
    static let frame = JournalFrame(
        kind: .group, payloadByteCount: 71, payloadChecksum: 0xDEAD_BEEF, position: 1_000, log: LogID(9),
        durablePosition: 904)

    static func encoded(_ frame: JournalFrame = frame, nonce: UInt64 = nonce) -> [UInt8] {
        var bytes: [UInt8] = []
        frame.append(to: &bytes, nonce: nonce)
        return bytes
    }

    /// Makes the checksum fit the damaged fields.
    static func reseal(_ bytes: inout [UInt8]) {
        let seed = UInt32(truncatingIfNeeded: nonce) ^ UInt32(truncatingIfNeeded: nonce >> 32)
        bytes.store(littleEndian: crc32c(Array(bytes[4..<JournalFrame.headerByteCount]), continuing: seed), at: 0)
    }

    @Test(arguments: [
        frame,
        JournalFrame(
            kind: .watermark, payloadByteCount: 0, payloadChecksum: 0, position: .max, log: LogID(0),
            durablePosition: .max),
    ])
    func aFrameIsReadBack(frame: JournalFrame) throws {
        let bytes = Self.encoded(frame)
        #expect(bytes.count == JournalFrame.headerByteCount)
        #expect(frame.byteCount > bytes.count + frame.payloadByteCount)
        #expect(Array(bytes[4..<8]) == Array("DDBF".utf8))
        let span = bytes.span.bytes
        #expect(try JournalFrame(reading: span, at: 0, nonce: Self.nonce) == frame)
    }

    @Test func aFrameIsReadWhereverItStands() throws {
        var bytes = [UInt8](repeating: 0xEE, count: 24)
        Self.frame.append(to: &bytes, nonce: Self.nonce)
        let span = bytes.span.bytes
        #expect(try JournalFrame(reading: span, at: 24, nonce: Self.nonce) == Self.frame)
    }

    @Test(arguments: [(0, 56), (1, 56), (8, 64), (9, 64), (71, 120), (72, 128)])
    func framesAreWholeMultiplesOfEight(payloadByteCount: Int, expected: Int) {
        var frame = Self.frame
        frame.payloadByteCount = payloadByteCount
        #expect(frame.byteCount == expected)
    }

    @Test func aFrameOfAnotherUseOfTheFileDoesNotFit() {
        let bytes: [UInt8] = Self.encoded()
        let span = bytes.span.bytes
        for other in [0, Self.nonce ^ 1, Self.nonce ^ (1 << 40)] {
            do {
                _ = try JournalFrame(reading: span, at: 0, nonce: other)
                Issue.record("a frame of another nonce was taken")
            } catch {
                guard case .checksum = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test(arguments: [
        HeaderDamage(name: "magic", offset: 4, byte: 0, expected: .badMagic(0x4642_4400)),
        HeaderDamage(name: "kind 0", offset: 8, byte: 0, expected: .invalid("journal frame kind")),
        HeaderDamage(name: "unknown kind", offset: 8, byte: 9, expected: .invalid("journal frame kind")),
        HeaderDamage(name: "first padding byte", offset: 9, byte: 1, expected: .invalid("journal frame padding")),
        HeaderDamage(name: "last padding byte", offset: 11, byte: 1, expected: .invalid("journal frame padding")),
        HeaderDamage(name: "length", offset: 15, byte: 0xFF, expected: .invalid("journal frame length")),
        HeaderDamage(name: "reserved", offset: 20, byte: 1, expected: .invalid("journal frame reserved field")),
    ])
    func aDamagedFieldIsNamed(damage: HeaderDamage) {
        var bytes = Self.encoded()
        bytes[damage.offset] = damage.byte
        Self.reseal(&bytes)
        let span = bytes.span.bytes
        #expect(throws: damage.expected) { try JournalFrame(reading: span, at: 0, nonce: Self.nonce) }
    }

    @Test func everyFlippedBitIsNoticed() {
        let intact = Self.encoded()
        for bit in 0..<intact.count * 8 {
            var bytes = intact
            bytes[bit / 8] ^= 1 << (bit % 8)
            let span = bytes.span.bytes
            #expect(throws: FormatError.self, "bit \(bit)") {
                try JournalFrame(reading: span, at: 0, nonce: Self.nonce)
            }
        }
    }

    @Test func everyShorterPrefixIsTruncated() {
        for count in 0..<JournalFrame.headerByteCount {
            let bytes: [UInt8] = Array(Self.encoded()[..<count])
            let span = bytes.span.bytes
            do {
                _ = try JournalFrame(reading: span, at: 0, nonce: Self.nonce)
                Issue.record("a prefix of \(count) bytes was taken for a frame")
            } catch {
                guard case .truncated = error else {
                    Issue.record("a prefix of \(count) bytes: \(error)")
                    return
                }
            }
        }
    }

    @Test func zeroesAreNoFrame() {
        let bytes: [UInt8] = [UInt8](repeating: 0, count: 64)
        let span = bytes.span.bytes
        #expect(throws: FormatError.badMagic(0)) { try JournalFrame(reading: span, at: 0, nonce: 0) }
    }
}
