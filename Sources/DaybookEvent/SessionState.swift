package import DaybookFormat

/// What a session is now.
package enum SessionStatus: UInt8, CaseIterable, Sendable, Hashable {
    case active
    case completed
    case abandoned

    package var name: String {
        switch self {
        case .active: "active"
        case .completed: "completed"
        case .abandoned: "abandoned"
        }
    }
}

/// The present state of one session, reduced from its changes in sequence order. Sealing carries it along, and answers
/// about sessions are made of it.
package struct SessionState: Equatable, Sendable {
    /// Empty before the first change.
    package private(set) var id: [UInt8] = []
    /// Of the first change.
    package private(set) var user: [UInt8] = []
    /// Of the first change that has one.
    package private(set) var team: [UInt8]?
    /// Event time of the first change.
    package private(set) var startedAt = Timestamp(microseconds: 0)
    /// Event time of the change that ended it, the first one if there are several.
    package private(set) var endedAt: Timestamp?
    /// Whether it was ended as `abandoned`. A session that is only idle is abandoned by `status(at:)` alone.
    package private(set) var endedAsAbandoned = false
    /// The duration that a change stated, the last one if several did.
    package private(set) var statedDurationNanoseconds: UInt64?
    package private(set) var commandsExecuted: UInt64?
    /// Every agent that a change named, once, in order of first appearance.
    package private(set) var agentsUsed: [[UInt8]] = []
    package private(set) var productivityScore: EventNumber?
    /// Canonical JSON: the top-level keys of all changes, of the last one that has the key. Nil when none had a context.
    package private(set) var context: [UInt8]?
    /// Arrival of the first change.
    package private(set) var createdAt = Timestamp(microseconds: 0)
    /// Arrival of the last change.
    package private(set) var updatedAt = Timestamp(microseconds: 0)

    /// The parts of a state that was stored.
    init(
        id: [UInt8], user: [UInt8], team: [UInt8]?, startedAt: Timestamp, createdAt: Timestamp, updatedAt: Timestamp,
        endedAt: Timestamp?, endedAsAbandoned: Bool, statedDurationNanoseconds: UInt64?, commandsExecuted: UInt64?,
        agentsUsed: [[UInt8]], productivityScore: EventNumber?, context: [UInt8]?
    ) {
        self.id = id
        self.user = user
        self.team = team
        self.startedAt = startedAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.endedAt = endedAt
        self.endedAsAbandoned = endedAsAbandoned
        self.statedDurationNanoseconds = statedDurationNanoseconds
        self.commandsExecuted = commandsExecuted
        self.agentsUsed = agentsUsed
        self.productivityScore = productivityScore
        self.context = context
    }

    /// The state before the first change.
    package init() {}

    /// Takes in the next change of the same session. Counts, scores and durations are replaced, agents united, contexts
    /// merged by their top-level keys. An end is final: later changes are taken in but do not open the session again.
    /// - Parameters:
    ///   - fields: of a session change.
    ///   - bytes: the encoding that `fields` was read from.
    package mutating func apply(fields: EventFields, bytes: RawSpan, arrival: Timestamp) {
        precondition(fields.family == .sessionChange)
        if id.isEmpty {
            id = bytes.toArray(fields.name)
            user = bytes.toArray(fields.user)
            startedAt = fields.timestamp
            createdAt = arrival
            updatedAt = arrival
        }
        updatedAt = max(updatedAt, arrival)
        if team == nil, let range = fields.team { team = bytes.toArray(range) }
        if let count = fields.commandsExecuted { commandsExecuted = count }
        if let score = fields.productivityScore { productivityScore = score }
        if fields.flags.contains(.totalDuration) { statedDurationNanoseconds = fields.durationNanoseconds }
        for range in fields.agentRanges(bytes) {
            let agent = bytes.toArray(range)
            if !agentsUsed.contains(agent) { agentsUsed.append(agent) }
        }
        if let range = fields.object { merge(context: bytes.toArray(range)) }
        if fields.status == SessionChangeKind.ended.rawValue, endedAt == nil {
            endedAt = fields.timestamp
            endedAsAbandoned = fields.flags.contains(.abandoned)
        }
    }

    /// - Parameters:
    ///   - now: an active session whose last change arrived more than `idleMicroseconds` before it is abandoned.
    package func status(at now: Timestamp, idleMicroseconds: Int64) -> SessionStatus {
        if endedAt != nil { return endedAsAbandoned ? .abandoned : .completed }
        return updatedAt.adding(microseconds: idleMicroseconds) < now ? .abandoned : .active
    }

    /// Whether a change ended it.
    package var hasEnded: Bool { endedAt != nil }

    /// Whether no further change may follow: it was ended, or idle for longer than that.
    package func isEnded(at now: Timestamp, idleMicroseconds: Int64) -> Bool {
        status(at: now, idleMicroseconds: idleMicroseconds) != .active
    }

    /// The stated duration, else the time from start to end, at least 0; nil while there is neither.
    package var totalDurationNanoseconds: UInt64? {
        if let statedDurationNanoseconds { return statedDurationNanoseconds }
        guard let endedAt else { return nil }
        let (span, overflow) = endedAt.microseconds.subtractingReportingOverflow(startedAt.microseconds)
        guard !overflow, span > 0 else { return 0 }
        return UInt64(span).multipliedReportingOverflow(by: 1_000).overflow ? .max : UInt64(span) * 1_000
    }

    /// What of the change that was applied last makes the state larger than one event may be: the field, and a message
    /// with the limit. Nil when nothing does. Contexts are merged by whole top-level values, so no nested object grows.
    /// - Parameter fields: of that change; what it does not name, it has not made larger.
    package func excess(after fields: EventFields) -> (field: String, message: String)? {
        if fields.flags.contains(.agentsUsed), agentsUsed.count > Limits.agentsUsedCountMax {
            return ("agents_used", "would make the session hold more than \(Limits.agentsUsedCountMax) names")
        }
        guard fields.object != nil, let context else { return nil }
        guard context.count <= Limits.objectByteCountMax else {
            return ("context", "would make the session's longer than \(Limits.objectByteCountMax >> 10) KiB")
        }
        guard Self.memberCount(context) <= Limits.objectKeyCountMax else {
            return ("context", "would make the session's hold more than \(Limits.objectKeyCountMax) keys")
        }
        return nil
    }

    private static func memberCount(_ object: [UInt8]) -> Int {
        object.withRawSpan { (bytes: RawSpan) in
            var members = CanonicalScanner.Members(bytes)
            var count = 0
            while members?.next(bytes) != nil { count += 1 }
            return count
        }
    }

    private mutating func merge(context added: [UInt8]) {
        guard let present = context else {
            context = added
            return
        }
        context = present.withRawSpan { (old: RawSpan) in
            added.withRawSpan { (new: RawSpan) in Self.merging(old, new) }
        }
    }

    /// Both are canonical objects, their keys in order, so one walk over both keeps the order.
    private static func merging(_ old: RawSpan, _ new: RawSpan) -> [UInt8] {
        var oldMembers = CanonicalScanner.Members(old)
        var newMembers = CanonicalScanner.Members(new)
        var left = oldMembers?.next(old)
        var right = newMembers?.next(new)
        var merged: [UInt8] = [UInt8(ascii: "{")]
        while left != nil || right != nil {
            if merged.count > 1 { merged.append(UInt8(ascii: ",")) }
            let order = order(of: left?.key, old, right?.key, new)
            if order < 0, let member = left {
                append(member, of: old, to: &merged)
            } else if let member = right {
                append(member, of: new, to: &merged)
            }
            if order <= 0 { left = oldMembers?.next(old) }
            if order >= 0 { right = newMembers?.next(new) }
        }
        merged.append(UInt8(ascii: "}"))
        return merged
    }

    private static func append(
        _ member: (key: Range<Int>, value: Range<Int>), of bytes: RawSpan, to merged: inout [UInt8]
    ) {
        merged.append(bytes.extracting(member.key.lowerBound - 1..<member.value.upperBound))
    }

    /// Below zero when the left key comes first; a missing key comes last.
    private static func order(of left: Range<Int>?, _ old: RawSpan, _ right: Range<Int>?, _ new: RawSpan) -> Int {
        guard let left else { return 1 }
        guard let right else { return -1 }
        var leftKey: [UInt8] = []
        var rightKey: [UInt8] = []
        CanonicalScanner.appendUnescaped(old, left, to: &leftKey)
        CanonicalScanner.appendUnescaped(new, right, to: &rightKey)
        if leftKey == rightKey { return 0 }
        return leftKey.lexicographicallyPrecedes(rightKey) ? -1 : 1
    }
}
