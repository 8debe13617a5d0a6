internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// Retention: what has expired goes. Readers do not see it any more long before.
extension Compactor {
    /// Rows that are added up for their history in one run, about.
    private static let historyRowCountMax = 1 << 20
    /// For so long after it has expired, a segment that the disk does not read is tried again with each patrol. Then it goes,
    /// and its sums are missing from the history.
    private static let patienceMicroseconds = 7 * Limits.dayMicroseconds

    /// Segments of which everything has expired are taken out of the manifest; only the files are left to be removed.
    /// What is kept of them is added up before.
    /// - Parameter held: ranges that are to be left alone for now, as long as their sums are hoped for.
    /// - Returns: nil when there are none; true when they have gone; false when a run has begun that adds them up.
    func dropExpired(
        _ organization: OrganizationStore, _ manifest: Manifest, _ table: VisibilityTable,
        held: [ClosedRange<UInt64>]
    ) throws -> Bool? {
        guard !table.hidesNothing else { return nil }
        var expired: [SegmentReference] = []
        var rowCount = 0
        let blocked = blocked[organization.log] ?? []
        let isLeftAlone = { (segment: SegmentReference) in
            blocked.contains(segment.path) || held.contains { $0.overlaps(segment.range) }
        }
        for segment in manifest.segments where table[segment.family].hidesAll(of: segment) {
            if isLeftAlone(segment), Self.waits(for: segment, table) {
                // What follows is dropped another time: one range is published at once.
                if expired.isEmpty { continue } else { break }
            }
            guard rowCount < Self.historyRowCountMax || segment.range == expired.last?.range else { break }
            if HistoryBuilder.wants(segment, table) { rowCount += segment.rowCount }
            expired.append(segment)
        }
        guard let first = expired.first, let last = expired.last else { return nil }
        let gone = Set(expired.map(\.path))
        let range = first.firstSequence...last.lastSequence
        var replacement = Replacement(
            range: range, inputs: Array(manifest.segments[manifest.segmentIndices(in: range)]))
        replacement.segments = replacement.inputs.filter { !gone.contains($0.path) }
        replacement.absences = Array(manifest.absences[manifest.absenceIndices(in: range)])
        for segment in expired { replacement.absences.add(UInt64(segment.rowCount), in: segment.range, .expired) }
        let count = expired.reduce(0) { $0 + UInt64($1.rowCount) }
        let wanted = expired.filter { HistoryBuilder.wants($0, table) && !isLeftAlone($0) }
        guard wanted.isEmpty else {
            let drop = ExpiredDrop(replacement, wanted, of: organization, table, eventCount: count)
            phase = .rewriting(Run(organization, drop, table))
            return false
        }
        try publish(replacement, table, of: organization)
        shared.compaction.update { $0.expiredEventCount += count }
        return true
    }

    /// Whether the sums of an expired segment are still hoped for.
    private static func waits(for segment: SegmentReference, _ table: VisibilityTable) -> Bool {
        let end = segment.timestampMax.adding(microseconds: patienceMicroseconds)
        return HistoryBuilder.wants(segment, table) && end >= table[segment.family].timestampCutoff
    }

    /// History files of which everything is too old go. True when there were some.
    func forgetHistory(
        _ organization: OrganizationStore, _ manifest: Manifest, _ table: VisibilityTable
    ) throws -> Bool {
        guard !table.hidesNothing else { return false }
        let old = manifest.history.filter { file in
            // A day's row is shown as long as a part of the day is wanted.
            let end = file.timestampMax.adding(microseconds: Limits.dayMicroseconds)
            return end < table.historyVisibility(of: file.family).timestampCutoff
        }
        guard !old.isEmpty else { return false }
        try whileStillExpired(table, of: organization) {
            try organization.publishHistory(removed: old, added: [])
        }
        return true
    }

    /// The first range with segments of which at least half has expired: these are to be written anew.
    func halfExpired(
        _ organization: OrganizationStore, _ manifest: Manifest, _ table: VisibilityTable, blocked: Set<String>
    ) throws -> RangeRewriter.Job? {
        guard !table.hidesNothing else { return nil }
        var range: ClosedRange<UInt64>?
        var families: Set<Family> = []
        for segment in manifest.segments {
            if let range, range != segment.range { break }
            let visibility = table[segment.family]
            guard !visibility.hidesNone(of: segment), !blocked.contains(segment.path),
                try isHalfExpired(segment, visibility, organization)
            else { continue }
            range = segment.range
            families.insert(segment.family)
        }
        guard let range else { return nil }
        var job = RangeRewriter.Job(range, of: manifest)
        job.families = families
        return job
    }

    /// Counts at most once in a patrol's time: the columns of time are read for it.
    private func isHalfExpired(
        _ segment: SegmentReference, _ visibility: RowVisibility, _ organization: OrganizationStore
    ) throws -> Bool {
        let now = clock.wallMicroseconds()
        let key = Layout.path(organization.folder, segment.path)
        if let next = countedAgain[key], next > now { return false }
        let count: Int
        do {
            count = try Self.expiredCount(segment, visibility, organization)
        } catch SegmentError.corrupt {
            // Merging, or a query, tells of the damage.
            count = 0
        } catch {
            guard isUnreadable(error) else { throw error }
            // The rest goes on without it until the next patrol.
            fail(error)
            blocked[organization.log, default: []].insert(segment.path)
            return false
        }
        if 2 * count >= segment.rowCount { return true }
        if countedAgain.count >= 4_096 { countedAgain.removeAll() }
        countedAgain[key] = now + options.compaction.patrolMicroseconds
        return false
    }

    private static func expiredCount(
        _ segment: SegmentReference, _ visibility: RowVisibility, _ organization: OrganizationStore
    ) throws -> Int {
        let reader = try SegmentReader.open(
            disk: organization.disk, path: Layout.path(organization.folder, segment.path))
        var count = 0
        for rowGroup in 0..<reader.rowGroupCount {
            let zone = reader.zone(rowGroup: rowGroup)
            guard !visibility.showsAll(zone) else { continue }
            guard !visibility.hidesAll(zone) else {
                count += zone.rowCount
                continue
            }
            let batch = try reader.read(rowGroup: rowGroup, [.sequence, .time])
            for row in 0..<batch.rowCount
            where !visibility.shows(timestamp: batch.timestamps[row], arrival: batch.arrivals[row]) { count += 1 }
        }
        return count
    }

    /// Leaves out what has expired.
    static func verdict(_ table: VisibilityTable) -> RowVerdict {
        { batch in
            let visibility = table[batch.family]
            guard visibility != .everything else { return nil }
            return (0..<batch.rowCount).map { row in
                visibility.shows(timestamp: batch.timestamps[row], arrival: batch.arrivals[row]) ? nil : .expired
            }
        }
    }

    /// Publishes what leaves out expired events, unless the policy keeps them by now.
    func publish(_ replacement: Replacement, _ table: VisibilityTable, of organization: OrganizationStore) throws {
        try whileStillExpired(table, of: organization) { try organization.publish(replacement) }
    }

    /// Runs the body unless the policy keeps by now what the table lets go; it does not change meanwhile.
    private func whileStillExpired(
        _ table: VisibilityTable, of organization: OrganizationStore, _ body: () throws -> Void
    ) throws {
        try shared.settings.expiring.withLock { _ in
            let now = Timestamp(microseconds: clock.wallMicroseconds())
            let present = shared.settings.visibility(of: organization.log, at: now)
            let isStillExpired = Family.ofOrganizations.allSatisfy { family in
                table[family].timestampCutoff <= present[family].timestampCutoff
                    && table.historyVisibility(of: family).timestampCutoff
                        <= present.historyVisibility(of: family).timestampCutoff
            }
            guard isStillExpired else { throw StoreError.unstable }
            try body()
        }
    }

    /// A small log is not sealed for its age, but expired events can only go from segments: then it is sealed for them.
    func sealExpired(_ organization: OrganizationStore, _ table: VisibilityTable) throws {
        guard !table.hidesNothing else { return }
        var isFound = false
        try organization.snapshot().forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while !isFound, let entry = try entries.next(record) {
                let visibility = table[entry.family]
                // Groups arrive in order: nothing behind this one has arrived earlier.
                guard header.arrival < visibility.arrivalCutoff else { continue }
                let bytes = record.extracting(entry.encoding)
                let fields = try EventFields(family: entry.family, schemaVersion: entry.schemaVersion, reading: bytes)
                isFound = visibility.hides(timestamp: fields.timestamp, arrival: header.arrival)
            }
            return !isFound
        }
        if isFound { shared.maintenance.addToRoll(organization.log) }
    }
}

extension [Absence] {
    /// More events of a range are absent for this reason.
    fileprivate mutating func add(_ eventCount: UInt64, in range: ClosedRange<UInt64>, _ reason: AbsenceReason) {
        if let index = firstIndex(where: { $0.range == range && $0.reason == reason }) {
            self[index].eventCount += eventCount
        } else {
            append(Absence(range: range, eventCount: eventCount, reason: reason))
        }
    }
}
