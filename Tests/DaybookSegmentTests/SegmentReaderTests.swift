import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

struct SegmentReaderTests {
    private func reader(_ events: [GeneratedEvent]) throws -> SegmentReader {
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk)
        return try SegmentReader.open(disk: disk, path: segmentPath)
    }

    @Test func onlySelectedColumnsAreFilled() throws {
        let reader = try reader(wildEvents(.agentInteraction, count: 300, seed: 1))
        let batch = try reader.read(rowGroup: 0, [.time, .name])
        #expect(batch.timestamps.count == 300)
        #expect(batch.names?.codes.count == 300)
        #expect(batch.sequences.isEmpty)
        #expect(batch.durations.isEmpty)
        #expect(batch.flags.isEmpty)
        #expect(batch.users == nil)
        #expect(batch.objects == nil)
    }

    @Test(arguments: Family.ofOrganizations)
    func everySelectionAgreesWithAllColumns(family: Family) throws {
        let reader = try reader(wildEvents(family, count: 400, seed: 2))
        let all = try reader.read(rowGroup: 0, .all)
        for bit in 0..<16 {
            let some = try reader.read(rowGroup: 0, ColumnSelection(rawValue: 1 << bit))
            if !some.timestamps.isEmpty { #expect(some.timestamps == all.timestamps) }
            if !some.identifiers.isEmpty { #expect(some.identifiers == all.identifiers) }
            if !some.statuses.isEmpty { #expect(some.statuses == all.statuses) }
            if !some.durations.isEmpty { #expect(some.durations == all.durations) }
            if !some.values.isEmpty { #expect(some.values == all.values) }
            if let users = some.users { #expect(users.codes == all.users?.codes) }
            if let objects = some.objects { #expect(objects.bytes == all.objects?.bytes) }
            if !some.flags.isEmpty { #expect(some.flags == all.flags) }
        }
    }

    @Test func someRowsAreThoseRows() throws {
        let events = events(.commandExecution, count: 8_500, seed: 3, style: .realistic)
        let reader = try reader(events)
        for rows in [0..<0, 0..<1, 100..<200, 8_190..<8_194, 8_192..<8_500, 8_499..<8_500] {
            try expect(try reader.read(rowGroup: 0, rows: rows, .all), equals: Array(events[rows]))
        }
    }

    @Test func missingAndEmptyStringsDiffer() throws {
        var events = wildEvents(.commandExecution, count: 2, seed: 4)
        let head = [UInt8](repeating: 0, count: 34)
        events[0].encoding = [0x3, 0] + head + [1, 0x75, 1, 0x6E, 0, 0]
        events[1].encoding = [0x2, 0] + head + [1, 0x75, 1, 0x6E, 0]
        let batch = try reader(events).read(rowGroup: 0, .all)
        #expect(batch.sessions?.text(0) == "")
        #expect(batch.sessions?.text(1) == nil)
        #expect(batch.teams?.text(1) == "")
        try expect(batch, equals: events)
    }

    @Test(arguments: Family.ofOrganizations)
    func zonesHoldTheExtremesOfTheRows(family: Family) throws {
        let reader = try reader(wildEvents(family, count: 2_000, seed: 6))
        let batch = try reader.read(rowGroup: 0, .all)
        let zone = reader.zone(rowGroup: 0)
        #expect(zone.rowCount == 2_000)
        #expect(zone.sequenceMin == batch.sequences.first)
        #expect(zone.sequenceMax == batch.sequences.last)
        #expect(zone.timestampMin == batch.timestamps.min())
        #expect(zone.timestampMax == batch.timestamps.max())
        #expect(zone.arrivalMax == batch.arrivals.max())
        #expect(zone.durationMin == batch.durations.min() ?? 0)
        #expect(zone.durationMax == batch.durations.max() ?? 0)
        #expect(zone.statusMax == batch.statuses.max())
        #expect(reader.timestampMin.microseconds == zone.timestampMin)
        #expect(reader.timestampMax.microseconds == zone.timestampMax)
    }

    @Test func pageZonesHoldTheExtremesOfTheirRows() throws {
        let reader = try reader(events(.agentInteraction, count: 8_400, seed: 7, style: .realistic))
        let durations = try reader.read(rowGroup: 0, .duration).durations
        let pages = try #require(try reader.directory(rowGroup: 0).column(.duration)).pages
        #expect(pages.count == 2)
        for page in pages {
            #expect(page.zone.min == durations[page.rows].min())
            #expect(page.zone.max == durations[page.rows].max())
        }
    }

    @Test func dictionariesAreSortedAndExact() throws {
        let reader = try reader(wildEvents(.productivityMetric, count: 3_000, seed: 8))
        let users = try #require(try reader.read(rowGroup: 0, .user).users)
        let strings = (0..<UInt32(users.table.count)).map { Array(users.table.bytes[users.table.range(of: $0)]) }
        for (left, right) in zip(strings, strings.dropFirst()) { #expect(left.lexicographicallyPrecedes(right)) }
        #expect(Set(users.codes).count == users.table.count)
        #expect(reader.zone(rowGroup: 0, .user)?.distinctHint == users.table.count)
    }

    @Test func aRefusedEncodingLeavesTheWriterAsItWas() throws {
        let disk = SimulatedDisk()
        let events = wildEvents(.commandExecution, count: 3, seed: 9)
        var writer = try SegmentWriter(
            disk: disk, path: segmentPath, log: LogID(7), family: .commandExecution, schemaVersion: 1,
            firstSequence: events[0].sequence, lastSequence: events[2].sequence)
        func append(_ event: GeneratedEvent, _ encoding: [UInt8]) throws {
            try encoding.withRawSpan {
                try writer.append(sequence: event.sequence, arrival: event.arrival, encoding: $0)
            }
        }
        try append(events[0], events[0].encoding)
        #expect(throws: SegmentError.self) { try append(events[1], Array(events[1].encoding.dropLast())) }
        #expect(throws: SegmentError.self) {
            try append(events[1], events[1].encoding + [UInt8](repeating: 0, count: 3 << 20))
        }
        try append(events[2], events[2].encoding)
        #expect(try writer.finish().rowCount == 2)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        try expect(try reader.read(rowGroup: 0, .all), equals: [events[0], events[2]])
    }

    @Test func aSegmentIsNeverWrittenOverAnother() throws {
        let disk = SimulatedDisk()
        try writeSegment(wildEvents(.commandExecution, count: 3, seed: 10), disk: disk)
        #expect(throws: SegmentError.self) {
            try writeSegment(wildEvents(.commandExecution, count: 3, seed: 10), disk: disk)
        }
    }

    @Test func aBuilderGoesOnAfterItsRowsWereTaken() throws {
        let events = wildEvents(.sessionChange, count: 30, seed: 11)
        var builder = ColumnBatchBuilder(family: .sessionChange, schemaVersion: 1)
        for (row, event) in events.enumerated() {
            if row == 10 { try expect(builder.batch(), equals: Array(events[..<10])) }
            if row == 20 { try expect(builder.takeBatch(), equals: Array(events[..<20])) }
            try event.encoding.withRawSpan {
                try builder.append(sequence: event.sequence, arrival: event.arrival, encoding: $0)
            }
        }
        try expect(builder.takeBatch(), equals: Array(events[20...]))
        #expect(builder.rowCount == 0)
    }
}
