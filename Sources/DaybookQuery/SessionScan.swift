internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
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
    private var wanted: Set<[UInt8]> = []
    private var byteCount = 0
    private var paidByteCount = 0

    /// What a session takes beside its own bytes, about.
    private static let sessionByteCount = 400

    /// Bytes of the values of a session, without what every session takes.
    static func byteCount(of state: SessionState) -> Int {
        let agentByteCount = state.agentsUsed.reduce(0) { $0 + $1.count + 32 }
        return state.id.count + state.user.count + (state.team?.count ?? 0) + (state.context?.count ?? 0)
            + agentByteCount
    }

    /// - Parameter range: of session starts.
    init(
        _ source: any EventSource, range: TimeRange, filter: EventFilter, asOfSequence: UInt64, _ context: QueryContext
    ) throws {
        guard range.start < range.end else { return }
        // Users and ids do not change in the life of a session, so rows can be filtered by them; other conditions are
        // about the state.
        var fixed = EventFilter()
        fixed.conditions = filter.conditions.filter { $0.dimension == .user || $0.dimension == .session }
        // The team of a session may be that of a later change.
        if filter.rows?.teams.isEmpty == true { fixed.rows = filter.rows }
        let tail = try source.tailChunks(of: .sessionChange, through: asOfSequence, .all)
        let starts = Scan(
            source, .sessionChange, RowFilter(fixed), range, asOfSequence: asOfSequence, context, tail: tail)
        var selector = RowSelector()
        var codes = WantedCodes()
        try starts.forEachPage { page in
            let selection = starts.conditions.selection(for: page.zone).union([.session, .status])
            for piece in try page.readable(selection, starts.damage) {
                scannedRowCount += piece.batch.rowCount
                let outcome = starts.conditions.select(piece.batch, page.zone, &selector, &codes)
                try collectStarts(in: piece.batch.columns, outcome, selector)
            }
        }
        guard !wanted.isEmpty else { return }
        let changes = Scan(
            source, .sessionChange, RowFilter(EventFilter()), .all, asOfSequence: asOfSequence, context, tail: tail)
        try changes.forEachPage { page in
            var selection = RowSelection([.session, .sequence, .time])
            if changes.conditions.visibility.mayErase(page.zone) { selection.columns.insert(.user) }
            for piece in try page.readable(selection, changes.damage) {
                scannedRowCount += piece.batch.rowCount
                try reduce(piece.batch.columns, page, firstRow: piece.firstRow, changes)
            }
            try changes.budget.charge(byteCount, paid: &paidByteCount)
        }
        sessions = sessions.filter { range.contains($0.value.state.startedAt.microseconds) }
    }

    private mutating func collectStarts(
        in batch: ColumnBatch, _ outcome: RowSelector.Outcome, _ selector: RowSelector
    ) throws {
        guard outcome != .none, let column = batch.sessions else { return }
        let rows = outcome == .all ? Array(0..<batch.rowCount) : selector.positions.map { Int($0) }
        for row in rows where batch.statuses[row] == SessionChangeKind.started.rawValue {
            let code = column.codes[row]
            guard code < column.table.count else { continue }
            let id = Array(column.table.bytes[column.table.range(of: code)])
            guard wanted.insert(id).inserted else { continue }
            byteCount += Self.sessionByteCount + 2 * id.count
            guard wanted.count <= QueryLimits.sessionCountMax else {
                throw QueryError.tooLarge(limit: QueryLimits.sessionCountMax)
            }
        }
    }

    /// Takes in the changes of wanted sessions. Only the rows between the first and the last of them are decoded.
    private mutating func reduce(_ ids: ColumnBatch, _ page: RowPage, firstRow: Int, _ scan: Scan) throws {
        guard let column = ids.sessions else { return }
        let isWanted = (0..<UInt32(column.table.count)).map { code in
            wanted.contains(Array(column.table.bytes[column.table.range(of: code)]))
        }
        let conditions = scan.conditions
        let isErased = conditions.visibility.mayErase(page.zone) ? conditions.visibility.erasedRows(of: ids) : nil
        let rows = (0..<ids.rowCount).filter { row in
            let code = column.codes[row]
            return isErased?[row] != true && code < isWanted.count && isWanted[Int(code)]
                && ids.sequences[row] <= conditions.asOfSequence
                && conditions.visibility.shows(timestamp: ids.timestamps[row], arrival: ids.arrivals[row])
        }
        guard let first = rows.first, let last = rows.last else { return }
        let part = RowPage(group: page.group, rows: firstRow + first..<firstRow + last + 1, zone: page.zone)
        for piece in try part.readable(RowSelection(.all), scan.damage) {
            for row in rows {
                let position = row + firstRow - piece.firstRow
                guard position >= 0, position < piece.batch.rowCount else { continue }
                try apply(piece.batch.columns, position)
            }
        }
    }

    private mutating func apply(_ batch: ColumnBatch, _ row: Int) throws {
        var encoding: [UInt8] = []
        batch.appendEncoding(row: row, to: &encoding)
        try encoding.withRawSpan { (bytes: RawSpan) in
            let fields = try EventFields(
                family: .sessionChange, schemaVersion: batch.schemaVersion, reading: bytes)
            let id = bytes.toArray(fields.name)
            byteCount += Self.apply(
                fields, bytes, at: Timestamp(microseconds: batch.arrivals[row]),
                to: &sessions[id, default: SessionEntry(state: SessionState(), sequence: batch.sequences[row])])
        }
    }

    /// Returns how many bytes the session holds more than before: a later change may bring keys of its own.
    private static func apply(
        _ fields: EventFields, _ bytes: RawSpan, at arrival: Timestamp, to entry: inout SessionEntry
    ) -> Int {
        let before = byteCount(of: entry.state)
        entry.state.apply(fields: fields, bytes: bytes, arrival: arrival)
        return byteCount(of: entry.state) - before
    }
}

/// When sessions are looked at: whether one is abandoned depends on it.
struct SessionMoment {
    let now: Timestamp
    let idleMicroseconds: Int64

    func status(of state: SessionState) -> SessionStatus { state.status(at: now, idleMicroseconds: idleMicroseconds) }
}

/// A filter on the state of sessions.
struct SessionFilter {
    private let filter: EventFilter
    private let paths: [(path: PreparedPath, values: [PreparedValue])]
    private let moment: SessionMoment

    init(_ filter: EventFilter, at moment: SessionMoment) {
        self.filter = filter
        self.moment = moment
        paths = filter.conditions.compactMap { condition in
            guard case .attribute(let path) = condition.dimension else { return nil }
            return (PreparedPath(path), condition.values.map { PreparedValue($0) })
        }
    }

    func matches(_ state: SessionState) -> Bool {
        if let search = filter.search {
            let found = (state.context ?? []).withRawSpan { search.found(inJSON: $0) }
            guard found == search.all else { return false }
        }
        for condition in filter.conditions {
            if case .attribute = condition.dimension { continue }
            guard let value = Self.value(of: condition.dimension, in: state, at: moment),
                condition.values.contains(value)
            else { return false }
        }
        if let rows = filter.rows, state.user != rows.user {
            guard let team = state.team, rows.teams.contains(team) else { return false }
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
    static func value(of dimension: QueryDimension, in state: SessionState, at moment: SessionMoment) -> [UInt8]? {
        switch dimension {
        case .user: return state.user
        case .team: return state.team
        case .session: return state.id
        case .status:
            return Array(moment.status(of: state).name.utf8)
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
