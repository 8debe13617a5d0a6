import DaybookFormat
import Testing

/// One damage to an encoded header, and what reading it must say.
struct HeaderDamage: Sendable, CustomStringConvertible {
    var name: String
    var offset: Int
    var byte: UInt8
    /// Whether the checksum is made to fit again.
    var resealed = true
    var expected: FormatError

    var description: String { name }
}

struct LogFileHeaderTests {
    static let header = LogFileHeader(log: LogID(7), firstSequence: 4_097)

    @Test func aHeaderIsReadBack() throws {
        let bytes = Self.header.encoded()
        #expect(bytes.count == LogFileHeader.byteCount)
        #expect(Array(bytes[0..<4]) == Array("DDBL".utf8))
        let span = bytes.span.bytes
        #expect(try LogFileHeader(reading: span) == Self.header)
    }

    @Test(arguments: [
        HeaderDamage(name: "magic", offset: 0, byte: 0, expected: .badMagic(0x4C42_4400)),
        HeaderDamage(name: "version", offset: 4, byte: 2, expected: .unsupportedVersion(2)),
        HeaderDamage(
            name: "reserved", offset: 24, byte: 1, expected: .invalid("log file header reserved field")),
    ])
    func aDamagedFieldIsNamed(damage: HeaderDamage) {
        var bytes = Self.header.encoded()
        bytes[damage.offset] = damage.byte
        bytes.store(littleEndian: crc32c(Array(bytes[..<28])), at: 28)
        let span = bytes.span.bytes
        #expect(throws: damage.expected) { try LogFileHeader(reading: span) }
    }

    @Test func everyFlippedBitIsNoticed() {
        let intact = Self.header.encoded()
        for bit in 0..<intact.count * 8 {
            var bytes = intact
            bytes[bit / 8] ^= 1 << (bit % 8)
            let span = bytes.span.bytes
            #expect(throws: FormatError.self, "bit \(bit)") { try LogFileHeader(reading: span) }
        }
    }

    @Test func everyShorterPrefixIsTruncated() {
        for count in 0..<LogFileHeader.byteCount {
            let bytes: [UInt8] = Array(Self.header.encoded()[..<count])
            let span = bytes.span.bytes
            do {
                _ = try LogFileHeader(reading: span)
                Issue.record("a prefix of \(count) bytes was taken for a header")
            } catch {
                guard case .truncated = error else {
                    Issue.record("a prefix of \(count) bytes: \(error)")
                    return
                }
            }
        }
    }
}

struct JournalFileHeaderTests {
    static let header = JournalFileHeader(storeID: 1, basePosition: 2, nonce: 3, ordinal: 4)

    @Test func aHeaderIsReadBack() throws {
        let bytes = Self.header.encoded()
        #expect(bytes.count == 512)
        #expect(Array(bytes[0..<4]) == Array("DDBJ".utf8))
        #expect(bytes[44...].allSatisfy { $0 == 0 })
        let span = bytes.span.bytes
        #expect(try JournalFileHeader(reading: span) == Self.header)
    }

    @Test(arguments: [
        HeaderDamage(name: "magic", offset: 3, byte: 0, expected: .badMagic(0x0042_4444)),
        HeaderDamage(name: "version", offset: 4, byte: 0, expected: .unsupportedVersion(0)),
    ])
    func aDamagedFieldIsNamed(damage: HeaderDamage) {
        var bytes = Self.header.encoded()
        bytes[damage.offset] = damage.byte
        bytes.store(littleEndian: crc32c(Array(bytes[..<40])), at: 40)
        let span = bytes.span.bytes
        #expect(throws: damage.expected) { try JournalFileHeader(reading: span) }
    }

    @Test func everyFlippedBitOfTheFieldsIsNoticed() {
        let intact = Self.header.encoded()
        for bit in 0..<44 * 8 {
            var bytes = intact
            bytes[bit / 8] ^= 1 << (bit % 8)
            let span = bytes.span.bytes
            #expect(throws: FormatError.self, "bit \(bit)") { try JournalFileHeader(reading: span) }
        }
    }

    @Test func everyPrefixThatCutsAFieldIsTruncated() {
        for count in 0..<44 {
            let bytes: [UInt8] = Array(Self.header.encoded()[..<count])
            let span = bytes.span.bytes
            #expect(throws: FormatError.self) { try JournalFileHeader(reading: span) }
        }
    }
}
