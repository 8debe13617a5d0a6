import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookLog

/// The example of docs/format/checkpoint.md.
struct CheckpointPageTests {
    static let page = "docs/format/checkpoint.md"

    private func mark(_ fields: ParsedJSON?) throws -> LogMark {
        LogMark(
            log: LogID(try #require(fields?["log"]?.unsigned)),
            fileFirstSequence: try #require(fields?["file_first_sequence"]?.unsigned),
            fileByteCount: try #require(fields?["file_byte_count"]?.unsigned),
            lastSequence: try #require(fields?["last_sequence"]?.unsigned),
            lastArrival: Timestamp(microseconds: try #require(fields?["last_arrival_microseconds"]?.signed)),
            sealedThrough: try #require(fields?["sealed_through"]?.unsigned))
    }

    @Test func theLogIsWrittenAsThePageSays() throws {
        let vector = try HexVectors.load(page: Self.page, name: "checkpoint-log")
        let fields = try vector.fields()
        let records = try #require(fields["records"]?.elements)
        #expect(fields["store_id"]?.unsigned == CheckpointLogTests.storeID)
        let disk = try CheckpointLogTests.disk()
        let log = try CheckpointLogTests.created(
            on: disk, marks: [try mark(records[0]["mark"])],
            position: try #require(records[0]["journal_position"]?.unsigned))
        for record in records.dropFirst() {
            try log.append(
                position: try #require(record["journal_position"]?.unsigned), marks: [try mark(record["mark"])])
        }
        #expect(disk.contents(CheckpointLog.path(1)) == vector.bytes)
    }

    @Test func theLogIsReadAsThePageSays() throws {
        let vector = try HexVectors.load(page: Self.page, name: "checkpoint-log")
        let last = try #require(try vector.fields()["records"]?.elements?.last)
        let disk = try CheckpointLogTests.disk()
        let file = try disk.open(CheckpointLog.path(1), .create)
        try file.write(vector.bytes.span.bytes, at: 0)
        let found = try CheckpointLog.read(disk: disk, storeID: CheckpointLogTests.storeID)
        #expect(found.table.journalPosition == last["journal_position"]?.unsigned)
        #expect(found.table.marks.values.map { $0 } == [try mark(last["mark"])])
        #expect(found.recordCount == 2)
        #expect(found.byteCount == UInt64(vector.bytes.count))
    }
}
