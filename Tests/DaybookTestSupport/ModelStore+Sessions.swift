import DaybookEvent
import DaybookFormat

/// One session, reduced the slow way.
package struct ModelSession: Sendable, Equatable {
    package var id: [UInt8]
    package var user: [UInt8]
    package var team: [UInt8]?
    /// Of the first change.
    package var sequence: UInt64
    /// Microseconds since 1970.
    package var start: Int64
    package var end: Int64?
    package var status: String
    /// Nanoseconds.
    package var duration: UInt64?
    package var commandsExecuted: UInt64?
    package var agentsUsed: [[UInt8]]
    package var productivityScore: EventNumber?
    /// Top-level members; nil when no change had a context.
    package var context: [[UInt8]: ParsedJSON]?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

extension ModelStore {
    /// Every session that began in the range, in order of first change.
    package func sessions(from start: Int64, to end: Int64, asOf sequence: UInt64, now: Timestamp) -> [ModelSession] {
        var order: [[UInt8]] = []
        var changes: [[UInt8]: [ModelEvent]] = [:]
        for event in events where event.family == .sessionChange && event.sequence <= sequence {
            let id = event.session ?? []
            if changes[id] == nil { order.append(id) }
            changes[id, default: []].append(event)
        }
        return order.map { Self.session(changes[$0] ?? [], now: now) }.filter { start <= $0.start && $0.start < end }
    }

    private static func session(_ changes: [ModelEvent], now: Timestamp) -> ModelSession {
        let first = changes[0]
        let end = changes.first { $0.status == SessionChangeKind.ended.rawValue }
        let updatedAt = changes.map(\.arrival).max() ?? first.arrival
        let isIdle = now.microseconds - updatedAt.microseconds > Limits.sessionIdleMicroseconds
        var status = isIdle ? "abandoned" : "active"
        if let end { status = end.flags.contains(.abandoned) ? "abandoned" : "completed" }
        var agents: [[UInt8]] = []
        for agent in changes.flatMap(\.agentsUsed) where !agents.contains(agent) { agents.append(agent) }
        let contexts = changes.compactMap { $0.object?.members }
        let stated = changes.last { $0.flags.contains(.totalDuration) }?.duration
        let measured = end.map { UInt64(max(0, $0.timestamp - first.timestamp)) * 1_000 }
        return ModelSession(
            id: first.session ?? [], user: first.user, team: changes.compactMap(\.team).first,
            sequence: first.sequence, start: first.timestamp, end: end?.timestamp, status: status,
            duration: stated ?? measured, commandsExecuted: changes.compactMap(\.commandsExecuted).last,
            agentsUsed: agents, productivityScore: changes.compactMap(\.productivityScore).last,
            context: contexts.isEmpty
                ? nil : contexts.reduce(into: [:]) { merged, object in merged.merge(object) { _, new in new } },
            createdAt: first.arrival, updatedAt: updatedAt)
    }
}
