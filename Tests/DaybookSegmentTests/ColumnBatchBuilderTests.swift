import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

@Suite struct ColumnBatchBuilderTests {
    static func builder(
        _ events: [GeneratedEvent], _ selection: ColumnSelection = .all
    ) throws -> ColumnBatchBuilder {
        var builder = ColumnBatchBuilder(family: events[0].family, schemaVersion: 1, selection: selection)
        for event in events {
            try event.encoding.withRawSpan {
                try builder.append(sequence: event.sequence, arrival: event.arrival, encoding: $0)
            }
        }
        return builder
    }

    @Test(arguments: Family.ofOrganizations)
    func `a builder of some columns fills a batch as a reader of a segment does`(family: Family) throws {
        let events = wildEvents(family, count: 300, seed: 21)
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        var random = SeededRandom(seed: 4)
        for _ in 0..<40 {
            let selection = ColumnSelection(rawValue: UInt32(random.below(1 << 16)))
            expectSame(try Self.builder(events, selection).batch(), try reader.read(rowGroup: 0, selection))
        }
    }

    @Test(arguments: Family.ofOrganizations)
    func `rows of a growing builder are the rows that went in`(family: Family) throws {
        let events = wildEvents(family, count: 500, seed: 22)
        var builder = try Self.builder(Array(events.prefix(200)))
        let early = builder.batch(rows: 150..<200)
        for event in events.dropFirst(200) {
            try event.encoding.withRawSpan {
                try builder.append(sequence: event.sequence, arrival: event.arrival, encoding: $0)
            }
        }
        try expect(early, equals: Array(events[150..<200]))
        try expect(builder.batch(rows: 0..<500), equals: events)
        try expect(builder.batch(rows: 333..<334), equals: [events[333]])
        #expect(Zone(builder.batch(rows: 10..<20)).sequenceMin == events[10].sequence)
    }

    @Test func `batches share a dictionary until a new string comes in`() throws {
        let time = Timestamp(microseconds: 1_780_000_000_000_000)
        var builder = ColumnBatchBuilder(family: .commandExecution, schemaVersion: 1)
        func append(_ number: UInt64, user: String) throws {
            try TestEvents.command(number, user: user, at: time).withRawSpan {
                try builder.append(sequence: number, arrival: time, encoding: $0)
            }
        }
        for number in 1...20 { try append(UInt64(number), user: "ada") }
        let first = builder.batch(rows: 0..<20)
        for number in 21...30 { try append(UInt64(number), user: "ada") }
        let second = builder.batch(rows: 20..<30)
        try append(31, user: "eve")
        let third = builder.batch(rows: 30..<31)
        #expect(first.users?.table === second.users?.table)
        #expect(second.users?.table !== third.users?.table)
        #expect(third.users?.text(0) == "eve")
        #expect(first.users?.table.count == 1)
    }
}
