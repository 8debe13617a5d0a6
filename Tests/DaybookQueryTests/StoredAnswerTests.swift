import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookTestSupport
import Testing

@testable import DaybookQuery
@testable import DaybookStore

/// Answers out of a real store are those of a plain array, whatever became of the events in the meantime.
@Suite struct StoredAnswerTests {
    private struct Seen {
        var sources: Set<String> = []
        var hasHidden = false
        var hasMerged = false
        var hasWarned = false
        /// In the story that is told now.
        var isDamaged = false
    }

    private func text(_ answer: AggregateAnswer) -> [UInt8] {
        var writer = JSONWriter()
        answer.appendItems(to: &writer)
        return writer.toArray()
    }

    /// One question to rows, to rollups where they can answer, and to the plain array.
    private func check(_ story: StoreStory, _ family: Family, _ seen: inout Seen) throws {
        let snapshot = try story.snapshot()
        let plain = try story.plain(family, snapshot.visibility(of: family))
        seen.hasHidden = seen.hasHidden || plain.eventCount < story.model.events.count { $0.family == family }
        for _ in 0..<2 {
            var query = try story.query(family)
            let expected = try query.answer(from: plain, now: story.now)
            let expectedText = text(expected)
            for source in [QuerySource.raw, .auto, .rollup] {
                query.source = source
                let answer = try query.answer(from: try story.snapshot(), now: story.now)
                let isEqual = answer.items == expected.items && text(answer) == expectedText
                #expect(isEqual)
                #expect(answer.asOfSequence == story.model.lastSequence)
                if source == .raw { #expect(answer.source == "raw") }
                seen.sources.insert(answer.source)
                #expect(answer.warnings.allSatisfy { $0.file.hasSuffix(".dbr") && $0.rows == 0..<0 })
                if answer.warningCount > 0 { seen.hasWarned = true }
                if !seen.isDamaged || source == .raw { #expect(answer.warnings.isEmpty) }
            }
        }
    }

    /// Some steps of one story, with questions after each.
    private func run(_ story: StoreStory, _ seen: inout Seen) throws {
        seen.isDamaged = false
        for _ in 0..<40 {
            switch story.step(of: 12) {
            case 0, 1, 2: try story.append(250)
            case 3, 4, 5, 6: try story.seal()
            case 7, 8:
                let before = try story.snapshot().segments.map(\.lastSequence)
                try story.maintain()
                let after = try story.snapshot().segments
                let hasMerged = after.contains { segment in
                    before.contains { segment.firstSequence <= $0 && $0 < segment.lastSequence }
                }
                seen.hasMerged = seen.hasMerged || hasMerged
            case 9, 10: story.passTime(hours: 9)
            default:
                if try story.damageRollup() { seen.isDamaged = true }
                try story.restart()
            }
            for family in StoreStory.families { try check(story, family, &seen) }
        }
    }

    @Test func `sealing, merging, expiry, damage and restarts change no answer`() throws {
        var seen = Seen()
        for seed in 1...3 { try run(try StoreStory(seed: 2_000 + UInt64(seed)), &seen) }
        #expect(seen.sources == ["raw", "mixed", "rollup"])
        #expect(seen.hasHidden)
        #expect(seen.hasMerged)
        #expect(seen.hasWarned)
    }

    @Test func `events hidden by retention are not counted by a rollup that has them`() throws {
        let story = try StoreStory(seed: 2_010)
        try story.append(1_500)
        try story.seal()
        let snapshot = try story.snapshot()
        let segment = try #require(snapshot.segments.first { $0.family == .commandExecution })
        #expect(try snapshot.rollup(of: segment)?.eventCount == UInt64(segment.rowCount))
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.window = .oneDay
        func count() throws -> (count: UInt64, source: String) {
            let answer = try query.answer(from: try story.snapshot(), now: story.now)
            return (answer.items.reduce(0) { $0 + $1.count }, answer.source)
        }
        let first = try count()
        #expect(first.count == UInt64(segment.rowCount))
        #expect(first.source == "rollup")
        var sources: Set<String> = []
        for _ in 0..<20 {
            story.passTime(hours: 4)
            let visibility = try story.snapshot().visibility(of: .commandExecution)
            let (found, source) = try count()
            #expect(found == UInt64(try story.plain(.commandExecution, visibility).eventCount))
            sources.insert(source)
        }
        #expect(try count().count == 0)
        #expect(sources.contains("mixed") && sources.contains("raw"))
    }

    @Test func `segments that overlap in time add up`() throws {
        let story = try StoreStory(seed: 2_011)
        for _ in 0..<3 {
            try story.append(900)
            try story.seal()
        }
        let commands = try story.snapshot().segments.filter { $0.family == .commandExecution }
        #expect(commands.count == 3)
        #expect(commands[1].timestampMin < commands[0].timestampMax)
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.window = .oneDay
        query.groupBy = [.init("command_name", .name)]
        let answer = try query.answer(from: try story.snapshot(), now: story.now)
        #expect(answer.source == "rollup")
        let plain = try story.plain(.commandExecution, .everything)
        #expect(answer.items == (try query.answer(from: plain, now: story.now)).items)
    }
}
