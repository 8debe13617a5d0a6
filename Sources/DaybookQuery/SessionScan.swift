internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment

/// One session as a query sees it.
struct SessionEntry {
    var state: SessionState
    /// Of its first change.
    var sequence: UInt64
}

/// Reduces the sessions that began in a range to their present state. Two passes: the first finds who began there, the
/// second takes in all changes of these sessions, whenever they happened.
struct SessionScan {
    private(set) var sessions: [[UInt8]: SessionEntry] = [:]
    private(set) var scannedRowCount = 0

    /// - Parameter range: of session starts.
    init(
        _ source: any EventSource, range: TimeRange, filter: EventFilter, asOfSequence: UInt64,
        _ cancellation: Cancellation
    ) throws {
        guard range.start < range.end else { return }
        // Users and ids do not change in the life of a session, so rows can be filtered by them; other conditions are
        // about the state.
        var fixed = EventFilter()
        fixed.conditions = filter.conditions.filter { $0.dimension == .user || $0.dimension == .session }
        let tail = try source.tailBatches(of: .sessionChange, through: asOfSequence)
        let starts = Scan(
            source: source, family: .sessionChange, range: range, asOfSequence: asOfSequence,
            filter: RowFilter(fixed, family: .sessionChange), cancellation: cancellation, tail: tail)
        var wanted: Set<[UInt8]> = []
        try starts.forEachRowGroup { group in
            try Self.collectStarts(in: group, of: starts, into: &wanted)
            scannedRowCount += group.rowCount
        }
        guard !wanted.isEmpty else { return }
        let changes = Scan(
            source: source, family: .sessionChange, range: .all, asOfSequence: asOfSequence,
            filter: RowFilter(EventFilter(), family: .sessionChange), cancellation: cancellation, tail: tail)
        try changes.forEachRowGroup { group in
            try reduce(group, wanted, asOfSequence: asOfSequence)
            scannedRowCount += group.rowCount
        }
        sessions = sessions.filter { range.contains($0.value.state.startedAt.microseconds) }
    }

    private static func collectStarts(in group: RowGroup, of scan: Scan, into wanted: inout Set<[UInt8]>) throws {
        var selection = scan.filter.selection(for: group, scan.range, asOfSequence: scan.asOfSequence)
        selection.formUnion([.session, .status])
        let batch = try group.read(selection)
        guard let column = batch.sessions else { return }
        let mask = scan.filter.mask(batch, of: group, scan.range, asOfSequence: scan.asOfSequence)
        let grouping = RowGrouping(rowCount: batch.rowCount, mask: mask)
        for row in 0..<batch.rowCount
        where grouping.combinations[row] >= 0 && batch.statuses[row] == SessionChangeKind.started.rawValue {
            let code = column.codes[row]
            guard code < column.table.count else { continue }
            wanted.insert(Array(column.table.bytes[column.table.range(of: code)]))
            guard wanted.count <= QueryLimits.sessionCountMax else {
                throw QueryError.tooLarge(limit: QueryLimits.sessionCountMax)
            }
        }
    }

    /// Takes in the changes of wanted sessions. Only the rows between the first and the last of them are decoded.
    private mutating func reduce(_ group: RowGroup, _ wanted: Set<[UInt8]>, asOfSequence: UInt64) throws {
        let ids = try group.read([.session, .sequence])
        guard let column = ids.sessions else { return }
        let isWanted = (0..<UInt32(column.table.count)).map { code in
            wanted.contains(Array(column.table.bytes[column.table.range(of: code)]))
        }
        let rows = (0..<ids.rowCount).filter { row in
            let code = column.codes[row]
            return code < isWanted.count && isWanted[Int(code)] && ids.sequences[row] <= asOfSequence
        }
        guard let first = rows.first, let last = rows.last else { return }
        let (batch, firstRow) = try group.readAll(rows: first..<last + 1)
        var encoding: [UInt8] = []
        for row in rows {
            encoding.removeAll(keepingCapacity: true)
            batch.appendEncoding(row: row - firstRow, to: &encoding)
            try encoding.withRawSpan { (bytes: RawSpan) in
                let fields = try EventFields(
                    family: .sessionChange, schemaVersion: batch.schemaVersion, reading: bytes)
                let id = bytes.toArray(fields.name)
                sessions[id, default: SessionEntry(state: SessionState(), sequence: ids.sequences[row])].state.apply(
                    fields: fields, bytes: bytes, arrival: Timestamp(microseconds: batch.arrivals[row - firstRow]))
            }
        }
    }
}

/// A filter on the state of sessions.
struct SessionFilter {
    private let filter: EventFilter
    private let paths: [(path: PreparedPath, values: [PreparedValue])]
    private let now: Timestamp

    init(_ filter: EventFilter, now: Timestamp) {
        self.filter = filter
        self.now = now
        paths = filter.conditions.compactMap { condition in
            guard case .attribute(let path) = condition.dimension else { return nil }
            return (PreparedPath(path), condition.values.map { PreparedValue($0) })
        }
    }

    func matches(_ state: SessionState) -> Bool {
        for condition in filter.conditions {
            if case .attribute = condition.dimension { continue }
            guard let value = Self.value(of: condition.dimension, in: state, now: now),
                condition.values.contains(value)
            else { return false }
        }
        if filter.durationMin != nil || filter.durationMax != nil {
            guard let duration = state.totalDurationNanoseconds, duration >= filter.durationMin ?? 0,
                duration <= filter.durationMax ?? .max
            else { return false }
        }
        return paths.allSatisfy { condition in
            (state.context ?? []).withRawSpan { (object: RawSpan) in
                guard let value = CanonicalScanner.find(condition.path.keys, in: object) else { return false }
                return condition.values.contains { $0.matches(object, value) }
            }
        }
    }

    /// What a dimension is in a session; nil when it is nothing there.
    static func value(of dimension: QueryDimension, in state: SessionState, now: Timestamp) -> [UInt8]? {
        switch dimension {
        case .user: return state.user
        case .team: return state.team
        case .session: return state.id
        case .status:
            let status = state.status(at: now, idleMicroseconds: Limits.sessionIdleMicroseconds)
            return Array(status.name.utf8)
        case .name, .kind: return nil
        case .attribute(let path):
            let prepared = PreparedPath(path)
            return (state.context ?? []).withRawSpan { (object: RawSpan) -> [UInt8]? in
                guard let value = CanonicalScanner.find(prepared.keys, in: object) else { return nil }
                switch AttributeValue(object, value) {
                case .missing: return nil
                case .scalar(let range): return object.toArray(range)
                case .string(let range):
                    var text: [UInt8] = []
                    CanonicalScanner.appendUnescaped(object, range, to: &text)
                    return text
                }
            }
        }
    }
}
