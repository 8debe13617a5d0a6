import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookSegment

let segmentPath = "segment.dbs"

/// Random events of one family whose sequences have gaps, as in a log of several families.
func wildEvents(_ family: Family, count: Int, seed: UInt64) -> [GeneratedEvent] {
    events(family, count: count, seed: seed, style: .wild)
}

func events(_ family: Family, count: Int, seed: UInt64, style: EventGenerator.Style) -> [GeneratedEvent] {
    var generator = EventGenerator(seed: seed, style: style, firstSequence: 1_000)
    return (0..<count).map { row in
        if row % 7 == 3 { generator.skip(row % 5) }
        return generator.next(family)
    }
}

@discardableResult
func writeSegment(
    _ events: [GeneratedEvent], disk: any Disk, path: String = segmentPath, effort: Compression.Effort = .fast,
    attributes: AttributePolicy = .columns
) throws -> SegmentSummary {
    let first = try #require(events.first)
    let last = try #require(events.last)
    var writer = try SegmentWriter(
        disk: disk, path: path, log: LogID(7), family: first.family, schemaVersion: 1, firstSequence: first.sequence,
        lastSequence: last.sequence, effort: effort, attributes: attributes)
    for event in events {
        try event.encoding.withRawSpan {
            try writer.append(sequence: event.sequence, arrival: event.arrival, encoding: $0)
        }
    }
    return try writer.finish()
}

/// Sequence, arrival and rebuilt encoding of every row.
func expect(_ batch: ColumnBatch, equals events: [GeneratedEvent]) throws {
    try #require(batch.rowCount == events.count)
    for (row, event) in events.enumerated() {
        var encoding: [UInt8] = []
        batch.appendEncoding(row: row, to: &encoding)
        try #require(encoding == event.encoding)
        try #require(batch.sequences[row] == event.sequence)
        try #require(batch.arrivals[row] == event.arrival.microseconds)
    }
}

/// A disk on which the segment is these bytes.
func disk(holding bytes: [UInt8]) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    let file = try disk.open(segmentPath, .create)
    defer { file.close() }
    try bytes.withRawSpan { try file.write($0, at: 0) }
    return disk
}
