import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

@Suite struct SigningKeysFileTests {
    private static func vector() throws -> HexVector {
        try HexVectors.load(page: "docs/format/tokens.md", name: "signing-keys")
    }

    private static func read(_ bytes: [UInt8]) throws(FormatError) -> SigningKeysFile {
        try bytes.withRawSpan { (span) throws(FormatError) in try SigningKeysFile(reading: span) }
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { hexText(UInt64($0), width: 2) }.joined() }

    @Test func theExampleOnThePageIsReadAndWritten() throws {
        let vector = try Self.vector()
        let file = try Self.read(vector.bytes)
        #expect(file.encoded() == vector.bytes)
        let told = try vector.fields()
        #expect(told["secret"] == .text(Array(Self.hex(file.grantSecret).utf8)))
        for (position, key) in file.keys.enumerated() {
            let fields = told["keys"]?[position]
            #expect(fields?["name"] == .text(Array(key.name.utf8)))
            #expect(fields?["algorithm"] == .text(Array(key.algorithm.rawValue.utf8)))
            #expect(fields?["made_at"]?.unsigned == UInt64(key.madeAt.microseconds))
            #expect(fields?["verifies_until"]?.unsigned == key.verifiesUntil.map { UInt64($0.microseconds) })
            #expect(fields?["private_key"] == .text(Array(Self.hex(key.privateKey).utf8)))
        }
        #expect(told["keys"]?[file.keys.count] == nil)
        // What is on the page are keys, and so usable.
        _ = try SigningKeys(file)
    }

    @Test func everyChangedByteAndEveryOtherLengthIsRefused() throws {
        let bytes = try Self.vector().bytes
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            #expect(throws: FormatError.self) { try Self.read(changed) }
            #expect(throws: FormatError.self) { try Self.read(Array(bytes.prefix(place))) }
        }
        #expect(throws: FormatError.self) { try Self.read(bytes + [0]) }
    }

    /// Offsets on the page, with a checksum that fits.
    @Test(
        arguments: [
            ("version", 4, 2), ("no keys", 8, 0), ("too many keys", 8, 17), ("more keys than bytes", 8, 3),
            ("fewer keys than bytes", 8, 1), ("reserved word", 10, 1), ("algorithm", 68, 4), ("algorithm zero", 68, 0),
            ("state", 69, 2), ("end of a key that signs", 69, 0), ("length", 70, 31), ("two keys that sign", 129, 1),
        ] as [(String, Int, UInt8)])
    func aWrongFieldIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try Self.vector().bytes
        bytes[offset] = byte
        var body = Array(bytes.dropLast(4))
        body.appendChecksum()
        #expect(throws: FormatError.self, "\(name)") { try Self.read(body) }
    }

    @Test func anIDThatComesTwiceIsRefused() throws {
        var file = try Self.read(try Self.vector().bytes)
        file.keys[1].id = file.keys[0].id
        #expect(throws: FormatError.self) { try Self.read(file.encoded()) }
    }

    @Test func rotationKeepsOldKeysAsLongAsTheirTokensLast() {
        let entropy = SystemEntropy()
        var now = Timestamp(microseconds: 1_767_225_600_000_000)
        var file = SigningKeysFile.made(.edDSA, at: now, entropy: entropy)
        let secret = file.grantSecret
        for count in 2...20 {
            now = now.adding(microseconds: 1_000_000)
            file = file.rotated(.edDSA, at: now, entropy: entropy)
            #expect(file.keys.count == min(count, SigningKeysFile.keyCountMax))
            #expect(file.keys.dropLast().allSatisfy { $0.verifiesUntil != nil })
        }
        #expect(file.grantSecret == secret)
        now = now.adding(microseconds: TokenTimes.endMicroseconds)
        #expect(file.rotated(.es256, at: now, entropy: entropy).keys.count == 2)
    }
}
