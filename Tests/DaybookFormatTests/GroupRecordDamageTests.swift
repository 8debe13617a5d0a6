import DaybookFormat
import Testing

/// One damage to a group record, and what reading it must say.
struct GroupDamage: Sendable, CustomStringConvertible {
    var name: String
    var offset: Int
    var bytes: [UInt8]
    /// Whether the checksum is made to fit again, as a broken writer would: then the field's own check must speak.
    var resealed = true
    var idempotent = false
    var expected: FormatError

    var description: String { name }

    static let headerDamages: [GroupDamage] = [
        GroupDamage(
            name: "version 0", offset: 8, bytes: [0], expected: .invalid("group record version")),
        GroupDamage(
            name: "version 2", offset: 8, bytes: [2], expected: .invalid("group record version")),
        GroupDamage(
            name: "unknown flag", offset: 9, bytes: [8], expected: .invalid("group record flags")),
        GroupDamage(
            name: "reserved field", offset: 10, bytes: [1], expected: .invalid("group record reserved field")),
        GroupDamage(
            name: "reserved field, high byte", offset: 11, bytes: [1],
            expected: .invalid("group record reserved field")),
        GroupDamage(
            name: "no events", offset: 12, bytes: [0, 0, 0, 0], expected: .invalid("group record event count")),
        GroupDamage(
            name: "more events than the bytes can hold", offset: 12, bytes: [3, 0, 0, 0],
            expected: .invalid("group record event count")),
        GroupDamage(
            name: "the highest event count", offset: 12, bytes: [0xFF, 0xFF, 0xFF, 0xFF],
            expected: .invalid("group record event count")),
        GroupDamage(
            name: "sequence 0", offset: 24, bytes: [UInt8](repeating: 0, count: 8),
            expected: .invalid("group record sequence")),
        GroupDamage(
            name: "sequences that overflow", offset: 24, bytes: [UInt8](repeating: 0xFF, count: 8),
            expected: .invalid("group record sequence")),
        GroupDamage(
            name: "durable through its own first event", offset: 40, bytes: [100],
            expected: .invalid("group record durable-through sequence")),
        GroupDamage(
            name: "durable beyond it", offset: 40, bytes: [UInt8](repeating: 0xFF, count: 8),
            expected: .invalid("group record durable-through sequence")),
        GroupDamage(
            name: "length 0", offset: 4, bytes: [0, 0, 0, 0], resealed: false,
            expected: .invalid("group record length")),
        GroupDamage(
            name: "length below the header", offset: 4, bytes: [47, 0, 0, 0], resealed: false,
            expected: .invalid("group record length")),
        GroupDamage(
            name: "length below the header with hashes", offset: 4, bytes: [111, 0, 0, 0], resealed: false,
            idempotent: true, expected: .invalid("group record length")),
        GroupDamage(
            name: "the highest length", offset: 4, bytes: [0xFF, 0xFF, 0xFF, 0xFF], resealed: false,
            expected: .invalid("group record length")),
        GroupDamage(
            name: "length beyond the bytes", offset: 4, bytes: [72, 0, 0, 0], resealed: false,
            expected: .truncated(needed: 72, found: 71)),
    ]
}

struct GroupRecordDamageTests {
    @Test(arguments: GroupDamage.headerDamages)
    func aDamagedHeaderFieldIsNamed(damage: GroupDamage) {
        var bytes = GroupRecordTests.sealed(idempotent: damage.idempotent)
        bytes.replaceSubrange(damage.offset..<damage.offset + damage.bytes.count, with: damage.bytes)
        if damage.resealed { bytes.store(littleEndian: crc32c(Array(bytes[4...])), at: 0) }
        let span = bytes.span.bytes
        #expect(throws: damage.expected) { try GroupHeader(verifying: span) }
    }

    @Test(arguments: [false, true])
    func everyFlippedBitIsNoticed(idempotent: Bool) {
        let intact = GroupRecordTests.sealed(idempotent: idempotent)
        for bit in 0..<intact.count * 8 {
            var bytes = intact
            bytes[bit / 8] ^= 1 << (bit % 8)
            let span = bytes.span.bytes
            #expect(throws: FormatError.self, "bit \(bit)") { try GroupHeader(verifying: span) }
        }
    }

    @Test func aFlippedPayloadBitIsAChecksumError() throws {
        let intact = GroupRecordTests.sealed()
        let stated = crc32c(Array(intact[4...]))
        var bytes = intact
        bytes[60] ^= 1
        let found = crc32c(Array(bytes[4...]))
        let span = bytes.span.bytes
        #expect(throws: FormatError.checksum(expected: stated, found: found)) { try GroupHeader(verifying: span) }
    }

    @Test(arguments: [false, true])
    func everyShorterPrefixIsTruncated(idempotent: Bool) {
        let intact = GroupRecordTests.sealed(idempotent: idempotent)
        for count in 0..<intact.count {
            let bytes: [UInt8] = Array(intact[..<count])
            let span = bytes.span.bytes
            do {
                _ = try GroupHeader(verifying: span)
                Issue.record("a prefix of \(count) bytes was taken for a record")
            } catch {
                guard case .truncated(_, let found) = error else {
                    Issue.record("a prefix of \(count) bytes: \(error)")
                    return
                }
                #expect(found <= count)
            }
        }
    }

    /// A header that fits its checksum over entries that do not fit the header.
    private func expect(_ expected: FormatError, after change: (inout [UInt8]) -> Void) throws {
        var bytes = GroupRecordTests.sealed()
        change(&bytes)
        bytes.store(littleEndian: crc32c(Array(bytes[4...])), at: 0)
        let span = bytes.span.bytes
        var entries = GroupEntries(of: try GroupHeader(verifying: span))
        #expect(throws: expected) { while try entries.next(span) != nil {} }
    }

    @Test func anUnknownFamilyIsInvalid() throws {
        try expect(.invalid("family")) { $0[48] = 9 }
        try expect(.invalid("family")) { $0[48] = 0 }
    }

    @Test func anEntrysReservedFieldMustBeZero() throws {
        try expect(.invalid("entry reserved field")) { $0[50] = 1 }
        try expect(.invalid("entry reserved field")) { $0[51] = 1 }
    }

    @Test func anEntryCannotReachPastTheBytes() throws {
        try expect(.truncated(needed: 200, found: 15)) { $0[52] = 200 }
        try expect(.truncated(needed: Int(UInt32.max), found: 15)) {
            $0.replaceSubrange(52..<56, with: [0xFF, 0xFF, 0xFF, 0xFF])
        }
    }

    @Test func anEntryCannotReachIntoTheNextRecord() throws {
        var bytes = GroupRecordTests.sealed()
        bytes[52 + 15] = 1
        bytes.store(littleEndian: crc32c(Array(bytes[4...])), at: 0)
        bytes += [UInt8](repeating: 0, count: 100)
        let span = bytes.span.bytes
        var entries = GroupEntries(of: try GroupHeader(verifying: span))
        #expect(try entries.next(span) != nil)
        #expect(throws: FormatError.invalid("entry length")) { try entries.next(span) }
    }

    @Test func bytesLeftAfterTheLastEntryAreInvalid() throws {
        try expect(.invalid("group record length")) { $0[12] = 1 }
    }
}
