import DaybookFormat
import DaybookTestSupport
import Testing

private func hexDigits(_ bytes: [UInt8]) -> String {
    bytes.map { hexText(UInt64($0), width: 2) }.joined()
}

private func hexBytes(_ hash: IdempotencyHash?) -> String? {
    guard let hash else { return nil }
    var bytes: [UInt8] = []
    for word in [hash.words.0, hash.words.1, hash.words.2, hash.words.3] { bytes.append(littleEndian: word) }
    return hexDigits(bytes)
}

/// The examples of docs/format/log.md: what they decode to, and that the code writes the very same bytes.
struct LogPageTests {
    static let page = "docs/format/log.md"

    @Test func thePageHasTheExamplesThatAreTestedHere() throws {
        #expect(
            try HexVectors.load(page: Self.page).map(\.name)
                == ["log-file-header", "group-record", "group-record-idempotent"])
    }

    @Test func theLogFileHeaderIsAsThePageSays() throws {
        let vector = try HexVectors.load(page: Self.page, name: "log-file-header")
        let fields = try vector.fields()
        let header = try LogFileHeader(reading: vector.bytes.span.bytes)
        #expect(header.log.rawValue == fields["log"]?.unsigned)
        #expect(header.firstSequence == fields["first_sequence"]?.unsigned)
        #expect(header.encoded() == vector.bytes)
        #expect(vector.bytes.count == LogFileHeader.byteCount)
    }

    @Test(arguments: ["group-record", "group-record-idempotent"])
    func aGroupRecordIsAsThePageSays(name: String) throws {
        let vector = try HexVectors.load(page: Self.page, name: name)
        let fields = try vector.fields()
        let span = vector.bytes.span.bytes
        let header = try GroupHeader(verifying: span)
        #expect(header.byteCount == fields["byte_count"]?.integer)
        #expect(header.byteCount == vector.bytes.count)
        #expect(Int(header.flags.rawValue) == fields["flags"]?.integer)
        #expect(header.log.rawValue == fields["log"]?.unsigned)
        #expect(header.firstSequence == fields["first_sequence"]?.unsigned)
        #expect(header.arrival.microseconds == fields["arrival_microseconds"]?.signed)
        #expect(header.durableThrough == fields["durable_through"]?.unsigned)
        #expect(hexBytes(header.keyHash) == fields["key_hash"]?.string)
        #expect(hexBytes(header.bodyHash) == fields["body_hash"]?.string)
        #expect(GroupHeader.checksum(of: vector.bytes) == crc32c(Array(vector.bytes[4...])))

        let expected = try #require(fields["entries"]?.elements)
        #expect(header.eventCount == expected.count)
        var entries = GroupEntries(of: header)
        for (index, fields) in expected.enumerated() {
            let entry = try #require(try entries.next(span))
            #expect(Int(entry.family.rawValue) == fields["family"]?.integer)
            #expect(Int(entry.schemaVersion) == fields["schema_version"]?.integer)
            #expect(entry.sequence == header.firstSequence + UInt64(index))
            #expect(hexDigits(span.toArray(entry.encoding)) == fields["encoding"]?.string)
        }
        #expect(try entries.next(span) == nil)
    }

    @Test(arguments: ["group-record", "group-record-idempotent"])
    func aGroupRecordIsWrittenAsThePageSays(name: String) throws {
        let vector = try HexVectors.load(page: Self.page, name: name)
        let span = vector.bytes.span.bytes
        let header = try GroupHeader(verifying: span)
        var builder = GroupBuilder(
            log: header.log, arrival: header.arrival, keyHash: header.keyHash, bodyHash: header.bodyHash)
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(span) {
            builder.append(entry.family, schemaVersion: entry.schemaVersion, encoding: span.extracting(entry.encoding))
        }
        if header.flags.contains(.relaxed) { builder.markRelaxed() }
        builder.seal(firstSequence: header.firstSequence, durableThrough: header.durableThrough)
        #expect(builder.bytes == vector.bytes)
    }
}

/// The examples of docs/format/journal.md.
struct JournalPageTests {
    static let page = "docs/format/journal.md"

    @Test func thePageHasTheExamplesThatAreTestedHere() throws {
        // The position file is the store's; its test is there.
        #expect(
            try HexVectors.load(page: Self.page).map(\.name)
                == ["journal-file-header", "group-frame", "watermark-frame", "position-file"])
    }

    @Test func theJournalFileHeaderIsAsThePageSays() throws {
        let vector = try HexVectors.load(page: Self.page, name: "journal-file-header")
        let fields = try vector.fields()
        let header = try JournalFileHeader(reading: vector.bytes.span.bytes)
        #expect(header.storeID == fields["store_id"]?.unsigned)
        #expect(header.basePosition == fields["base_position"]?.unsigned)
        #expect(header.nonce == fields["nonce"]?.unsigned)
        #expect(header.ordinal == fields["ordinal"]?.unsigned)
        #expect(Array(header.encoded().prefix(44)) == vector.bytes)
        #expect(header.encoded().dropFirst(44).allSatisfy { $0 == 0 })
    }

    @Test(arguments: ["group-frame", "watermark-frame"])
    func aFrameIsAsThePageSays(name: String) throws {
        let vector = try HexVectors.load(page: Self.page, name: name)
        let fields = try vector.fields()
        let nonce = try #require(fields["nonce"]?.unsigned)
        let frame = try JournalFrame(reading: vector.bytes.span.bytes, at: 0, nonce: nonce)
        #expect(Int(frame.kind.rawValue) == fields["kind"]?.integer)
        #expect(frame.payloadByteCount == fields["payload_byte_count"]?.integer)
        #expect(UInt64(frame.payloadChecksum) == fields["payload_checksum"]?.unsigned)
        #expect(frame.position == fields["position"]?.unsigned)
        #expect(frame.log.rawValue == fields["log"]?.unsigned)
        #expect(frame.durablePosition == fields["durable_position"]?.unsigned)
        #expect(frame.byteCount == fields["frame_byte_count"]?.integer)
        #expect(frame.byteCount == vector.bytes.count)
        var encoded: [UInt8] = []
        frame.append(to: &encoded, nonce: nonce)
        #expect(encoded == Array(vector.bytes.prefix(JournalFrame.headerByteCount)))
        var end: [UInt8] = []
        frame.appendEnd(to: &end)
        #expect(end == Array(vector.bytes.dropFirst(JournalFrame.headerByteCount + frame.payloadByteCount)))
    }

    @Test func aGroupFrameHoldsTheGroupRecordOfTheLogPage() throws {
        let frame = try HexVectors.load(page: Self.page, name: "group-frame")
        let record = try HexVectors.load(page: LogPageTests.page, name: "group-record")
        let payload = frame.bytes.dropFirst(JournalFrame.headerByteCount)
        #expect(Array(payload.prefix(record.bytes.count)) == record.bytes)
        #expect(Array(payload.dropFirst(record.bytes.count)) == [0, 0, JournalFrame.endMark])
        #expect(try frame.fields()["payload_checksum"]?.unsigned == UInt64(GroupHeader.checksum(of: record.bytes)))
    }
}
