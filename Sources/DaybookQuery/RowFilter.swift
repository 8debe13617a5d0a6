internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment

/// A filter made ready: texts turned into what stands in the columns.
struct RowFilter: Sendable {
    private struct CodeCondition: Sendable {
        var dimension: QueryDimension
        var values: [[UInt8]]
    }

    private struct AttributeCondition: Sendable {
        var path: PreparedPath
        var values: [[UInt8]]
    }

    private var codes: [CodeCondition] = []
    private var attributes: [AttributeCondition] = []
    private var search: TokenSearch?
    private var visible: EventFilter.Rows?
    /// Bit `s`: rows of status `s` match.
    private var statusBits: UInt8 = 0b1111
    private var durationMin: UInt64 = 0
    private var durationMax: UInt64 = .max
    /// The columns that `narrow` looks at.
    private(set) var selection = RowSelection()

    init(_ filter: EventFilter) {
        for condition in filter.conditions {
            switch condition.dimension {
            case .status:
                var bits: UInt8 = 0
                for status in EventStatus.allCases where condition.values.contains(Array(status.name.utf8)) {
                    bits |= 1 << status.rawValue
                }
                statusBits &= bits
            case .attribute(let path):
                attributes.append(
                    AttributeCondition(path: PreparedPath(path), values: condition.values))
            case .name, .kind, .user, .team, .session:
                codes.append(CodeCondition(dimension: condition.dimension, values: condition.values))
            }
        }
        if let isSuccess = filter.isSuccess { statusBits &= isSuccess ? 0b0001 : 0b1110 }
        durationMin = filter.durationMin ?? 0
        durationMax = filter.durationMax ?? .max
        if filtersStatus { selection.columns.insert(.status) }
        if filtersDuration { selection.columns.insert(.duration) }
        for condition in codes { selection.formUnion(condition.dimension.selection) }
        for condition in attributes { selection.formUnion(RowSelection(condition.path)) }
        narrow(to: filter.rows)
        search = filter.search
        if search != nil { selection.columns.formUnion([.errorMessage, .arguments, .object]) }
    }

    /// Only the own user is a condition like any other.
    private mutating func narrow(to rows: EventFilter.Rows?) {
        guard let rows else { return }
        selection.columns.insert(.user)
        if rows.teams.isEmpty {
            codes.append(CodeCondition(dimension: .user, values: [rows.user]))
        } else {
            visible = rows
            selection.columns.insert(.team)
        }
    }

    /// The pages that an index leaves; nil when the filter asks for nothing that an index knows.
    func pages(_ index: SegmentIndex) -> PageSet? {
        var result: PageSet?
        func narrow(_ pages: PageSet) {
            if result == nil { result = pages } else { result?.formIntersection(pages) }
        }
        for condition in codes {
            var any: PageSet?
            for value in condition.values {
                let pages: PageSet
                switch condition.dimension {
                case .user: pages = index.pages(withUser: value)
                case .name: pages = index.pages(withName: value)
                case .session: pages = index.pages(withSession: value)
                default: continue
                }
                if any == nil { any = pages } else { any?.formUnion(pages) }
            }
            if let any { narrow(any) }
        }
        for token in search?.tokens ?? [] { narrow(index.pages(containingToken: token)) }
        return result
    }

    /// Whether `pages` is worth opening an index for.
    var usesIndex: Bool {
        search != nil || codes.contains { [.user, .name, .session].contains($0.dimension) }
    }

    private var filtersStatus: Bool { statusBits != 0b1111 }
    private var filtersDuration: Bool { durationMin > 0 || durationMax < .max }

    /// The statuses that match; nil for all.
    var statuses: [EventStatus]? {
        filtersStatus ? EventStatus.allCases.filter { statusBits >> $0.rawValue & 1 == 1 } : nil
    }

    /// Whether it is worth looking for the rows that match before other columns are read.
    var isSelective: Bool { !selection.isEmpty }

    /// False when the zone proves that no row matches.
    func mayMatch(_ zone: Zone) -> Bool {
        if filtersDuration, zone.durationMax < durationMin || zone.durationMin > durationMax { return false }
        if filtersStatus {
            guard zone.statusMin <= zone.statusMax, zone.statusMax < 4 else { return true }
            return (zone.statusMin...zone.statusMax).contains { statusBits >> $0 & 1 == 1 }
        }
        return true
    }

    /// Keeps the rows that match.
    func narrow(_ selector: inout RowSelector, _ rows: RowBatch, _ wanted: inout WantedCodes) {
        let batch = rows.columns
        if filtersStatus { selector.keep(batch.statuses.span, bits: statusBits) }
        if filtersDuration {
            guard batch.durations.count == batch.rowCount else { return selector.keepNone() }
            selector.keep(batch.durations.span, from: durationMin, through: durationMax)
        }
        for (position, condition) in codes.enumerated() {
            guard let column = condition.dimension.column(of: batch) else { return selector.keepNone() }
            narrow(&selector, column, condition.values, &wanted, position)
        }
        for (position, condition) in attributes.enumerated() {
            let values = rows.values(of: condition.path)
            if let column = values.onlyCodes {
                narrow(&selector, column, condition.values, &wanted, codes.count + position)
            } else {
                var text: [UInt8] = []
                selector.keep { row in
                    values.read(row, condition.path, into: &text) && condition.values.contains(text)
                }
            }
        }
        if let visible { narrow(&selector, visible, batch, &wanted) }
        if let search { narrow(&selector, search, batch) }
    }

    private func narrow(
        _ selector: inout RowSelector, _ rows: EventFilter.Rows, _ batch: ColumnBatch, _ wanted: inout WantedCodes
    ) {
        let position = codes.count + attributes.count
        let users = batch.users.flatMap { wanted.marks([rows.user], position, in: $0.table) }
        let teams = batch.teams.flatMap { wanted.marks(rows.teams, position + 1, in: $0.table) }
        guard users != nil || teams != nil else { return selector.keepNone() }
        func isWanted(_ column: CodeColumn?, _ row: Int, _ marks: [UInt8]?) -> Bool {
            guard let column, let marks else { return false }
            // The last mark answers for all codes from there on, the missing value among them.
            return marks[min(Int(column.codes[row]), marks.count - 1)] == 1
        }
        selector.keep { isWanted(batch.users, $0, users) || isWanted(batch.teams, $0, teams) }
    }

    private func narrow(
        _ selector: inout RowSelector, _ column: CodeColumn, _ values: [[UInt8]], _ wanted: inout WantedCodes,
        _ position: Int
    ) {
        guard let marks = wanted.marks(values, position, in: column.table) else { return selector.keepNone() }
        selector.keep(codes: column.codes.span, wanted: marks)
    }

    private func narrow(_ selector: inout RowSelector, _ search: TokenSearch, _ batch: ColumnBatch) {
        selector.keep { row in
            var found: UInt32 = 0
            if let column = batch.errorMessages { found |= column.withBytes(row) { search.found(inText: $0) } }
            for column in [batch.arguments, batch.objects] where found != search.all {
                if let column { found |= column.withBytes(row) { search.found(inJSON: $0) } }
            }
            return found == search.all
        }
    }
}

/// Which codes of a table the conditions of a filter want; remembered from page to page of a row group.
struct WantedCodes: Sendable {
    private struct Entry {
        var table: StringTable
        var marks: [UInt8]?
    }

    private var entries: [Int: Entry] = [:]
    /// Above that, looking at every string of the table once is cheaper than looking for every value.
    private static let singleValueCountMax = 4

    /// A 1 for every code that is wanted and a 0 at the end, for the missing value; nil when none is wanted.
    mutating func marks(_ values: [[UInt8]], _ position: Int, in table: StringTable) -> [UInt8]? {
        if let known = entries[position], known.table === table { return known.marks }
        var marks = [UInt8](repeating: 0, count: table.count + 1)
        var isEmpty = true
        if values.count <= Self.singleValueCountMax {
            for value in values {
                guard let code = table.code(of: value) else { continue }
                marks[Int(code)] = 1
                isEmpty = false
            }
        } else {
            let values = Set(values)
            for code in 0..<UInt32(table.count) where values.contains(Array(table.bytes[table.range(of: code)])) {
                marks[Int(code)] = 1
                isEmpty = false
            }
        }
        entries[position] = Entry(table: table, marks: isEmpty ? nil : marks)
        return isEmpty ? nil : marks
    }
}
