package import DaybookFormat

extension SessionState {
    private struct Parts: OptionSet {
        let rawValue: UInt8
        static let team = Parts(rawValue: 1)
        static let end = Parts(rawValue: 2)
        static let abandoned = Parts(rawValue: 4)
        static let duration = Parts(rawValue: 8)
        static let commands = Parts(rawValue: 16)
        static let score = Parts(rawValue: 32)
        static let context = Parts(rawValue: 64)
        static let known = Parts(rawValue: 127)
    }

    /// Equal states have equal bytes: a byte that says which optional parts follow; id, user and, if present, team as
    /// length-prefixed strings; start, creation and update as 64-bit microseconds; then, if present, end (64 bits), stated
    /// duration (64 bits), commands (varint), score (9 bytes); agents as a varint count and strings; context as a string.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        var parts: Parts = []
        if team != nil { parts.insert(.team) }
        if endedAt != nil { parts.insert(.end) }
        if endedAsAbandoned { parts.insert(.abandoned) }
        if statedDurationNanoseconds != nil { parts.insert(.duration) }
        if commandsExecuted != nil { parts.insert(.commands) }
        if productivityScore != nil { parts.insert(.score) }
        if context != nil { parts.insert(.context) }
        bytes.append(parts.rawValue)
        Self.append(id, to: &bytes)
        Self.append(user, to: &bytes)
        if let team { Self.append(team, to: &bytes) }
        bytes.append(littleEndian: startedAt.microseconds)
        bytes.append(littleEndian: createdAt.microseconds)
        bytes.append(littleEndian: updatedAt.microseconds)
        if let endedAt { bytes.append(littleEndian: endedAt.microseconds) }
        if let statedDurationNanoseconds { bytes.append(littleEndian: statedDurationNanoseconds) }
        if let commandsExecuted { bytes.append(varint: commandsExecuted) }
        productivityScore?.append(to: &bytes)
        bytes.append(varint: UInt64(agentsUsed.count))
        for agent in agentsUsed { Self.append(agent, to: &bytes) }
        if let context { Self.append(context, to: &bytes) }
        return bytes
    }

    private static func append(_ string: [UInt8], to bytes: inout [UInt8]) {
        string.withRawSpan { bytes.append(lengthPrefixed: $0) }
    }

    /// Reads what `encoded` wrote, all of it.
    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        let parts = Parts(rawValue: try reader.uint8(bytes))
        guard parts.isSubset(of: .known), parts.contains(.end) || !parts.contains(.abandoned) else {
            throw .invalid("session state parts")
        }
        let id = try Self.string(&reader, bytes)
        let user = try Self.string(&reader, bytes)
        let team = parts.contains(.team) ? try Self.string(&reader, bytes) : nil
        let startedAt = Timestamp(microseconds: try reader.int64(bytes))
        let createdAt = Timestamp(microseconds: try reader.int64(bytes))
        let updatedAt = Timestamp(microseconds: try reader.int64(bytes))
        let endedAt = parts.contains(.end) ? Timestamp(microseconds: try reader.int64(bytes)) : nil
        let duration = parts.contains(.duration) ? try reader.uint64(bytes) : nil
        let commands = parts.contains(.commands) ? try reader.varint(bytes) : nil
        let score = parts.contains(.score) ? try EventNumber(&reader, bytes) : nil
        var agents: [[UInt8]] = []
        let agentCount = try reader.varint(bytes)
        while agents.count < agentCount { agents.append(try Self.string(&reader, bytes)) }
        let context = parts.contains(.context) ? try Self.string(&reader, bytes) : nil
        guard reader.isAtEnd(bytes) else { throw .invalid("session state length") }
        self.init(
            id: id, user: user, team: team, startedAt: startedAt, createdAt: createdAt, updatedAt: updatedAt,
            endedAt: endedAt, endedAsAbandoned: parts.contains(.abandoned), statedDurationNanoseconds: duration,
            commandsExecuted: commands, agentsUsed: agents, productivityScore: score, context: context)
    }

    private static func string(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> [UInt8] {
        bytes.toArray(try reader.lengthPrefixedRange(bytes))
    }
}
