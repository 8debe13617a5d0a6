package import DaybookFormat
package import DaybookSegment

/// Names a value inside one of the free-form objects of an event.
package struct AttributePath: Hashable, Sendable {
    package enum Root: String, Hashable, Sendable {
        case context
        case metadata
        case dimensions
        case commandArguments = "command_args"
    }

    package let root: Root
    /// Unescaped UTF-8, outermost first; at least one.
    package let keys: [[UInt8]]

    package init(root: Root, keys: [[UInt8]]) {
        precondition(!keys.isEmpty)
        self.root = root
        self.keys = keys
    }

    /// Parses `context.model` or `context.git.branch`: the object, then keys, parted by dots. A key that itself holds a
    /// dot cannot be named this way. Nil for another object, and for an empty key.
    package init?(_ text: String) {
        var parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count >= 2, let root = Root(rawValue: String(decoding: parts.removeFirst(), as: UTF8.self)),
            !parts.contains(where: \.isEmpty)
        else { return nil }
        self.init(root: root, keys: parts)
    }
}

/// What rows can be filtered and grouped by.
package enum QueryDimension: Hashable, Sendable {
    /// Command name, agent name, metric type.
    case name
    /// Interaction type.
    case kind
    case user
    case team
    case session
    case status
    case attribute(AttributePath)

    /// The dimension that a query calls `text`; nil when events of the family have none of that name.
    package init?(_ text: String, of family: Family) {
        if let path = AttributePath(text) {
            guard Self.roots(of: family).contains(path.root) else { return nil }
            self = .attribute(path)
            return
        }
        guard let known = Self.named(of: family).first(where: { $0.name == text }) else { return nil }
        self = known.dimension
    }

    /// What events of a family can be filtered and grouped by, beside attributes.
    package static func names(of family: Family) -> [String] { named(of: family).map(\.name) }

    private static func named(of family: Family) -> [(name: String, dimension: QueryDimension)] {
        let people: [(name: String, dimension: QueryDimension)] = [("user_id", .user), ("team_id", .team)]
        let outcome: [(name: String, dimension: QueryDimension)] = [("session_id", .session), ("status", .status)]
        return switch family {
        case .commandExecution: [("command_name", .name)] + people + outcome
        case .agentInteraction: [("agent_name", .name), ("interaction_type", .kind)] + people + outcome
        case .sessionChange: people + outcome
        case .productivityMetric: [("metric_type", .name)] + people
        case .control: []
        }
    }

    private static func roots(of family: Family) -> [AttributePath.Root] {
        switch family {
        case .commandExecution: [.context, .commandArguments]
        case .agentInteraction: [.metadata]
        case .sessionChange: [.context]
        case .productivityMetric: [.dimensions]
        case .control: []
        }
    }

    /// Bytes that tell dimensions apart, for the hash of a query.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .name: bytes.append(1)
        case .kind: bytes.append(2)
        case .user: bytes.append(3)
        case .team: bytes.append(4)
        case .session: bytes.append(5)
        case .status: bytes.append(6)
        case .attribute(let path):
            bytes.append(7)
            bytes.append(lengthPrefixed: path.root.rawValue)
            bytes.append(varint: UInt64(path.keys.count))
            for key in path.keys { key.withRawSpan { bytes.append(lengthPrefixed: $0) } }
        }
    }
}

/// Which events a query is about. Conditions of different dimensions must all hold.
package struct EventFilter: Hashable, Sendable {
    package struct AnyOf: Hashable, Sendable {
        package var dimension: QueryDimension
        /// UTF-8. A row without a value matches none of them.
        package var values: [[UInt8]]

        package init(_ dimension: QueryDimension, _ values: [[UInt8]]) {
            self.dimension = dimension
            self.values = values
        }
    }

    /// Which rows somebody may see who may not see all.
    package struct Rows: Hashable, Sendable {
        /// UTF-8. Events of this user,
        package var user: [UInt8]
        /// and those that belong to one of these teams.
        package var teams: [[UInt8]]

        package init(user: [UInt8], teams: [[UInt8]] = []) {
            self.user = user
            self.teams = teams
        }
    }

    /// Nil: all of them.
    package var rows: Rows?
    package var conditions: [AnyOf] = []
    /// Commands and agents: only status `success`, or only the others.
    package var isSuccess: Bool?
    /// Nanoseconds, inclusive. Events without a duration never match.
    package var durationMin: UInt64?
    package var durationMax: UInt64?

    /// All of its tokens must stand in the error message or in strings of the free-form objects.
    package var search: TokenSearch?

    package init() {}

    /// Adds to the values of a dimension: a parameter that is repeated means any of its values.
    package mutating func require(_ dimension: QueryDimension, anyOf values: [[UInt8]]) {
        if let position = conditions.firstIndex(where: { $0.dimension == dimension }) {
            conditions[position].values += values
        } else {
            conditions.append(AnyOf(dimension, values))
        }
    }

    func append(to bytes: inout [UInt8]) {
        for condition in conditions {
            condition.dimension.append(to: &bytes)
            bytes.append(varint: UInt64(condition.values.count))
            for value in condition.values { value.withRawSpan { bytes.append(lengthPrefixed: $0) } }
        }
        bytes.append(0)
        bytes.append(isSuccess.map { $0 ? 2 : 1 } ?? 0)
        bytes.append(durationMin == nil ? 0 : 1)
        bytes.append(littleEndian: durationMin ?? 0)
        bytes.append(durationMax == nil ? 0 : 1)
        bytes.append(littleEndian: durationMax ?? 0)
        bytes.append(varint: UInt64(search?.tokens.count ?? 0))
        for token in search?.tokens ?? [] { token.withRawSpan { bytes.append(lengthPrefixed: $0) } }
        guard let rows else { return }
        for text in [rows.user] + rows.teams { text.withRawSpan { bytes.append(lengthPrefixed: $0) } }
    }
}
