internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment

/// A path with its keys escaped as they stand in canonical text.
struct PreparedPath: Sendable {
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
struct PreparedValue: Sendable {
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
