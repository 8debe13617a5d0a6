import DaybookEvent
import DaybookFormat
import DaybookRollup
import DaybookTestSupport
import Testing

@testable import DaybookQuery

/// Whole answers beside those of the plain array.
enum ModelComparison {
    private struct Key: Hashable {
        var bucket: Int64
        var group: [[UInt8]?]
    }

    /// - Parameters:
    ///   - items: of all pages.
    ///   - events: everything that counts, of any family and time.
    static func expect(
        _ items: [AggregateItem], _ query: AggregateQuery, equal events: [ModelEvent],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var expected: [Key: [ModelEvent]] = [:]
        for event in events where isAsked(event, query.family, query.range, query.filter) {
            let bucket = ModelAnswers.bucket(event.timestamp, query.window, query.range)
            let group = query.groupBy.map { ModelAnswers.value(of: $0.dimension, in: event) }
            expected[Key(bucket: bucket.0, group: group), default: []].append(event)
        }
        #expect(items.count == expected.count, sourceLocation: sourceLocation)
        for item in items {
            let key = Key(bucket: item.bucketStart.microseconds, group: item.group)
            let members = try #require(expected[key], sourceLocation: sourceLocation)
            let bucket = ModelAnswers.bucket(members[0].timestamp, query.window, query.range)
            #expect(item.bucketEnd.microseconds == bucket.1, sourceLocation: sourceLocation)
            #expect(item.isPartial == bucket.2, sourceLocation: sourceLocation)
            #expect(item.count == UInt64(members.count), sourceLocation: sourceLocation)
            if query.family == .productivityMetric {
                try checkValues(item, members, sourceLocation)
            } else {
                try checkDurations(item, query.percentiles.isEmpty, members, sourceLocation)
            }
        }
        let order = items.map { ($0.bucketStart, $0.group) }
        for (left, right) in zip(order, order.dropFirst()) {
            #expect(isBefore(left, right), sourceLocation: sourceLocation)
        }
    }

    private static func isAsked(
        _ event: ModelEvent, _ family: Family, _ range: TimeRange, _ filter: EventFilter
    ) -> Bool {
        event.family == family && range.start.microseconds <= event.timestamp
            && event.timestamp < range.end.microseconds && ModelAnswers.matches(filter, event)
    }

    private static func isBefore(_ left: (Timestamp, [[UInt8]?]), _ right: (Timestamp, [[UInt8]?])) -> Bool {
        if left.0 != right.0 { return left.0 < right.0 }
        for (first, second) in zip(left.1, right.1) where first != second {
            guard let first else { return true }
            guard let second else { return false }
            return first.lexicographicallyPrecedes(second)
        }
        return false
    }

    private static func checkDurations(
        _ item: AggregateItem, _ isWithoutPercentiles: Bool, _ members: [ModelEvent], _ location: SourceLocation
    ) throws {
        let durations = members.map(\.duration)
        #expect(item.durations.sum == durations.reduce(0) { $0 + UInt128($1) }, sourceLocation: location)
        #expect(item.durations.minimum == durations.min(), sourceLocation: location)
        #expect(item.durations.maximum == durations.max(), sourceLocation: location)
        let counts = (0..<4).map { status in UInt64(members.count { $0.status == status }) }
        let statuses = item.statuses
        #expect(
            [statuses.success, statuses.error, statuses.timeout, statuses.cancelled] == counts,
            sourceLocation: location)
        #expect(item.inputTokens == members.reduce(0) { $0 + UInt128($1.inputTokens) }, sourceLocation: location)
        #expect(item.outputTokens == members.reduce(0) { $0 + UInt128($1.outputTokens) }, sourceLocation: location)
        guard !isWithoutPercentiles else { return }
        for (position, percent) in [50, 95, 99].enumerated() {
            let exact = Double(ModelStore.percentile(percent, of: durations))
            let answer = try #require(item.percentiles[position], sourceLocation: location)
            // Below a microsecond all durations share a bucket.
            #expect(abs(answer - exact) <= max(exact * 0.010_831, 1_000), sourceLocation: location)
        }
    }

    private static func checkValues(
        _ item: AggregateItem, _ members: [ModelEvent], _ location: SourceLocation
    ) throws {
        let values = members.compactMap(\.value)
        var sum = ExactSum()
        for value in values.reversed() {
            switch value {
            case .unsigned(let number): sum.add(number)
            case .negative(let number): sum.add(number)
            case .double(let number): sum.add(number)
            }
        }
        #expect(item.values.sum == sum, sourceLocation: location)
        let doubles = values.map(\.doubleValue)
        #expect(item.values.minimum?.doubleValue == doubles.min(), sourceLocation: location)
        #expect(item.values.maximum?.doubleValue == doubles.max(), sourceLocation: location)
        guard !item.percentiles.isEmpty else { return }
        for (position, percent) in [50, 95, 99].enumerated() {
            let exact = ModelStore.percentile(percent, of: doubles)
            let answer = try #require(item.percentiles[position], sourceLocation: location)
            #expect(abs(answer - exact) <= abs(exact) * 0.010_831, sourceLocation: location)
        }
    }

    // MARK: - Lists

    /// The events of a list in its order. Not for sessions.
    static func listed(_ query: ListQuery, of events: [ModelEvent]) -> [ModelEvent] {
        let asked = events.filter { isAsked($0, query.family, query.range, query.filter) }
        return ModelStore.inOrder(asked, newestFirst: query.order == .newestFirst)
    }

    // MARK: - Sessions

    /// The sessions of a list in its order.
    static func sessions(_ query: ListQuery, of model: ModelStore, _ now: Timestamp) -> [ModelSession] {
        let sessions = sessions(query.range, query.filter, of: model, now)
            .sorted { ($0.start, $0.sequence) < ($1.start, $1.sequence) }
        return query.order == .newestFirst ? sessions.reversed() : sessions
    }

    private static func sessions(
        _ range: TimeRange, _ filter: EventFilter, of model: ModelStore, _ now: Timestamp
    ) -> [ModelSession] {
        model.sessions(
            from: range.start.microseconds, to: range.end.microseconds, asOf: model.lastSequence, now: now
        ).filter { ModelAnswers.matches(filter, $0) }
    }

    static func expect(
        _ listed: ListedSession, equals model: ModelSession, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(listed.sequence == model.sequence, sourceLocation: sourceLocation)
        #expect(listed.status.name == model.status, sourceLocation: sourceLocation)
        let state = listed.state
        #expect(state.id == model.id, sourceLocation: sourceLocation)
        #expect(state.user == model.user, sourceLocation: sourceLocation)
        #expect(state.team == model.team, sourceLocation: sourceLocation)
        #expect(state.startedAt.microseconds == model.start, sourceLocation: sourceLocation)
        #expect(state.endedAt?.microseconds == model.end, sourceLocation: sourceLocation)
        #expect(state.totalDurationNanoseconds == model.duration, sourceLocation: sourceLocation)
        #expect(state.commandsExecuted == model.commandsExecuted, sourceLocation: sourceLocation)
        #expect(state.agentsUsed == model.agentsUsed, sourceLocation: sourceLocation)
        #expect(state.productivityScore == model.productivityScore, sourceLocation: sourceLocation)
        let context = try state.context.map { try ParsedJSON(parsing: $0) }
        #expect(context == model.context.map { .object($0) }, sourceLocation: sourceLocation)
        #expect(state.createdAt == model.createdAt, sourceLocation: sourceLocation)
        #expect(state.updatedAt == model.updatedAt, sourceLocation: sourceLocation)
    }

    /// Counts of sessions by bucket and group.
    static func expect(
        _ items: [AggregateItem], _ query: AggregateQuery, equalSessionsOf model: ModelStore, _ now: Timestamp,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var expected: [Key: [ModelSession]] = [:]
        for session in sessions(query.range, query.filter, of: model, now) {
            let bucket = ModelAnswers.bucket(session.start, query.window, query.range)
            let group = query.groupBy.map { ModelAnswers.value(of: $0.dimension, in: session) }
            expected[Key(bucket: bucket.0, group: group), default: []].append(session)
        }
        #expect(items.count == expected.count, sourceLocation: sourceLocation)
        for item in items {
            let key = Key(bucket: item.bucketStart.microseconds, group: item.group)
            let members = try #require(expected[key], sourceLocation: sourceLocation)
            let durations = members.compactMap(\.duration)
            #expect(item.count == UInt64(members.count), sourceLocation: sourceLocation)
            #expect(
                item.durations.sum == durations.reduce(0) { $0 + UInt128($1) }, sourceLocation: sourceLocation)
            #expect(item.durations.count == UInt64(durations.count), sourceLocation: sourceLocation)
            let counts = try #require(item.sessions, sourceLocation: sourceLocation)
            let states = ["active", "completed", "abandoned"].map { state in
                UInt64(members.count { $0.status == state })
            }
            #expect([counts.active, counts.completed, counts.abandoned] == states, sourceLocation: sourceLocation)
        }
    }
}

extension ModelStore {
    /// What is left of it: as if the other events had never been there.
    func keeping(_ isKept: (ModelEvent) -> Bool) throws -> ModelStore {
        var left = ModelStore()
        for event in events where isKept(event) {
            try left.append(event.family, sequence: event.sequence, arrival: event.arrival, encoding: event.encoding)
        }
        return left
    }
}

extension AggregateQuery {
    /// All pages, one after the other.
    func everything(from source: any EventSource, now: Timestamp) throws -> (
        items: [AggregateItem], source: String, warnings: [QueryWarning]
    ) {
        var query = self
        var items: [AggregateItem] = []
        repeat {
            let answer = try query.answer(from: source, now: now)
            #expect(answer.items.count <= query.limit)
            items += answer.items
            query.cursor = answer.nextCursor
            guard query.cursor != nil else { return (items, answer.source, answer.warnings) }
        } while true
    }
}

extension ListQuery {
    /// All pages, one after the other.
    func everything(from source: any EventSource, now: Timestamp) throws -> (
        events: [ListedEvent], sessions: [ListedSession], warnings: [QueryWarning]
    ) {
        var query = self
        var (events, sessions): ([ListedEvent], [ListedSession]) = ([], [])
        var warnings: Set<QueryWarning> = []
        repeat {
            let answer = try query.answer(from: source, now: now)
            switch answer.items {
            case .events(let page): events += page
            case .sessions(let page): sessions += page
            }
            warnings.formUnion(answer.warnings)
            query.cursor = answer.nextCursor
        } while query.cursor != nil
        return (events, sessions, Array(warnings))
    }
}
