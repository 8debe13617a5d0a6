import DaybookEvent
import DaybookFormat
import DaybookRollup
import DaybookTestSupport
import Testing

@testable import DaybookQuery
@testable import DaybookStore

/// What has expired is still counted by the hour and by the day, whether its events are still there or not.
@Suite struct HistoryAnswerTests {
    /// Everything that ever went in.
    private func everything(_ story: StoreStory, _ family: Family) throws -> SplitSource {
        try story.plain(family, .everything)
    }

    private func query(
        _ family: Family, _ window: AggregationWindow, _ groupBy: [String], source: QuerySource = .auto
    ) -> AggregateQuery {
        var query = AggregateQuery(family: family, range: .all)
        query.window = window
        query.limit = 1_000
        query.source = source
        query.groupBy = groupBy.compactMap { name in
            QueryDimension(name, of: family).map { AggregateQuery.Grouping(name, $0) }
        }
        return query
    }

    private func check(_ story: StoreStory, _ seen: inout Set<String>) throws {
        let name = [Family.commandExecution: "command_name", .agentInteraction: "agent_name"]
        for family in StoreStory.families {
            let plain = try everything(story, family)
            let keyed = name[family] ?? "metric_type"
            let questions: [(AggregationWindow, [String])] = [
                (.oneHour, []), (.oneHour, [keyed]), (.oneDay, []), (.oneDay, ["user_id"]), (.total, [keyed]),
            ]
            for (window, groupBy) in questions {
                let wanted = query(family, window, groupBy)
                let expected = try wanted.answer(from: plain, now: story.now)
                let answer = try wanted.answer(from: try story.snapshot(), now: story.now)
                let isEqual = answer.items == expected.items
                #expect(isEqual, "\(family) \(window) \(groupBy)")
                #expect(answer.warnings.isEmpty)
                seen.insert(answer.source)
            }
        }
    }

    @Test func `hours and days count what has expired, before and after it has gone`() throws {
        var seen: Set<String> = []
        var historyCount = 0
        for seed in 1...3 as ClosedRange<UInt64> {
            let story = try StoreStory(seed: 2_100 + seed, historyDays: 365)
            for step in 0..<24 {
                switch story.step(of: 8) {
                case 0, 1, 2: try story.append(200)
                case 3, 4: try story.seal()
                case 5: story.passTime(hours: 30)
                case 6: try story.restart()
                default: try story.maintain()
                }
                if step % 3 == 2 { try check(story, &seen) }
            }
            try story.seal()
            story.passTime(hours: 120)
            try story.maintain()
            try check(story, &seen)
            let snapshot = try story.snapshot()
            #expect(snapshot.segments.allSatisfy { $0.family == .sessionChange })
            #expect(snapshot.manifest.firstBrokenInvariant == nil)
            historyCount += snapshot.history.count
        }
        #expect(historyCount >= 6)
        #expect(seen.isSuperset(of: ["rollup", "mixed"]))
    }

    @Test func `merged history answers as its parts do, also those who ask from before`() throws {
        let story = try StoreStory(seed: 2_120, historyDays: 365)
        var seen: Set<String> = []
        var counts: [Int] = []
        let days = query(.commandExecution, .oneHour, ["command_name"])
        for _ in 0..<14 {
            try story.append(150)
            try story.seal()
            story.passTime(hours: 80)
            let before = try story.snapshot()
            let expected = try days.answer(from: before, now: story.now)
            try story.maintain()
            let answer = try days.answer(from: before, now: story.now)
            let isEqual = answer.items == expected.items
            #expect(isEqual && answer.warnings.isEmpty)
            try check(story, &seen)
            counts.append(try story.snapshot().history.count)
        }
        #expect(zip(counts, counts.dropFirst()).contains { $1 < $0 }, "\(counts)")
        #expect(try story.snapshot().history.count < 3 * 4 * 3)
    }

    private func checkForgotten(_ story: StoreStory, _ comment: Comment) throws {
        for family in StoreStory.families {
            for (window, groupBy) in [(AggregationWindow.oneDay, []), (.oneDay, ["user_id"]), (.total, ["user_id"])] {
                let question = query(family, window, groupBy)
                let answer = try question.answer(from: try story.snapshot(), now: story.now)
                try ModelComparison.expect(answer.items, question, equal: story.counted(byUser: !groupBy.isEmpty))
                #expect(answer.warnings.isEmpty, comment)
            }
        }
    }

    /// Sums by user leave out whoever is to be forgotten at once; sums without regard to users keep what had expired.
    @Test func `history leaves out users who are to be forgotten`() throws {
        let story = try StoreStory(seed: 2_130, historyDays: 365)
        for round in 0..<3 {
            try story.append(500)
            try story.seal()
            story.passTime(hours: 24 * 5)
            if round < 2 { try story.maintain() }
            try story.append(200)
            if round > 0 {
                try story.erase(round == 1 ? "bob" : "ann")
                #expect(try story.isErasing && !story.snapshot().history.isEmpty)
            }
            try checkForgotten(story, "before the erasure is carried out, round \(round)")
            if round > 0 {
                try story.maintain()
                #expect(!story.isErasing)
                try checkForgotten(story, "afterwards, round \(round)")
            }
        }
    }

    /// Of two erasures that are begun again the later one reaches events that the earlier one has nothing to do with.
    @Test func `a user who came back keeps the history of later events when erasures are begun again`() throws {
        let story = try StoreStory(seed: 2_131, historyDays: 365)
        for user in ["bob", "ann"] {
            try story.append(300)
            try story.seal()
            story.passTime(hours: 24 * 5)
            try story.maintain()
            try story.erase(user)
            try story.maintain()
        }
        #expect(!story.isErasing)
        try checkForgotten(story, "before")
        try story.eraseAgain()
        #expect(try story.isErasing && story.snapshot().history.count > 3)
        try checkForgotten(story, "while they wait")
        try story.maintain()
        #expect(!story.isErasing)
        try checkForgotten(story, "afterwards")
    }

    @Test func `rows and lists show nothing that has expired`() throws {
        let story = try StoreStory(seed: 2_110, historyDays: 365)
        try story.append(900)
        try story.seal()
        story.passTime(hours: 24 * 5)
        let family = Family.commandExecution
        for _ in 0..<2 {
            let snapshot = try story.snapshot()
            #expect(try query(family, .oneDay, [], source: .raw).answer(from: snapshot, now: story.now).items.isEmpty)
            // Teams are not told apart by rollups: only rows could answer.
            #expect(try query(family, .oneDay, ["team_id"]).answer(from: snapshot, now: story.now).items.isEmpty)
            #expect(try ListQuery(family: family, range: .all).answer(from: snapshot, now: story.now).items.count == 0)
            #expect(try !query(family, .oneDay, []).answer(from: snapshot, now: story.now).items.isEmpty)
            try story.maintain()
        }
        #expect(try story.snapshot().segments.isEmpty)
    }

    @Test func `finer windows than an hour have no history`() throws {
        let story = try StoreStory(seed: 2_111, historyDays: 365)
        try story.append(900)
        try story.seal()
        story.passTime(hours: 24 * 5)
        for _ in 0..<2 {
            for window in [AggregationWindow.oneMinute, .fiveMinutes, .fifteenMinutes] {
                let finer = query(.commandExecution, window, [])
                #expect(try finer.answer(from: try story.snapshot(), now: story.now).items.isEmpty, "\(window)")
            }
            try story.maintain()
        }
    }

    @Test func `after its days the history goes, too`() throws {
        let story = try StoreStory(seed: 2_112, historyDays: 30)
        try story.append(900)
        try story.seal()
        story.passTime(hours: 24 * 5)
        try story.maintain()
        let files = try story.snapshot().history.map { Layout.path(Layout.folder(of: StoreStory.log), $0.path) }
        #expect(files.count == 3)
        story.passTime(hours: 24 * 24)
        let days = query(.commandExecution, .oneDay, [])
        #expect(try !days.answer(from: try story.snapshot(), now: story.now).items.isEmpty)
        story.passTime(hours: 24 * 3)
        #expect(try days.answer(from: try story.snapshot(), now: story.now).items.isEmpty)
        try story.maintain()
        #expect(try story.snapshot().history.isEmpty)
        for file in files { #expect(try !story.disk.exists(file)) }
    }

    @Test func `the history of a day stays until all of the day is too old`() throws {
        let story = try StoreStory(seed: 2_114, historyDays: 30)
        try story.append(300)
        try story.seal()
        story.passTime(hours: 24 * 5)
        try story.maintain()
        let file = try #require(try story.snapshot().history.max { $0.timestampMax < $1.timestampMax })
        let end = file.timestampMax.microseconds + 31 * Limits.dayMicroseconds
        let hour: Int64 = 3_600_000_000
        story.passTime(hours: Int((end - story.now.microseconds) / hour) - 1)
        #expect(story.now.microseconds > file.timestampMax.microseconds + 30 * Limits.dayMicroseconds)
        try story.maintain()
        #expect(try story.snapshot().history.contains(file))
        story.passTime(hours: 3)
        try story.maintain()
        #expect(try story.snapshot().history.isEmpty)
    }

    @Test func `a damaged history file is told, and the rest is counted`() throws {
        let story = try StoreStory(seed: 2_113, historyDays: 365)
        for _ in 0..<2 {
            try story.append(600)
            try story.seal()
            story.passTime(hours: 24 * 5)
            try story.maintain()
        }
        let history = try story.snapshot().history.filter { $0.family == .commandExecution }
        #expect(history.count == 2)
        let path = Layout.path(Layout.folder(of: StoreStory.log), history[0].path)
        story.disk.corrupt(path, offset: 70, xor: 1)
        try story.restart()
        let answer = try query(.commandExecution, .total, []).answer(from: try story.snapshot(), now: story.now)
        #expect(answer.items.map(\.count) == [history[1].eventCount])
        #expect(answer.warnings.map(\.file) == [path])
        let findings = try StoreCheck(disk: story.disk, isServed: { false }).run().findings
        #expect(findings.contains { $0.file == path && $0.severity == .damage && $0.subject == .history })
    }
}
