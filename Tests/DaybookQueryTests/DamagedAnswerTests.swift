import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookQuery

/// Answers over a segment with a damaged page: what is whole counts, what is not is told.
@Suite struct DamagedAnswerTests {
    /// Two pages of every narrow column, one row group, commands only; the last rows are still in the tail.
    private struct Sample {
        let model: ModelStore
        let source: SplitSource
        let rowCount: Int

        init() throws {
            var scenario = Scenario(seed: 701)
            try scenario.append(10_300, families: [.commandExecution])
            rowCount = 10_000
            model = scenario.model
            source = try SplitSource(wholeSegments: model.events, sealedThrough: 10_000)
        }

        var now: Timestamp { model.events.last?.arrival ?? Timestamp(microseconds: 0) }

        func directory() throws -> RowGroupDirectory {
            try source.open(source.segments[0]).directory(rowGroup: 0)
        }

        /// The same source over a disk on which a byte is another.
        func damaged(at offset: UInt64) throws -> SplitSource {
            try source.damaged(source.segments[0].path, at: Int(offset))
        }

        /// The events that are left without some rows of the segment.
        func survivors(without rows: Range<Int>) -> [ModelEvent] {
            model.events.filter { !rows.contains(Int($0.sequence) - 1) }
        }
    }

    private static let sample = Result { try Sample() }

    private func aggregate(_ groupBy: String, _ source: SplitSource, _ now: Timestamp) throws -> AggregateAnswer {
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.window = .total
        query.limit = 1_000
        query.groupBy = [.init(groupBy, try #require(QueryDimension(groupBy, of: .commandExecution)))]
        return try query.answer(from: source, now: now)
    }

    private func expect(
        _ answer: AggregateAnswer, _ groupBy: String, equals events: [ModelEvent],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let dimension = try #require(QueryDimension(groupBy, of: .commandExecution))
        var expected: [[UInt8]?: [ModelEvent]] = [:]
        for event in events { expected[ModelAnswers.value(of: dimension, in: event), default: []].append(event) }
        #expect(answer.items.count == expected.count, sourceLocation: sourceLocation)
        for item in answer.items {
            let members = try #require(expected[item.group[0]], sourceLocation: sourceLocation)
            #expect(item.count == UInt64(members.count), sourceLocation: sourceLocation)
            #expect(
                item.durations.sum == members.reduce(0) { $0 + UInt128($1.duration) }, sourceLocation: sourceLocation)
        }
    }

    @Test(
        arguments: [
            (ColumnNumber.duration, "command_name"), (.status, "command_name"), (.name, "command_name"),
            (.user, "user_id"), (.flags, "team_id"), (.session, "session_id"), (.object, "context.project"),
        ])
    func aDamagedPageCostsItsRowsAndIsNamed(column: ColumnNumber, groupBy: String) throws {
        let sample = try Self.sample.get()
        let pages = try #require(try sample.directory().column(column)).pages
        for page in [pages[0], pages[pages.count - 1]] {
            let source = try sample.damaged(at: page.offset + 8)
            let answer = try aggregate(groupBy, source, sample.now)
            try expect(answer, groupBy, equals: sample.survivors(without: page.rows))
            #expect(answer.warningCount == 1)
            let warning = try #require(answer.warnings.first)
            #expect(warning.file == sample.source.segments[0].path)
            #expect(warning.offset == page.offset)
            #expect(warning.rowGroup == 0)
            #expect(warning.rows == page.rows)
        }
    }

    /// Every column of an attribute: pages with the values of whole page units, as those of fixed columns.
    @Test func aDamagedPageOfAnAttributeCostsItsRowsAndIsNamed() throws {
        let sample = try Self.sample.get()
        let reader = try sample.source.open(sample.source.segments[0])
        let columns = try reader.attributeColumns(rowGroup: 0)
        let wanted = AttributeName(root: .arguments, keys: [Array("force".utf8)])
        let named = columns.filter { $0.attribute.name == wanted }
        #expect(!named.isEmpty)
        for (_, column) in named {
            for page in [column.pages[0], column.pages[column.pages.count - 1]] {
                let source = try sample.damaged(at: page.offset + 8)
                let answer = try aggregate("command_args.force", source, sample.now)
                try expect(answer, "command_args.force", equals: sample.survivors(without: page.rows))
                #expect(answer.warnings.map(\.offset) == [page.offset])
                #expect(answer.warnings.map(\.rows) == [page.rows])
            }
        }
    }

    @Test func damageThatTheQuestionDoesNotNeedIsNotTold() throws {
        let sample = try Self.sample.get()
        let page = try #require(try sample.directory().column(.session)).pages[0]
        let answer = try aggregate("command_name", try sample.damaged(at: page.offset + 8), sample.now)
        try expect(answer, "command_name", equals: sample.model.events)
        #expect(answer.warnings.isEmpty)
    }

    @Test func aDamagedDictionaryCostsItsRowGroup() throws {
        let sample = try Self.sample.get()
        let page = try #require(try sample.directory().column(.name)).dictionaryPages[0]
        let answer = try aggregate("command_name", try sample.damaged(at: page.offset + 8), sample.now)
        try expect(answer, "command_name", equals: sample.survivors(without: 0..<sample.rowCount))
        #expect(answer.warnings.map(\.rows) == [0..<8_192, 8_192..<10_000])
    }

    @Test func aDamagedDirectoryCostsItsRowGroup() throws {
        let sample = try Self.sample.get()
        let columns = try sample.directory().columns
        let end = try #require(columns.map { $0.offset + UInt64($0.byteCount) }.max())
        let answer = try aggregate("command_name", try sample.damaged(at: end + 8), sample.now)
        try expect(answer, "command_name", equals: sample.survivors(without: 0..<sample.rowCount))
        #expect(answer.warnings.map(\.rows) == [0..<sample.rowCount])
    }

    @Test func aSegmentThatDoesNotOpenCostsItsRows() throws {
        let sample = try Self.sample.get()
        let segment = sample.source.segments[0]
        for offset in [0, segment.byteCount - 30] {
            let answer = try aggregate("command_name", try sample.damaged(at: offset), sample.now)
            try expect(answer, "command_name", equals: sample.survivors(without: 0..<sample.rowCount))
            #expect(answer.warnings.map(\.file) == [segment.path])
            #expect(answer.warnings.map(\.rows) == [0..<sample.rowCount])
        }
        let gone = try sample.source.without(segment.path)
        let answer = try aggregate("command_name", gone, sample.now)
        try expect(answer, "command_name", equals: sample.survivors(without: 0..<sample.rowCount))
        #expect(answer.warningCount == 1)
    }

    @Test(arguments: [ColumnNumber.timestamp, .identifierLow, .object])
    func aListLeavesOutWhatDamageHasTaken(column: ColumnNumber) throws {
        let sample = try Self.sample.get()
        let pages = try #require(try sample.directory().column(column)).pages
        let page = pages[pages.count / 2]
        let source = try sample.damaged(at: page.offset + 8)
        var query = ListQuery(family: .commandExecution, range: .all)
        query.limit = 1_000
        var listed: [ListedEvent] = []
        var warned = false
        repeat {
            let answer = try query.answer(from: source, now: sample.now)
            guard case .events(let events) = answer.items else { break }
            listed += events
            if let warning = answer.warnings.first {
                warned = true
                #expect(warning.offset == page.offset)
                #expect(warning.rows == page.rows)
            }
            query.cursor = answer.nextCursor
        } while query.cursor != nil
        #expect(warned)
        func isOutside(_ sequence: UInt64) -> Bool { !page.rows.contains(Int(sequence) - 1) }
        let expected = ModelStore.inOrder(sample.model.events, newestFirst: true).map(\.sequence).filter(isOutside)
        let isComplete = listed.map(\.sequence).filter(isOutside) == expected
        #expect(isComplete)
        // Whoever has nothing on a page of texts loses nothing by it.
        let untouched = column == .object ? sample.model.events.filter { $0.object == nil } : []
        let inside = listed.filter { !isOutside($0.sequence) }
        #expect(Set(inside.map(\.sequence)) == Set(untouched.map(\.sequence).filter { !isOutside($0) }))
        for event in inside {
            #expect(event.encoding == sample.model.events[Int(event.sequence) - 1].encoding)
        }
    }

    @Test func damageOfTheTailIsTold() throws {
        var source = try Self.sample.get().source
        source.damage = [Corruption(file: "logs/1.dbl", offset: 77, reason: .invalid("group record"))]
        let answer = try aggregate("command_name", source, Timestamp(microseconds: 0))
        #expect(answer.warnings.map(\.file) == ["logs/1.dbl"])
        var writer = JSONWriter()
        answer.appendWarnings(to: &writer)
        #expect(
            String(decoding: writer.toArray(), as: UTF8.self)
                == #"[{"file":"logs/1.dbl","offset":77,"reason":"invalid group record"}]"#)
    }

    @Test func aReplayStopsAtDamageUnlessItMayGoOn() throws {
        let sample = try Self.sample.get()
        let pages = try #require(try sample.directory().column(.object)).pages
        let page = pages[1]
        let source = try sample.damaged(at: page.offset + 8)
        var strict = ReplayCursor(source, ReplayFilter())
        #expect(throws: SegmentError.self) { while try strict.next() != nil {} }
        var filter = ReplayFilter()
        filter.skipsDamage = true
        var lenient = ReplayCursor(source, filter)
        var replayed: [UInt64] = []
        while let event = try lenient.next() { replayed.append(event.sequence) }
        let isEqual = replayed == sample.survivors(without: page.rows).map(\.sequence)
        #expect(isEqual)
        #expect(lenient.warnings.map(\.rows) == [page.rows])
    }

    @Test func aReplayOfADamagedTailStopsUnlessItMayGoOn() throws {
        var source = try Self.sample.get().source
        source.damage = [Corruption(file: "logs/1.dbl", offset: 77, reason: .invalid("group record"))]
        var strict = ReplayCursor(source, ReplayFilter())
        #expect(throws: SegmentError.self) { while try strict.next() != nil {} }
        var filter = ReplayFilter()
        filter.skipsDamage = true
        var lenient = ReplayCursor(source, filter)
        while try lenient.next() != nil {}
        #expect(lenient.warningCount == 1)
    }

    @Test func sessionsAreMadeOfTheChangesThatAreLeft() throws {
        var scenario = Scenario(seed: 702)
        try scenario.append(600, families: [.sessionChange])
        let source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 500)
        let pages = try #require(try source.open(source.segments[0]).directory(rowGroup: 0).column(.object)).pages
        let page = pages[pages.count - 1]
        var left = ModelStore()
        for event in scenario.model.events where !page.rows.contains(Int(event.sequence) - 1) {
            try left.append(
                event.family, sequence: event.sequence, arrival: event.arrival, encoding: event.encoding)
        }
        var query = ListQuery(family: .sessionChange, range: .all)
        query.limit = 1_000
        let damaged = try source.damaged(source.segments[0].path, at: Int(page.offset + 8))
        let answer = try query.answer(from: damaged, now: scenario.now)
        #expect(answer.warnings.map(\.rows) == [page.rows])
        let expected = try query.answer(
            from: try SplitSource(wholeSegments: left.events, sealedThrough: 0), now: scenario.now)
        guard case .sessions(let found) = answer.items, case .sessions(let wanted) = expected.items else {
            Issue.record("not sessions")
            return
        }
        // Who began on the damaged page is found by the other columns, and has lost what stood there.
        let known = Set(wanted.map(\.state.id))
        #expect(
            found.filter { known.contains($0.state.id) && $0.sequence <= UInt64(page.rows.lowerBound) }
                == wanted.filter { $0.sequence <= UInt64(page.rows.lowerBound) })
    }

    @Test func noMoreThanAHundredWarningsAreListed() {
        let log = DamageLog()
        for offset in 0..<150 as Range<UInt64> {
            log.note(Corruption(file: "f", offset: offset, reason: .invalid("page")))
            log.note(Corruption(file: "f", offset: 0, reason: .invalid("page")))
        }
        #expect(log.warnings.count == 100)
        #expect(log.count == 150)
    }
}
