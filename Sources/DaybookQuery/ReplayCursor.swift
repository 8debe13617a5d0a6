internal import DaybookEvent
package import DaybookFormat
internal import DaybookSegment
internal import DaybookStore

/// Which events a replay gives.
package struct ReplayFilter: Sendable {
    package var families = Set(Family.ofOrganizations)
    /// Command names, agent names, metric types as UTF-8; empty for all. Session changes have none and drop out.
    package var names: Set<[UInt8]> = []
    package var firstSequence: UInt64 = 1
    /// Inclusive. Beyond the last visible sequence it means up to there.
    package var lastSequence = UInt64.max
    /// Of event times.
    package var range = TimeRange.all
    /// Goes on behind damage, which `warnings` then names. Otherwise the replay ends there with an error: events that
    /// are silently missing from a copy are worse than no copy.
    package var skipsDamage = false

    package init() {}
}

/// Every event of an organization in sequence order: out of the segments of all families, merged, then out of the tail.
/// Memory is bounded: a page of rows for each family, or about a MiB of the tail.
package struct ReplayCursor {
    private let source: any EventSource
    private let filter: ReplayFilter
    private let cancellation: Cancellation
    private let damage = DamageLog()
    private var streams: [SegmentStream]
    private var tail: [ListedEvent] = []
    private var tailPosition = 0
    /// Nil when the tail is read to its end.
    private var nextTailSequence: UInt64?

    /// Bytes of the tail that are taken at a time, or one group if that is larger.
    private static let tailByteCount = 1 << 20

    package init(_ source: any EventSource, _ filter: ReplayFilter, cancellation: Cancellation = Cancellation()) {
        var filter = filter
        filter.lastSequence = min(filter.lastSequence, source.lastSequence)
        self.source = source
        self.filter = filter
        self.cancellation = cancellation
        let damage = damage
        streams = Family.ofOrganizations.filter { filter.families.contains($0) }
            .map { SegmentStream(source, $0, filter, damage) }
        nextTailSequence = filter.firstSequence
    }

    /// What was left out so far for damage, at most 100 entries.
    package var warnings: [QueryWarning] {
        for corruption in source.damage { damage.note(corruption) }
        return damage.warnings
    }

    /// All of it.
    package var warningCount: Int { warnings.isEmpty ? 0 : damage.count }

    /// The next event; nil at the end.
    package mutating func next() throws -> ListedEvent? {
        var best: Int?
        var bestSequence = UInt64.max
        for position in streams.indices {
            if let sequence = try streams[position].nextSequence(cancellation), sequence < bestSequence {
                best = position
                bestSequence = sequence
            }
        }
        if let best { return streams[best].take() }
        if tailPosition == tail.count { try fillTail() }
        guard tailPosition < tail.count else { return nil }
        defer { tailPosition += 1 }
        return tail[tailPosition]
    }

    private mutating func fillTail() throws {
        tail.removeAll(keepingCapacity: true)
        tailPosition = 0
        while tail.isEmpty, let first = nextTailSequence {
            try cancellation.check()
            nextTailSequence = nil
            var byteCount = 0
            try source.forEachTailGroup(from: first) { header, record in
                guard header.firstSequence <= filter.lastSequence else { return false }
                guard byteCount < Self.tailByteCount else {
                    nextTailSequence = max(first, header.firstSequence)
                    return false
                }
                byteCount += header.byteCount
                try collect(header, record, from: first)
                return true
            }
            // The walk passes over what is damaged, and only tells.
            if !filter.skipsDamage, let corruption = source.damage.first { throw SegmentError.corrupt(corruption) }
        }
    }

    private mutating func collect(_ header: GroupHeader, _ record: RawSpan, from first: UInt64) throws {
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.sequence >= first, entry.sequence <= filter.lastSequence,
                filter.families.contains(entry.family)
            else { continue }
            let encoding = record.extracting(entry.encoding)
            let visibility = source.visibility(of: entry.family)
            if !filter.names.isEmpty || filter.range != .all || visibility != .everything {
                let fields = try EventFields(
                    family: entry.family, schemaVersion: entry.schemaVersion, reading: encoding)
                guard filter.range.contains(fields.timestamp.microseconds) || filter.range == .all,
                    visibility.shows(
                        timestamp: fields.timestamp.microseconds, arrival: header.arrival.microseconds),
                    visibility.erased == nil
                        || !visibility.erases(user: encoding.toArray(fields.user), sequence: entry.sequence)
                else { continue }
                if !filter.names.isEmpty {
                    guard entry.family != .sessionChange, filter.names.contains(encoding.toArray(fields.name)) else {
                        continue
                    }
                }
            }
            tail.append(
                ListedEvent(
                    family: entry.family, schemaVersion: entry.schemaVersion, sequence: entry.sequence,
                    arrival: header.arrival, encoding: encoding.toArray()))
        }
    }
}
