internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment

/// Which rows of a batch a query is about.
enum RowMask {
    case all
    case some([Bool])
    case none
}

/// A filter made ready: texts turned into what stands in the columns.
struct RowFilter {
    private struct CodeCondition {
        var dimension: QueryDimension
        var values: [[UInt8]]
    }

    private struct AttributeCondition {
        var path: PreparedPath
        var values: [PreparedValue]
    }

    private var codes: [CodeCondition] = []
    private var attributes: [AttributeCondition] = []
    /// Bit `s`: rows of status `s` match.
    private var statusBits: UInt8 = 0b1111
    private var durationMin: UInt64 = 0
    private var durationMax: UInt64 = .max
    private let family: Family

    init(_ filter: EventFilter, family: Family) {
        self.family = family
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
    }

    private var filtersStatus: Bool { statusBits != 0b1111 }
    private var filtersDuration: Bool { durationMin > 0 || durationMax < .max }

    /// False when the zones prove that no row matches.
    func mayMatch(_ group: RowGroup) -> Bool {
        if filtersDuration, group.durationMax < durationMin || group.durationMin > durationMax { return false }
        if filtersStatus {
            guard group.statusMin <= group.statusMax, group.statusMax < 4 else { return true }
            return (group.statusMin...group.statusMax).contains { statusBits >> $0 & 1 == 1 }
        }
        return true
    }

    /// The columns that `mask` looks at.
    func selection(for group: RowGroup, _ range: TimeRange, asOfSequence: UInt64) -> ColumnSelection {
        var selection: ColumnSelection = []
        if !range.covers(from: group.timestampMin, through: group.timestampMax) { selection.insert(.time) }
        if group.sequenceMax > asOfSequence { selection.insert(.sequence) }
        if filtersStatus { selection.insert(.status) }
        if filtersDuration { selection.insert(.duration) }
        for condition in codes { selection.formUnion(condition.dimension.selection) }
        for condition in attributes { selection.formUnion(condition.path.selection) }
        return selection
    }

    /// The rows that match, the cheap conditions first.
    func mask(_ batch: ColumnBatch, of group: RowGroup, _ range: TimeRange, asOfSequence: UInt64) -> RowMask {
        var keep: [Bool]?
        if !range.covers(from: group.timestampMin, through: group.timestampMax) {
            narrow(&keep, batch.timestamps) { range.contains($0) }
        }
        if group.sequenceMax > asOfSequence { narrow(&keep, batch.sequences) { $0 <= asOfSequence } }
        if filtersStatus { narrow(&keep, batch.statuses) { $0 < 8 && statusBits >> $0 & 1 == 1 } }
        if filtersDuration {
            guard batch.durations.count == batch.rowCount else { return .none }
            narrow(&keep, batch.durations) { $0 >= durationMin && $0 <= durationMax }
        }
        for condition in codes {
            guard let column = condition.dimension.column(of: batch) else { return .none }
            var isWanted = [Bool](repeating: false, count: column.table.count)
            for value in condition.values {
                if let code = column.table.code(of: value) { isWanted[Int(code)] = true }
            }
            narrow(&keep, column.codes) { $0 < isWanted.count && isWanted[Int($0)] }
        }
        for condition in attributes {
            guard let column = condition.path.column(of: batch) else { return .none }
            narrow(&keep, condition, column)
        }
        guard let keep else { return .all }
        return keep.contains(true) ? .some(keep) : .none
    }

    @inline(__always)
    private func narrow<Value>(_ keep: inout [Bool]?, _ values: [Value], _ matches: (Value) -> Bool) {
        guard var present = keep.take() else {
            keep = values.map(matches)
            return
        }
        for row in present.indices where present[row] { present[row] = matches(values[row]) }
        keep = present
    }

    private func narrow(_ keep: inout [Bool]?, _ condition: AttributeCondition, _ column: ByteColumn) {
        var present = keep.take() ?? [Bool](repeating: true, count: column.rowCount)
        column.bytes.withRawSpan { (all: RawSpan) in
            for row in present.indices where present[row] {
                let object = all.extracting(column.range(row))
                guard column.isPresent(row), let value = CanonicalScanner.find(condition.path.keys, in: object) else {
                    present[row] = false
                    continue
                }
                present[row] = condition.values.contains { $0.matches(object, value) }
            }
        }
        keep = present
    }
}

/// A path with its keys escaped as they stand in canonical text.
struct PreparedPath {
    let root: AttributePath.Root
    let keys: [[UInt8]]

    init(_ path: AttributePath) {
        root = path.root
        keys = path.keys.map { key in
            var escaped: [UInt8] = []
            CanonicalScanner.appendEscaped(key, to: &escaped)
            return escaped
        }
    }

    var selection: ColumnSelection { root == .commandArguments ? .arguments : .object }

    func column(of batch: ColumnBatch) -> ByteColumn? {
        root == .commandArguments ? batch.arguments : batch.objects
    }
}

/// A wanted attribute value: equal to a string of that text, or to another scalar whose canonical text it is.
struct PreparedValue {
    private let text: [UInt8]
    private let escaped: [UInt8]

    init(_ text: [UInt8]) {
        self.text = text
        var escaped: [UInt8] = []
        CanonicalScanner.appendEscaped(text, to: &escaped)
        self.escaped = escaped
    }

    func matches(_ object: RawSpan, _ value: Range<Int>) -> Bool {
        switch AttributeValue(object, value) {
        case .string(let inner): CanonicalScanner.equal(object, inner, escaped)
        case .scalar: CanonicalScanner.equal(object, value, text)
        case .missing: false
        }
    }
}

/// What a value means to filters and groups. Null, objects and arrays count as missing.
enum AttributeValue {
    /// Between the quotes, still escaped.
    case string(Range<Int>)
    case scalar(Range<Int>)
    case missing

    init(_ object: RawSpan, _ value: Range<Int>) {
        var reader = ByteReader(at: value.lowerBound)
        switch try? reader.uint8(object) {
        case UInt8(ascii: "\""): self = .string(value.lowerBound + 1..<value.upperBound - 1)
        case nil, UInt8(ascii: "n"), UInt8(ascii: "{"), UInt8(ascii: "["): self = .missing
        default: self = .scalar(value)
        }
    }
}

extension QueryDimension {
    /// The columns it stands in.
    var selection: ColumnSelection {
        switch self {
        case .name: .name
        case .kind: .kind
        case .user: .user
        case .team: .team
        case .session: .session
        case .status: .status
        case .attribute(let path): PreparedPath(path).selection
        }
    }

    /// Nil for what is not in a code column.
    func column(of batch: ColumnBatch) -> CodeColumn? {
        switch self {
        case .name: batch.names
        case .kind: batch.kinds
        case .user: batch.users
        case .team: batch.teams
        case .session: batch.sessions
        case .status, .attribute: nil
        }
    }
}
