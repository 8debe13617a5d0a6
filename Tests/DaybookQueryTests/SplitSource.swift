import DaybookEvent
import DaybookFormat
import DaybookRollup
import DaybookSegment
import DaybookStore
import DaybookSystem
import DaybookTestSupport

@testable import DaybookQuery

/// The events of a model as a store would show them: the first ones in real segments on a simulated disk, cut at random,
/// the others as group records.
struct SplitSource: EventSource {
    let lastSequence: UInt64
    let segments: [SegmentReference]
    private(set) var disk: SimulatedDisk
    var visibility = RowVisibility.everything
    /// What reading of the tail is said to have found.
    var damage: [Corruption] = []
    private let groups: [[UInt8]]
    let eventCount: Int

    /// - Parameter sealedThrough: the last sequence that stands in a segment.
    init(_ events: [ModelEvent], sealedThrough: UInt64, _ random: inout SeededRandom) throws {
        disk = SimulatedDisk(seed: 1)
        lastSequence = events.last?.sequence ?? 0
        eventCount = events.count
        let sealed = events.filter { $0.sequence <= sealedThrough }
        var references: [SegmentReference] = []
        var start = 0
        while start < sealed.count {
            let end = min(sealed.count, start + 1 + random.below(sealed.count))
            references += try Self.seal(Array(sealed[start..<end]), disk)
            start = end
        }
        segments = references
        groups = Self.tail(events.filter { $0.sequence > sealedThrough }, &random)
    }

    /// The sealed events in one segment for each family, the others in groups of one.
    init(wholeSegments events: [ModelEvent], sealedThrough: UInt64) throws {
        disk = SimulatedDisk(seed: 1)
        lastSequence = events.last?.sequence ?? 0
        eventCount = events.count
        let sealed = events.filter { $0.sequence <= sealedThrough }
        segments = sealed.isEmpty ? [] : try Self.seal(sealed, disk)
        var random = SeededRandom(seed: 1)
        groups = Self.tail(events.filter { $0.sequence > sealedThrough }, &random)
    }

    /// The same over another disk, on which one byte of a file is another.
    func damaged(_ path: String, at offset: Int) throws -> SplitSource {
        var bytes = try disk.readAll(path)
        bytes[offset] ^= 0x10
        return try without(path, but: bytes)
    }

    /// The same over another disk, which lacks a file.
    func without(_ path: String, but bytes: [UInt8]? = nil) throws -> SplitSource {
        var copy = self
        copy.disk = SimulatedDisk(seed: 1)
        for segment in segments where segment.path != path || bytes != nil {
            let content = segment.path == path ? bytes ?? [] : try disk.readAll(segment.path)
            let file = try copy.disk.open(segment.path, .create)
            try content.withRawSpan { (span: RawSpan) in try file.write(span, at: 0) }
        }
        return copy
    }

    private static func seal(_ events: [ModelEvent], _ disk: SimulatedDisk) throws -> [SegmentReference] {
        let (first, last) = (events[0].sequence, events[events.count - 1].sequence)
        var references: [SegmentReference] = []
        for family in Family.ofOrganizations where events.contains(where: { $0.family == family }) {
            let name = FileKind.segment(first: first, last: last, family: family).name
            var writer = try SegmentWriter(
                disk: disk, path: name, log: LogID(16), family: family,
                schemaVersion: EventLayout.schemaVersion, firstSequence: first, lastSequence: last)
            for event in events where event.family == family {
                try event.encoding.withRawSpan { (bytes: RawSpan) in
                    try writer.append(sequence: event.sequence, arrival: event.arrival, encoding: bytes)
                }
            }
            let summary = try writer.finish()
            references.append(
                SegmentReference(
                    family: family, firstSequence: first, lastSequence: last, rowCount: summary.rowCount,
                    timestampMin: summary.timestampMin, timestampMax: summary.timestampMax, path: name,
                    byteCount: summary.byteCount, footerChecksum: summary.footerChecksum))
        }
        return references
    }

    /// Consecutive events of one arrival go into one group, sometimes.
    private static func tail(_ events: [ModelEvent], _ random: inout SeededRandom) -> [[UInt8]] {
        var groups: [[UInt8]] = []
        var position = 0
        while position < events.count {
            let first = events[position]
            var builder = GroupBuilder(log: LogID(16), arrival: first.arrival)
            repeat {
                let event = events[position]
                event.encoding.withRawSpan {
                    builder.append(event.family, schemaVersion: EventLayout.schemaVersion, encoding: $0)
                }
                position += 1
            } while position < events.count && events[position].arrival == first.arrival
                && events[position].sequence == events[position - 1].sequence + 1 && !random.oneIn(4)
            builder.seal(firstSequence: first.sequence, durableThrough: first.sequence - 1)
            groups.append(builder.bytes)
        }
        return groups
    }

    /// Bytes of rollup files by the path of their segment.
    var rollups: [String: [UInt8]] = [:]

    func rollup(of segment: SegmentReference) throws -> RollupFile? {
        try rollups[segment.path].map { try RollupFile($0) }
    }

    /// Makes the rollups of all segments that have any.
    mutating func rollUp() throws {
        for segment in segments where RollupPolicy.covers(segment.family) {
            let reader = try open(segment)
            var builder = RollupBuilder(family: segment.family, eventCountMax: segment.rowCount)
            for rowGroup in 0..<reader.rowGroupCount {
                let batch = try reader.read(rowGroup: rowGroup, .all)
                var columns = RollupColumns()
                columns.timestamps = batch.timestamps
                columns.statuses = segment.family == .productivityMetric ? [] : batch.statuses
                columns.durations = batch.durations
                columns.inputTokens = batch.inputTokens
                columns.outputTokens = batch.outputTokens
                columns.values = segment.family == .productivityMetric ? batch.values : []
                if let names = batch.names { columns.names = Self.codes(names) }
                if let users = batch.users { columns.users = Self.codes(users) }
                builder.add(columns)
            }
            rollups[segment.path] = builder.finish(
                RollupIdentity(
                    log: LogID(16), family: segment.family, firstSequence: segment.firstSequence,
                    lastSequence: segment.lastSequence, segmentChecksum: segment.footerChecksum))
        }
    }

    private static func codes(_ column: CodeColumn) -> RollupCodes {
        RollupCodes(bytes: column.table.bytes, offsets: column.table.offsets, codes: column.codes)
    }

    /// The index of each segment, made when it is asked for.
    func index(of segment: SegmentReference) -> SegmentIndex? {
        guard hasIndexes, let reader = try? open(segment) else { return nil }
        return try? SegmentIndex.openOrRebuild(reader, disk: disk)
    }

    var hasIndexes = false

    func visibility(of family: Family) -> RowVisibility { visibility }

    func open(_ segment: SegmentReference) throws -> SegmentReader {
        try SegmentReader.open(disk: disk, path: segment.path)
    }

    func forEachTailGroup(from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool) throws {
        for group in groups {
            let goesOn = try group.withRawSpan { (record: RawSpan) in
                let header = try GroupHeader(verifying: record)
                return header.lastSequence < first ? true : try body(header, record)
            }
            if !goesOn { return }
        }
    }
}

/// A model that grows, and the sources that show it.
struct Scenario {
    var events: RandomEvents
    var model = ModelStore()
    private(set) var sealedThrough: UInt64 = 0

    init(seed: UInt64) { events = RandomEvents(seed: seed) }

    mutating func append(_ count: Int, families: [Family] = Family.ofOrganizations) throws {
        for _ in 0..<count {
            if events.random.oneIn(3) { events.passTime() }
            let family = families[events.random.below(families.count)]
            try model.append(
                family, sequence: model.lastSequence + 1, arrival: Timestamp(microseconds: events.arrival),
                encoding: events.encoding(family))
        }
    }

    /// Seals some of the tail, perhaps all or nothing.
    mutating func seal() {
        let tailCount = Int(model.lastSequence - sealedThrough)
        sealedThrough += UInt64(events.random.below(tailCount + 1))
    }

    /// With indexes or without: the answers are the same.
    mutating func source() throws -> SplitSource {
        var source = try SplitSource(model.events, sealedThrough: sealedThrough, &events.random)
        source.hasIndexes = events.random.oneIn(2)
        return source
    }

    /// A random range that holds some of the events, sometimes all, sometimes none.
    mutating func range() -> TimeRange {
        if events.random.oneIn(4) { return .all }
        let times = model.events.map(\.timestamp)
        guard !times.isEmpty else { return .all }
        let (left, right) = (times[events.random.below(times.count)], times[events.random.below(times.count)])
        return TimeRange(
            start: Timestamp(microseconds: min(left, right)),
            end: Timestamp(microseconds: max(left, right) + Int64(events.random.below(2))))
    }

    var now: Timestamp { Timestamp(microseconds: events.arrival) }
}
