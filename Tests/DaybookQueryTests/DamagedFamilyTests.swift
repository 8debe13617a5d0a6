import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookTestSupport
import Testing

@testable import DaybookQuery
@testable import DaybookStore

/// Damage in segments of every family and under every kind of question, also of segments that were merged: what is whole
/// counts as in the plain array, what is not is told.
@Suite struct DamagedFamilyTests {
    /// One segment of two pages of every narrow column; the last rows are still in the tail.
    private struct Sample {
        let family: Family
        let model: ModelStore
        var source: SplitSource
        let rowCount: Int

        init(_ family: Family, count: Int = 9_200) throws {
            var scenario = Scenario(seed: 710 + UInt64(family.rawValue))
            try scenario.append(count, families: [family])
            self.family = family
            rowCount = count - 200
            model = scenario.model
            source = try SplitSource(wholeSegments: model.events, sealedThrough: UInt64(rowCount))
        }

        var now: Timestamp { model.events.last?.arrival ?? Timestamp(microseconds: 0) }

        func pages(_ column: ColumnNumber) throws -> [PageDescriptor] {
            try #require(try source.open(source.segments[0]).directory(rowGroup: 0).column(column)).pages
        }

        func damaged(_ page: PageDescriptor) throws -> SplitSource {
            try source.damaged(source.segments[0].path, at: Int(page.offset + 8))
        }

        /// The events that are left without some rows of the segment.
        func survivors(without rows: Range<Int>) -> [ModelEvent] {
            model.events.filter { !rows.contains(Int($0.sequence) - 1) }
        }
    }

    private static let samples = Dictionary(
        uniqueKeysWithValues: [Family.commandExecution, .agentInteraction, .productivityMetric].map { family in
            (family, Result { try Sample(family) })
        })

    private func sample(_ family: Family) throws -> Sample { try #require(Self.samples[family]).get() }

    private func query(_ family: Family, by groupBy: String) throws -> AggregateQuery {
        var query = AggregateQuery(family: family, range: .all)
        query.window = .total
        query.limit = 1_000
        // How close percentiles come to so many values is not the point here.
        query.percentiles = []
        query.groupBy = [.init(groupBy, try #require(QueryDimension(groupBy, of: family)))]
        return query
    }

    @Test(
        arguments: [
            (Family.agentInteraction, ColumnNumber.inputTokens, "agent_name"),
            (.agentInteraction, .kind, "interaction_type"), (.agentInteraction, .status, "team_id"),
            (.productivityMetric, .valueBits, "metric_type"), (.productivityMetric, .valueTag, "user_id"),
            (.productivityMetric, .name, "metric_type"),
        ])
    func `a damaged page of agents and metrics costs its rows`(
        family: Family, column: ColumnNumber, groupBy: String
    ) throws {
        let sample = try sample(family)
        let pages = try sample.pages(column)
        for page in [pages[0], pages[pages.count - 1]] {
            let query = try query(family, by: groupBy)
            let answer = try query.answer(from: try sample.damaged(page), now: sample.now)
            try ModelComparison.expect(answer.items, query, equal: sample.survivors(without: page.rows))
            #expect(answer.warnings.map(\.offset) == [page.offset])
            #expect(answer.warnings.map(\.rows) == [page.rows])
        }
    }

    /// The filter alone needs the column. Rows that it cannot be asked for do not count.
    @Test(
        arguments: [ColumnNumber.name, .duration, .status, .user, .team, .session], [false, true])
    func `a filter on a damaged column takes none of the rows of the page`(
        column: ColumnNumber, hasIndexes: Bool
    ) throws {
        var sample = try sample(.commandExecution)
        sample.source.hasIndexes = hasIndexes
        var query = try query(.commandExecution, by: column == .status ? "user_id" : "status")
        func require(_ dimension: QueryDimension, _ value: String) {
            query.filter.require(dimension, anyOf: [Array(value.utf8)])
        }
        switch column {
        case .name: require(.name, "build")
        case .user: require(.user, "bob")
        case .team: require(.team, "red")
        case .session: require(.session, "session-3")
        case .duration: query.filter.durationMin = 1_000_000
        default: query.filter.isSuccess = false
        }
        let page = try sample.pages(column)[0]
        let answer = try query.answer(from: try sample.damaged(page), now: sample.now)
        try ModelComparison.expect(answer.items, query, equal: sample.survivors(without: page.rows))
        #expect(answer.warnings.map(\.rows) == [page.rows])

        var list = ListQuery(family: .commandExecution, range: .all)
        list.filter = query.filter
        list.limit = 1_000
        let listed = try list.everything(from: try sample.damaged(page), now: sample.now)
        let wanted = ModelComparison.listed(list, of: sample.survivors(without: page.rows))
        #expect(listed.events.map(\.sequence) == wanted.map(\.sequence))
        #expect(listed.warnings.map(\.rows) == [page.rows])
    }

    @Test(arguments: [false, true])
    func `a search finds what is on whole pages and tells of the others`(hasIndexes: Bool) throws {
        var sample = try sample(.commandExecution)
        sample.source.hasIndexes = hasIndexes
        var query = try query(.commandExecution, by: "command_name")
        query.filter.search = TokenSearch(Array("exit".utf8))
        let pages = try sample.pages(.errorMessage)
        let page = pages[pages.count / 2]
        let answer = try query.answer(from: try sample.damaged(page), now: sample.now)
        // Whoever has no message on the page loses nothing by it: nothing was to be found there.
        try ModelComparison.expect(answer.items, query, equal: sample.survivors(without: page.rows))
        #expect(answer.warnings.contains { $0.offset == page.offset && $0.rows == page.rows })
    }

    @Test func `sessions are counted without the changes that are lost`() throws {
        var scenario = Scenario(seed: 720)
        try scenario.append(3_000, families: [.sessionChange])
        let source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 2_800)
        let pages = try #require(try source.open(source.segments[0]).directory(rowGroup: 0).column(.object)).pages
        for page in [pages[0], pages[pages.count - 1]] {
            // Who began on the page is found by the other columns, and has lost what stood there.
            let left = try scenario.model.keeping { !page.rows.contains(Int($0.sequence) - 1) }
            let damaged = try source.damaged(source.segments[0].path, at: Int(page.offset + 8))
            for groupBy in ["status", "user_id", "team_id"] {
                let query = try query(.sessionChange, by: groupBy)
                let answer = try query.answer(from: damaged, now: scenario.now)
                try ModelComparison.expect(answer.items, query, equalSessionsOf: left, scenario.now)
                #expect(answer.warnings.map(\.rows) == [page.rows])
            }
        }
    }

    /// A page of a segment that merging made, in a store that was started anew since.
    @Test(
        arguments: [
            (Family.commandExecution, ColumnNumber.duration, "command_name"),
            (.agentInteraction, .name, "agent_name"), (.productivityMetric, .valueBits, "user_id"),
        ])
    func `damage after a merge costs the rows of its page`(
        family: Family, column: ColumnNumber, groupBy: String
    ) throws {
        let story = try StoreStory(seed: 2_300)
        for _ in 0..<4 {
            try story.append(120)
            try story.seal()
        }
        try story.maintain()
        try story.append(60)
        let merged = try #require(try story.snapshot().segments.first { $0.family == family })
        #expect(try story.snapshot().segments.count { $0.family == family } == 1)
        let reader = try story.snapshot().open(merged)
        let page = try #require(try reader.directory(rowGroup: 0).column(column)).pages[0]
        let sequences = Set(try reader.read(rowGroup: 0, [.sequence]).sequences[page.rows])
        let path = Layout.path(Layout.folder(of: StoreStory.log), merged.path)
        story.disk.corrupt(path, offset: Int(page.offset + 8), xor: 0x10)
        try story.restart()

        var query = try query(family, by: groupBy)
        query.source = .raw
        let answer = try query.answer(from: try story.snapshot(), now: story.now)
        let left = story.model.events.filter { !sequences.contains($0.sequence) }
        try ModelComparison.expect(answer.items, query, equal: left)
        #expect(answer.warnings.map(\.file) == [path])
        #expect(answer.warnings.map(\.rows) == [page.rows])
        var list = ListQuery(family: family, range: .all)
        list.limit = 1_000
        let listed = try list.everything(from: try story.snapshot(), now: story.now)
        #expect(listed.events.map(\.sequence) == ModelComparison.listed(list, of: left).map(\.sequence))
        #expect(listed.warnings.map(\.file) == [path])
    }
}
