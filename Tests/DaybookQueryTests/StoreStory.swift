import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookRollup
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Synchronization

@testable import DaybookQuery
@testable import DaybookStore

/// A real store on a simulated disk that seals, merges, expires, forgets users and starts anew as a test says, with
/// everything that went into it in a plain array.
final class StoreStory {
    static let log = LogID(16)
    static let organization = OrganizationID("acme")!
    static let families: [Family] = [.commandExecution, .agentInteraction, .productivityMetric]

    let disk = SimulatedDisk(seed: 1)
    let clock: ManualClock
    private(set) var store: Store
    private var events: RandomEvents
    private(set) var model = ModelStore()
    private(set) var erasures: [Erasure] = []
    private let hasSessions: Bool
    private let options: StoreOptions
    private let sink = Outcomes()
    private var ticket: UInt64 = 0

    /// A user who is to be forgotten, or was.
    struct Erasure {
        var user: [UInt8]
        var record: ErasureRecord
        /// What was in history files by then, for each family: sums without regard to users keep it.
        var history: [Family: [ClosedRange<UInt64>]]
    }

    private final class Outcomes: AcknowledgementSink {
        private let outcomes = Mutex<[UInt64: CommitOutcome]>([:])

        func acknowledge(_ outcomes: [Acknowledged]) {
            self.outcomes.withLock { known in
                for item in outcomes { known[item.ticket] = item.outcome }
            }
        }

        func take(_ ticket: UInt64) -> CommitOutcome? { outcomes.withLock { $0.removeValue(forKey: ticket) } }
    }

    private enum Failure: Error { case refused, doesNotEnd }

    /// - Parameters:
    ///   - historyDays: for so long sums are kept of what has expired; 0: as long as the events.
    ///   - hasSessions: whether every third group is a change of a session.
    init(seed: UInt64, historyDays: UInt32 = 0, hasSessions: Bool = false) throws {
        events = RandomEvents(seed: seed)
        events.sessionsHaveOneUser = true
        self.hasSessions = hasSessions
        clock = ManualClock(wallMicroseconds: events.arrival)
        var options = StoreOptions()
        options.journalFileByteCount = 2 << 20
        options.logFileByteCount = 2 << 20
        options.checkpointByteCount = 2 << 20
        options.sealRowCountMin = 1
        options.retention = RetentionPolicy(commands: 2, agents: 3, sessions: 0, productivity: 2)
        options.retention.historyDays = historyDays
        self.options = options
        try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: options)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: options)
        try act([.organizationCreated(Self.organization, log: Self.log, at: now)])
    }

    private func commit(_ group: GroupBuilder) -> CommitOutcome? {
        ticket += 1
        store.submit(Submission(group: group, sink: sink, ticket: ticket))
        while store.machine.stepCommitter() == .committed {}
        return sink.take(ticket)
    }

    private func act(_ acts: [ControlEvent]) throws {
        guard case .committed(let firstSequence, _) = commit(ControlEvent.group(of: acts, at: now)) else {
            throw Failure.refused
        }
        store.take(acts, from: firstSequence)
    }

    /// What to do next.
    func step(of count: Int) -> Int { events.random.below(count) }

    /// Groups of up to 40 events, with some seconds in between.
    func append(_ count: Int) throws {
        var left = count
        while left > 0 {
            events.passTime()
            keepTime()
            let isChange = hasSessions && events.random.oneIn(3)
            let families = isChange ? [.sessionChange] : Self.families
            try appendGroup(of: isChange ? 1 : min(left, 1 + events.random.below(40)), families, &left)
        }
    }

    private func appendGroup(of count: Int, _ families: [Family], _ left: inout Int) throws {
        let arrival = Timestamp(microseconds: events.arrival)
        var group = GroupBuilder(log: Self.log, arrival: arrival)
        var encodings: [(Family, [UInt8])] = []
        for _ in 0..<count {
            let family = families[events.random.below(families.count)]
            let encoding = events.encoding(family)
            encoding.withRawSpan { group.append(family, schemaVersion: EventLayout.schemaVersion, encoding: $0) }
            encodings.append((family, encoding))
        }
        switch commit(group) {
        case .committed: break
        // A session that is over, or whose beginning was forgotten: the store takes no more of it.
        case .refused(.sessionEnded) where families == [.sessionChange]: return
        case .refused(.sessionNotFound) where families == [.sessionChange]: return
        default: throw Failure.refused
        }
        for (family, encoding) in encodings {
            try model.append(family, sequence: model.lastSequence + 1, arrival: arrival, encoding: encoding)
        }
        left -= count
    }

    func passTime(hours: Int) {
        events.passTime(hours: hours)
        keepTime()
    }

    /// The clock of the store is never behind that of the events.
    private func keepTime() {
        let ahead = events.arrival - clock.wallMicroseconds()
        if ahead > 0 { clock.advance(microseconds: UInt64(ahead)) }
    }

    var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    private func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    /// Everything that is not sealed becomes a range.
    func seal() throws {
        checkpoint()
        try store.registry.with(Self.log) { $0.roll() }
        store.shared.addSealable(Self.log)
        while store.machine.stepSealer() {}
    }

    /// A user, or one of them, is to be forgotten with everything that is there of theirs by now. `maintain` does so.
    func erase(_ user: String? = nil) throws {
        let user = user ?? events.random.pick(["ann", "bob", "eve"])
        let (record, acts) = try store.erasureActs(
            of: user, in: Self.organization, entropy: SeededEntropy(seed: 100 + ticket))
        guard !acts.isEmpty else { return }
        let history = Dictionary(grouping: try snapshot().history, by: \.family)
            .mapValues { $0.map { $0.firstSequence...$0.lastSequence } }
        try act(acts)
        erasures.append(Erasure(user: Array(user.utf8), record: record, history: history))
    }

    /// All erasures are begun once more, as for files that came back out of a copy.
    func eraseAgain() throws { try act(erasures.map { .erasureBegun($0.record) }) }

    var isErasing: Bool { store.shared.erasures.hasWork }

    private func isErased(_ event: ModelEvent) -> Bool {
        erasures.contains { $0.user == event.user && event.sequence <= $0.record.through }
    }

    /// The events that neither retention nor an erasure has hidden.
    func visible() throws -> ModelStore {
        let snapshot = try snapshot()
        let visibility = Dictionary(
            uniqueKeysWithValues: Family.ofOrganizations.map { ($0, snapshot.visibility(of: $0)) })
        return try model.keeping { event in
            !isErased(event)
                && visibility[event.family]?.shows(
                    timestamp: event.timestamp, arrival: event.arrival.microseconds) == true
        }
    }

    /// The events that count in questions that the history answers, too.
    /// - Parameter byUser: whether users matter in the question. Where they do not, what had expired before a user was
    ///   forgotten counts on.
    func counted(byUser: Bool) -> [ModelEvent] {
        model.events.filter { event in
            erasures.allSatisfy { erasure in
                erasure.user != event.user || event.sequence > erasure.record.through
                    || !byUser && erasure.history[event.family, default: []].contains { $0.contains(event.sequence) }
            }
        }
    }

    /// Merges what can be merged, forgets who is to be forgotten, and drops what has expired.
    func maintain() throws {
        // Merging rests while the journal has no clean file.
        checkpoint()
        store.shared.maintenance.addPatrolled(Self.log)
        for _ in 0..<100_000 {
            // An erasure waits for everybody else to have written what they hold.
            if isErasing {
                while store.machine.stepCommitter() == .committed {}
                checkpoint()
                while store.machine.stepSealer() {}
            }
            switch store.machine.stepCompactor() {
            case .idle where isErasing: continue
            case .idle: return events.catchUp(with: clock.wallMicroseconds())
            case .worked: continue
            case .resting(let nanoseconds): clock.advance(microseconds: nanoseconds / 1_000 + 1)
            }
        }
        throw Failure.doesNotEnd
    }

    func restart() throws {
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: ticket), options: options)
    }

    func snapshot() throws -> OrganizationSnapshot { try store.snapshot(of: Self.log) }

    /// Makes random questions for this store.
    func withRandom<Value>(_ body: (inout SeededRandom) throws -> Value) rethrows -> Value {
        try body(&events.random)
    }

    /// Changes, cuts or removes a rollup file. False when there is none.
    func damageRollup() throws -> Bool {
        let segments = try snapshot().segments.filter { $0.rollupByteCount > 0 }
        guard !segments.isEmpty else { return false }
        let segment = segments[events.random.below(segments.count)]
        let path = Layout.path(Layout.folder(of: Self.log), segment.rollupPath)
        guard let byteCount = disk.contents(path)?.count, byteCount > 0 else { return false }
        switch events.random.below(3) {
        case 0: disk.corrupt(path, offset: events.random.below(byteCount), xor: 1 << UInt8(events.random.below(8)))
        case 1: disk.truncate(path, to: events.random.below(byteCount))
        default: try disk.remove(path)
        }
        return true
    }

    /// The events that retention has not hidden, unsealed.
    func plain(_ family: Family, _ visibility: RowVisibility) throws -> SplitSource {
        try SplitSource(
            wholeSegments: model.events.filter {
                $0.family == family && visibility.shows(timestamp: $0.timestamp, arrival: $0.arrival.microseconds)
            }, sealedThrough: 0)
    }

    /// A question that rollups can answer, often; bounds are those of windows as often as not.
    func query(_ family: Family) throws -> AggregateQuery {
        var random = events.random
        defer { events.random = random }
        var query = AggregateQuery(family: family, range: range(&random))
        query.window = random.pick(AggregationWindow.allCases)
        let name =
            family == .productivityMetric ? "metric_type" : family == .agentInteraction ? "agent_name" : "command_name"
        let names = [[], [name], ["user_id"], ["team_id"], [name, "user_id"]]
        var groups = names[min(random.below(names.count), random.below(names.count))]
        if family != .productivityMetric, random.oneIn(4) { groups.append("status") }
        query.groupBy = groups.compactMap { name in
            QueryDimension(name, of: family).map { AggregateQuery.Grouping(name, $0) }
        }
        if family != .productivityMetric, random.oneIn(4) { query.filter.isSuccess = random.oneIn(2) }
        if random.oneIn(4) {
            let values = ["build", "lint", "nobody", "coder", "error_rate"].map { Array($0.utf8) }
            query.filter.require(.name, anyOf: [values[0]] + values.filter { _ in random.oneIn(2) })
        }
        if random.oneIn(5) { query.filter.require(.user, anyOf: [Array(random.pick(["ann", "bob"]).utf8)]) }
        if random.oneIn(5) { query.percentiles = [] }
        query.limit = 1_000
        return query
    }

    /// Often one with bounds of windows.
    func range(_ random: inout SeededRandom) -> TimeRange {
        let step: Int64 = random.pick([1, 60_000_000, 3_600_000_000, 86_400_000_000])
        func time() -> Int64 { (clock.wallMicroseconds() - Int64(random.below(90 * 3_600)) * 1_000_000) / step * step }
        if random.oneIn(4) { return .all }
        let (left, right) = (time(), time())
        return TimeRange(
            start: Timestamp(microseconds: min(left, right)), end: Timestamp(microseconds: max(left, right) + step))
    }
}
