import DaybookEvent
import DaybookFormat
import DaybookQuery
import DaybookStore
import DaybookTestSupport

/// What stands at the end of a story: files that are sound, rollups that are what their rows say, and answers that are
/// those of the ledger.
extension StoreSimulation {
    func checkFiles() throws {
        let report = try StoreCheck(disk: disk, isServed: { false }).run()
        guard report.isSound else { throw fail("the store is not sound: \(report.findings)") }
        let rollups = try RollupCheck(disk: disk, isServed: { false }).run()
        guard rollups.isSound else { throw fail("rollups say something else: \(rollups.findings)") }
    }

    /// Precondition: `look` was at the log since anything was stored or forgotten.
    mutating func ask(_ log: LogID) throws {
        guard let model = models[log] else { return }
        var known: [ModelEvent] = []
        for (index, event) in model.stored.enumerated() where !model.mayBeMissing(index) {
            known.append(
                try ModelEvent(
                    family: event.family, sequence: UInt64(index) + 1, arrival: event.arrival,
                    encoding: event.encoding))
        }
        for family in [Family.commandExecution, .agentInteraction, .productivityMetric] {
            let events = known.filter { $0.family == family }
            try compareSums(log, family, events)
            try compareList(log, family, events)
        }
        try compareHistory(log, model)
        let sessions = Set(known.compactMap { $0.family == .sessionChange ? $0.session : nil })
        var query = AggregateQuery(family: .sessionChange, range: .all)
        query.window = .total
        let counted = try query.answer(from: try store.snapshot(of: log), now: now).items.reduce(0) { $0 + $1.count }
        guard counted <= sessions.count else {
            throw fail("\(counted) sessions, of \(sessions.count) there are events")
        }
    }

    private var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    /// By user, and by minute: the first out of rows, the second out of rollups where they can answer.
    private func compareSums(_ log: LogID, _ family: Family, _ events: [ModelEvent]) throws {
        var query = AggregateQuery(family: family, range: .all)
        query.limit = 1_000
        query.window = .total
        query.source = .raw
        query.groupBy = [.init("user_id", .user)]
        var users: [[UInt8]: [ModelEvent]] = [:]
        for event in events { users[event.user, default: []].append(event) }
        let byUser = try query.answer(from: try store.snapshot(of: log), now: now)
        guard byUser.items.count == users.count, byUser.warnings.isEmpty else {
            throw fail("log \(log.rawValue), \(family): \(byUser.items.count) users are counted, not \(users.count)")
        }
        for item in byUser.items {
            let members = item.group[0].flatMap { users[$0] } ?? []
            let duration = members.reduce(0) { $0 + UInt128($1.duration) }
            let tokens = members.reduce(0) { $0 + UInt128($1.inputTokens) }
            guard item.count == UInt64(members.count), item.durations.sum == duration, item.inputTokens == tokens
            else { throw fail("log \(log.rawValue), \(family): other sums of a user") }
        }
        query.window = .fiveMinutes
        query.source = .auto
        query.groupBy = []
        let byTime = try query.answer(from: try store.snapshot(of: log), now: now)
        let wanted = Set(events.map { $0.timestamp / 300_000_000 })
        guard byTime.items.reduce(0, { $0 + $1.count }) == UInt64(events.count), byTime.items.count == wanted.count
        else { throw fail("log \(log.rawValue), \(family): other counts by time, \(byTime.source)") }
    }

    /// What has expired counts in sums over whole days, whether rows, rollups, history files or merged ones know it, and
    /// whoever was forgotten does not.
    private mutating func compareHistory(_ log: LogID, _ model: LogModel) throws {
        let history = try store.snapshot(of: log).history
        mergedHistoryAskedSeen += history.count { mergedHistory[log, default: []].contains($0.path) }
        for family in [Family.commandExecution, .agentInteraction, .productivityMetric] {
            var users: [[UInt8]: [ModelEvent]] = [:]
            var isWhole = true
            for (index, event) in model.stored.enumerated() where event.family == family {
                guard !model.isForgotten(index) else {
                    isWhole = false
                    continue
                }
                users[Array(event.user.utf8), default: []].append(
                    try ModelEvent(
                        family: family, sequence: UInt64(index) + 1, arrival: event.arrival, encoding: event.encoding))
            }
            var query = AggregateQuery(family: family, range: .all)
            query.limit = 1_000
            query.window = .total
            query.groupBy = [.init("user_id", .user)]
            let answer = try query.answer(from: try store.snapshot(of: log), now: now)
            let place = "log \(log.rawValue), \(family), history of \(history.count) files"
            guard answer.warnings.isEmpty, answer.items.count == users.count else {
                throw fail("\(place): \(answer.items.count) users are counted, not \(users.count)")
            }
            for item in answer.items {
                let members = item.group[0].flatMap { users[$0] } ?? []
                let duration = members.reduce(0) { $0 + UInt128($1.duration) }
                guard item.count == UInt64(members.count), item.durations.sum == duration else {
                    throw fail("\(place): \(item.count) events of a user, not \(members.count), or other sums")
                }
            }
            // Sums without regard to users keep what had expired before its user was forgotten.
            query.window = .oneDay
            query.groupBy = []
            let days = try query.answer(from: try store.snapshot(of: log), now: now)
            let count = days.items.reduce(0) { $0 + $1.count }
            let known = users.values.reduce(0) { $0 + UInt64($1.count) }
            guard days.warnings.isEmpty, isWhole ? count == known : count >= known else {
                throw fail("\(place): \(count) events by day, not \(known)")
            }
        }
    }

    private func compareList(_ log: LogID, _ family: Family, _ events: [ModelEvent]) throws {
        var query = ListQuery(family: family, range: .all)
        query.limit = 100
        let answer = try query.answer(from: try store.snapshot(of: log), now: now)
        guard case .events(let listed) = answer.items else { throw fail("a list of something else") }
        let wanted = ModelStore.inOrder(events, newestFirst: true).prefix(query.limit)
        guard listed.map(\.sequence) == wanted.map(\.sequence), listed.map(\.encoding) == wanted.map(\.encoding) else {
            throw fail("log \(log.rawValue), \(family): another list")
        }
    }
}
