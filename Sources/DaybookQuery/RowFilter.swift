internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment

/// A filter made ready: texts turned into what stands in the columns.
struct RowFilter: Sendable {
    struct CodeCondition: Sendable {
        var dimension: QueryDimension
        var values: [[UInt8]]
    }

    private struct AttributeCondition: Sendable {
        var path: PreparedPath
        var values: [PreparedValue]
    }

    private var codes: [CodeCondition] = []
    private var attributes: [AttributeCondition] = []
    /// Bit `s`: rows of status `s` match.
    private var statusBits: UInt8 = 0b1111
    private var durationMin: UInt64 = 0
    private var durationMax: UInt64 = .max
    /// The columns that `narrow` looks at.
    private(set) var selection: ColumnSelection = []

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
                    AttributeCondition(path: PreparedPath(path), values: condition.values.map { PreparedValue($0) }))
            case .name, .kind, .user, .team, .session:
                codes.append(CodeCondition(dimension: condition.dimension, values: condition.values))
            }
        }
        if let isSuccess = filter.isSuccess { statusBits &= isSuccess ? 0b0001 : 0b1110 }
        durationMin = filter.durationMin ?? 0
        durationMax = filter.durationMax ?? .max
        if filtersStatus { selection.insert(.status) }
        if filtersDuration { selection.insert(.duration) }
        for condition in codes { selection.formUnion(condition.dimension.selection) }
        for condition in attributes { selection.formUnion(condition.path.selection) }
    }

    private var filtersStatus: Bool { statusBits != 0b1111 }
    private var filtersDuration: Bool { durationMin > 0 || durationMax < .max }

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
    func narrow(_ selector: inout RowSelector, _ batch: ColumnBatch, _ wanted: inout WantedCodes) {
        if filtersStatus { selector.keep(batch.statuses.span, bits: statusBits) }
        if filtersDuration {
            guard batch.durations.count == batch.rowCount else { return selector.keepNone() }
            selector.keep(batch.durations.span, from: durationMin, through: durationMax)
        }
        for (position, condition) in codes.enumerated() {
            guard let column = condition.dimension.column(of: batch) else { return selector.keepNone() }
            guard let marks = wanted.marks(condition, position, in: column.table) else { return selector.keepNone() }
            selector.keep(codes: column.codes.span, wanted: marks)
        }
        for condition in attributes {
            guard let column = condition.path.column(of: batch) else { return selector.keepNone() }
            narrow(&selector, condition, column)
        }
    }

    private func narrow(_ selector: inout RowSelector, _ condition: AttributeCondition, _ column: ByteColumn) {
        column.bytes.withRawSpan { (all: RawSpan) in
            selector.keep { row in
                let object = all.extracting(column.range(row))
                guard column.isPresent(row), let value = CanonicalScanner.find(condition.path.keys, in: object) else {
                    return false
                }
                return condition.values.contains { $0.matches(object, value) }
            }
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
    mutating func marks(_ condition: RowFilter.CodeCondition, _ position: Int, in table: StringTable) -> [UInt8]? {
        if let known = entries[position], known.table === table { return known.marks }
        var marks = [UInt8](repeating: 0, count: table.count + 1)
        var isEmpty = true
        if condition.values.count <= Self.singleValueCountMax {
            for value in condition.values {
                guard let code = table.code(of: value) else { continue }
                marks[Int(code)] = 1
                isEmpty = false
            }
        } else {
            let values = Set(condition.values)
            for code in 0..<UInt32(table.count) where values.contains(Array(table.bytes[table.range(of: code)])) {
                marks[Int(code)] = 1
                isEmpty = false
            }
        }
        entries[position] = Entry(table: table, marks: isEmpty ? nil : marks)
        return isEmpty ? nil : marks
    }
}
