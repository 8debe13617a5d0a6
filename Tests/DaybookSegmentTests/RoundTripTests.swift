import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Every column of every event comes back, and the encodings are the very same bytes.
struct RoundTripTests {
    @Test(arguments: Family.ofOrganizations)
    func encodingsComeBackFromColumnsOfATail(family: Family) throws {
        let events = wildEvents(family, count: 5_000, seed: UInt64(family.rawValue))
        var builder = ColumnBatchBuilder(family: family, schemaVersion: 1)
        for event in events {
            try event.encoding.withRawSpan {
                try builder.append(sequence: event.sequence, arrival: event.arrival, encoding: $0)
            }
        }
        try expect(builder.batch(), equals: events)
    }

    /// 100,000 events in all, in segments of every family.
    @Test(arguments: Family.ofOrganizations)
    func encodingsComeBackFromASegment(family: Family) throws {
        let events = wildEvents(family, count: 25_000, seed: 100 + UInt64(family.rawValue))
        let disk = SimulatedDisk()
        let summary = try writeSegment(events, disk: disk)
        #expect(summary.rowCount == events.count)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(reader.rowCount == events.count)
        var first = 0
        for group in 0..<reader.rowGroupCount {
            let batch = try reader.read(rowGroup: group, .all)
            try expect(batch, equals: Array(events[first..<first + batch.rowCount]))
            first += batch.rowCount
        }
        #expect(first == events.count)
    }
}
