internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookSystem

/// Adds up events that go for their age, and writes what is kept of them: one history file for each family. Nothing is
/// published here. Spec: docs/format/rollup.md, "History files".
final class HistoryBuilder {
    private struct Work {
        var builder: RollupBuilder
        var timestampMin = Timestamp(microseconds: .max)
        var timestampMax = Timestamp(microseconds: .min)
    }

    private let organization: OrganizationStore
    private let range: ClosedRange<UInt64>
    private let table: VisibilityTable
    private var works: [Family: Work] = [:]
    private var created: [String] = []
    /// Of the files that `finish` has written.
    private(set) var references: [HistoryReference] = []

    /// - Parameters:
    ///   - range: the events lie in it.
    ///   - table: by which they go, and which are too old to be counted.
    init(_ organization: OrganizationStore, _ range: ClosedRange<UInt64>, _ table: VisibilityTable) {
        self.organization = organization
        self.range = range
        self.table = table
    }

    /// Whether anything of a segment would be counted.
    static func wants(_ segment: SegmentReference, _ table: VisibilityTable) -> Bool {
        RollupPolicy.covers(segment.family)
            && segment.timestampMax >= table.historyVisibility(of: segment.family).timestampCutoff
    }

    /// The columns that it needs.
    static let selection: ColumnSelection = [.sequence, .time, .status, .duration, .name, .user, .tokens, .value]

    /// Adds the rows of a batch for which `goes` is true.
    func add(_ batch: ColumnBatch, where goes: (Int) -> Bool) {
        guard RollupPolicy.covers(batch.family) else { return }
        let start = table.historyVisibility(of: batch.family).timestampCutoff.microseconds
        let rows = (0..<batch.rowCount).filter { goes($0) && batch.timestamps[$0] >= start }
        guard !rows.isEmpty else { return }
        var work =
            works[batch.family]
            ?? Work(
                builder: RollupBuilder(
                    family: batch.family, eventCountMax: Int(clamping: range.sequenceCount), policy: .history))
        // A file that somebody put there may have more rows than the range has sequences; they are nobody's.
        guard work.builder.eventCount + UInt64(rows.count) <= range.sequenceCount else { return }
        works[batch.family] = nil
        work.builder.add(rows.count == batch.rowCount ? RollupColumns(batch) : RollupColumns(batch, rows: rows))
        for row in rows {
            let time = Timestamp(microseconds: batch.timestamps[row])
            work.timestampMin = min(work.timestampMin, time)
            work.timestampMax = max(work.timestampMax, time)
        }
        works[batch.family] = work
    }

    /// Writes and synchronizes the files. The caller synchronizes the folder.
    func finish() throws {
        for family in Family.ofOrganizations {
            guard var work = works.removeValue(forKey: family) else { continue }
            let eventCount = work.builder.eventCount
            let identity = RollupIdentity(
                log: organization.log, family: family, firstSequence: range.lowerBound,
                lastSequence: range.upperBound, segmentChecksum: 0)
            guard let bytes = work.builder.finish(identity),
                let kind = try organization.unusedHistoryName(range, family)
            else { continue }
            let path = Layout.path(organization.folder, kind)
            created.append(path)
            try bytes.withRawSpan { (span) throws(DiskError) in try organization.disk.writeAnew(path, span) }
            references.append(
                HistoryReference(
                    family: family, firstSequence: range.lowerBound, lastSequence: range.upperBound,
                    eventCount: eventCount, timestampMin: work.timestampMin, timestampMax: work.timestampMax,
                    byteCount: UInt64(bytes.count), checksum: crc32c(bytes), path: kind.name))
        }
    }

    /// Removes what was written. Only before anything was published.
    func abandon() {
        works = [:]
        references = []
        for path in created {
            // A file that stays is swept when the organization is opened the next time.
            do { if try organization.disk.exists(path) { try organization.disk.remove(path) } } catch {}
        }
        created = []
    }
}

extension RollupColumns {
    /// The same of some rows.
    init(_ batch: ColumnBatch, rows: [Int]) {
        self.init()
        func picked<Value>(_ values: [Value]) -> [Value] { values.isEmpty ? [] : rows.map { values[$0] } }
        timestamps = picked(batch.timestamps)
        statuses = picked(batch.statuses)
        durations = picked(batch.durations)
        inputTokens = picked(batch.inputTokens)
        outputTokens = picked(batch.outputTokens)
        values = picked(batch.values)
        if let column = batch.names { names = RollupCodes(column, picked(column.codes)) }
        if let column = batch.users { users = RollupCodes(column, picked(column.codes)) }
    }
}
