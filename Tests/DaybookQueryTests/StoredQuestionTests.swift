import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookTestSupport
import Testing

@testable import DaybookQuery
@testable import DaybookStore

/// Every kind of question to a real store, beside the plain array: all families, all groups, search, durations, lists and
/// sessions, while events are sealed, merged, expire and users are forgotten.
@Suite struct StoredQuestionTests {
    private struct Seen {
        var hasMerged = false
        var hasExpired = false
        var hasPending = false
        var hasErased = false
        var listedCount = 0
        var sessionCount = 0
    }

    private func aggregate(_ family: Family, _ story: StoreStory, _ visible: ModelStore) throws {
        let query = story.withRandom { random in
            var query = AggregateQuery(family: family, range: story.range(&random))
            query.window = random.pick(AggregationWindow.allCases)
            for number in 0..<random.below(3) {
                query.groupBy.append(AggregateQuery.Grouping("g\(number)", random.dimension(of: family)))
            }
            if random.oneIn(2) { query.filter = random.filter(of: family) }
            if family == .sessionChange { query.percentiles = [] }
            query.limit = 1_000
            return query
        }
        let answer = try query.everything(from: try story.snapshot(), now: story.now)
        #expect(answer.warnings.isEmpty)
        if family == .sessionChange {
            try ModelComparison.expect(answer.items, query, equalSessionsOf: visible, story.now)
        } else {
            try ModelComparison.expect(answer.items, query, equal: visible.events)
        }
    }

    private func list(_ family: Family, _ story: StoreStory, _ visible: ModelStore, _ seen: inout Seen) throws {
        let query = story.withRandom { random in
            let range = family == .sessionChange && random.oneIn(2) ? .all : story.range(&random)
            var query = ListQuery(family: family, range: range)
            if random.oneIn(2) { query.filter = random.filter(of: family) }
            query.order = random.pick([.newestFirst, .oldestFirst])
            query.limit = 200 + random.below(400)
            return query
        }
        let (events, sessions, warnings) = try query.everything(from: try story.snapshot(), now: story.now)
        #expect(warnings.isEmpty)
        if family == .sessionChange {
            let wanted = ModelComparison.sessions(query, of: visible, story.now)
            #expect(sessions.map(\.sequence) == wanted.map(\.sequence))
            for (session, model) in zip(sessions, wanted) { try ModelComparison.expect(session, equals: model) }
            seen.sessionCount += sessions.count
        } else {
            let wanted = ModelComparison.listed(query, of: visible.events)
            #expect(events.map(\.sequence) == wanted.map(\.sequence))
            #expect(events.map(\.encoding) == wanted.map(\.encoding))
            seen.listedCount += events.count
        }
    }

    private func ask(_ story: StoreStory, _ seen: inout Seen) throws {
        let visible = try story.visible()
        seen.hasExpired = seen.hasExpired || visible.events.count < story.model.events.count
        seen.hasPending = seen.hasPending || story.isErasing
        for family in Family.ofOrganizations {
            try aggregate(family, story, visible)
            try list(family, story, visible, &seen)
        }
        var replay = ReplayCursor(try story.snapshot(), ReplayFilter())
        var replayed: [UInt64] = []
        while let event = try replay.next() { replayed.append(event.sequence) }
        #expect(replayed == visible.events.map(\.sequence))
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func `nothing that a store does changes an answer`(number: UInt64) throws {
        let story = try StoreStory(seed: 2_200 + number, hasSessions: true)
        var seen = Seen()
        for round in 0..<9 {
            for _ in 0..<3 {
                try story.append(40)
                if story.step(of: 4) > 0 { try story.seal() }
            }
            try ask(story, &seen)
            if round % 4 == 2 {
                try story.erase()
                try ask(story, &seen)
            }
            if story.step(of: 3) == 0 { story.passTime(hours: 11) }
            if story.step(of: 4) == 0 { try story.restart() }
            if round % 3 == 2 {
                let before = try story.snapshot().segments.map(\.lastSequence)
                let isErasing = story.isErasing
                try story.maintain()
                seen.hasErased = seen.hasErased || isErasing && !story.isErasing
                let hasMerged = try story.snapshot().segments.contains { segment in
                    before.contains { segment.firstSequence <= $0 && $0 < segment.lastSequence }
                }
                seen.hasMerged = seen.hasMerged || hasMerged
                try ask(story, &seen)
            }
        }
        #expect(seen.hasMerged)
        #expect(seen.hasExpired)
        #expect(seen.hasPending && seen.hasErased)
        #expect(seen.listedCount > 500)
        #expect(seen.sessionCount > 5)
        #expect(try story.snapshot().manifest.firstBrokenInvariant == nil)
    }

    /// The rollups of merged segments count the user until the erasure is carried out.
    @Test func `a user is not counted from the moment of the erasure, with rollups and without`() throws {
        let story = try StoreStory(seed: 2_210)
        for _ in 0..<2 {
            try story.append(1_200)
            try story.seal()
        }
        var sources: Set<String> = []
        func ask() throws {
            let visible = try story.visible()
            for family in StoreStory.families {
                for groupBy in [[], ["user_id"], ["status"]] {
                    var query = AggregateQuery(family: family, range: .all)
                    query.window = .oneDay
                    query.limit = 1_000
                    query.groupBy = groupBy.compactMap { name in
                        QueryDimension(name, of: family).map { AggregateQuery.Grouping(name, $0) }
                    }
                    let answer = try query.answer(from: try story.snapshot(), now: story.now)
                    try ModelComparison.expect(answer.items, query, equal: visible.events)
                    sources.insert(answer.source)
                }
            }
        }
        try ask()
        #expect(sources == ["rollup"])
        sources = []
        try story.erase()
        try ask()
        #expect(sources == ["raw"])
        // What comes later has rollups that count nobody who is to be forgotten.
        try story.append(1_200)
        try story.seal()
        try ask()
        #expect(sources == ["raw", "mixed"])
        sources = []
        try story.maintain()
        try ask()
        #expect(!story.isErasing && sources.contains("rollup"))
    }
}
