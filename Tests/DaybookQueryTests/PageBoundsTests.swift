import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

/// What a page of a list may hold.
@Suite struct PageBoundsTests {
    /// Commands with two objects of about so many bytes each.
    private func largeCommands(_ count: Int, objectByteCount: Int) throws -> ModelStore {
        var model = ModelStore()
        for number in 0..<UInt64(count) {
            let time = Timestamp(microseconds: 1_780_000_000_000_000 + Int64(number) * 1_000_000)
            var encoder = EventEncoder(family: .commandExecution)
            encoder.id = EventID(version7At: time, random: number, number)
            encoder.timestamp = time
            encoder.flags = [.errorMessage, .commandArguments, .commandContext]
            encoder.status = 1
            var bytes: [UInt8] = []
            encoder.appendFixedPart(to: &bytes)
            let object = "{\"a\":\"\(number)-\(String(repeating: "x", count: objectByteCount))\"}"
            for text in ["owner", "build", "exit 1", object, object] { bytes.append(lengthPrefixed: text) }
            try model.append(.commandExecution, sequence: number + 1, arrival: time, encoding: bytes)
        }
        return model
    }

    private func listed(_ answer: ListAnswer) -> [(sequence: UInt64, byteCount: Int)] {
        switch answer.items {
        case .events(let events): events.map { ($0.sequence, $0.encoding.count) }
        case .sessions(let sessions): sessions.map { ($0.sequence, SessionScan.byteCount(of: $0.state)) }
        }
    }

    @Test func aPageEndsAtTheSameEventInWhateverOrderItIsRead() {
        var random = SeededRandom(seed: 90)
        for _ in 0..<200 {
            let sizes = (0..<1 + random.below(30)).map { _ in random.below(50) }
            let limit = random.below(400)
            var sum = 0
            let fitting = sizes.prefix { size in
                sum += size
                return sum <= limit
            }.count
            var page = EventPage(count: sizes.count, byteCountMax: limit)
            for place in (0..<sizes.count).shuffled(using: &random) where page.wants(place) {
                page.keep(
                    ListedEvent(
                        family: .commandExecution, schemaVersion: 1, sequence: UInt64(place),
                        arrival: Timestamp(microseconds: 0), encoding: Array(repeating: 0, count: sizes[place])),
                    at: place)
            }
            #expect(page.end == max(1, fitting))
            #expect(page.list.map(\.sequence) == (0..<UInt64(page.end)).map { $0 })
            #expect(page.byteCount == sizes.prefix(page.end).reduce(0, +))
        }
    }

    @Test(arguments: [0, 37, 60] as [UInt64], [ListQuery.Order.newestFirst, .oldestFirst])
    func aPageOfLargeEventsHasFewerOfThem(sealedThrough: UInt64, order: ListQuery.Order) throws {
        let model = try largeCommands(60, objectByteCount: 60_000)
        let source = try SplitSource(wholeSegments: model.events, sealedThrough: sealedThrough)
        var query = ListQuery(family: .commandExecution, range: .all)
        query.limit = 1_000
        query.order = order
        var found: [UInt64] = []
        var pageCount = 0
        repeat {
            let answer = try query.answer(from: source, now: Timestamp(microseconds: 0))
            let page = listed(answer)
            #expect(page.reduce(0) { $0 + $1.byteCount } <= QueryLimits.pageByteCountDefault)
            #expect(page.count == 34 || answer.nextCursor == nil)
            found += page.map(\.sequence)
            pageCount += 1
            query.cursor = answer.nextCursor
        } while query.cursor != nil
        #expect(pageCount == 2)
        let expected = (1...60 as ClosedRange<UInt64>).map { $0 }
        #expect(found == (order == .newestFirst ? expected.reversed() : expected))
    }

    @Test(arguments: [Family.commandExecution, .agentInteraction, .sessionChange])
    func pagesThatEndEarlyNeitherRepeatNorSkip(family: Family) throws {
        var scenario = Scenario(seed: 91 + UInt64(family.rawValue))
        for _ in 0..<3 {
            try scenario.append(150)
            scenario.seal()
            let source = try scenario.source()
            for limit in [5, 40, 1_000] {
                var query = ListQuery(family: family, range: .all)
                query.limit = 1_000
                var options = QueryOptions()
                let whole = listed(try query.answer(from: source, now: scenario.now, options: options))
                query.limit = limit
                options.pageByteCountMax = 1 + scenario.events.random.below(1_500)
                var found: [UInt64] = []
                repeat {
                    let answer = try query.answer(from: source, now: scenario.now, options: options)
                    let page = listed(answer)
                    let byteCount = page.reduce(0) { $0 + $1.byteCount }
                    #expect(page.count == 1 || byteCount <= options.pageByteCountMax && page.count <= limit)
                    #expect(!page.isEmpty)
                    found += page.map(\.sequence)
                    query.cursor = answer.nextCursor
                } while query.cursor != nil
                #expect(found == whole.map(\.sequence))
                #expect(!found.isEmpty)
            }
        }
    }

    @Test func theRowsOfAListArePaidFor() throws {
        let model = try largeCommands(10, objectByteCount: 6_000)
        for sealedThrough in [0, 10] as [UInt64] {
            let source = try SplitSource(wholeSegments: model.events, sealedThrough: sealedThrough)
            let query = ListQuery(family: .commandExecution, range: .all)
            var options = QueryOptions()
            options.memoryByteCountMax = 120_000
            #expect(throws: QueryError.outOfMemory(limit: 120_000)) {
                try query.answer(from: source, now: Timestamp(microseconds: 0), options: options)
            }
            options.memoryByteCountMax = 600_000
            #expect(try query.answer(from: source, now: Timestamp(microseconds: 0), options: options).items.count == 10)
        }
    }

    @Test func whatLaterChangesAddToASessionIsPaidFor() throws {
        var model = ModelStore()
        for number in 0..<20 as Range<UInt64> {
            let time = Timestamp(microseconds: 1_780_000_000_000_000 + Int64(number) * 1_000_000)
            var encoder = EventEncoder(family: .sessionChange)
            encoder.id = EventID(version7At: time, random: number, number)
            encoder.timestamp = time
            encoder.status = (number == 0 ? SessionChangeKind.started : .updated).rawValue
            encoder.flags = [.object]
            var bytes: [UInt8] = []
            encoder.appendFixedPart(to: &bytes)
            let object = "{\"key-\(number)\":\"\(String(repeating: "x", count: 3_000))\"}"
            for text in ["owner", "session-1", object] { bytes.append(lengthPrefixed: text) }
            try model.append(.sessionChange, sequence: number + 1, arrival: time, encoding: bytes)
        }
        let source = try SplitSource(wholeSegments: model.events, sealedThrough: 20)
        let query = ListQuery(family: .sessionChange, range: .all)
        var options = QueryOptions()
        options.memoryByteCountMax = 40_000
        #expect(throws: QueryError.outOfMemory(limit: 40_000)) {
            try query.answer(from: source, now: Timestamp(microseconds: 0), options: options)
        }
        options.memoryByteCountMax = 400_000
        #expect(try query.answer(from: source, now: Timestamp(microseconds: 0), options: options).items.count == 1)
    }
}
