import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct CursorTests {
    private let cursor = Cursor(
        kind: .list, queryHash: 77,
        range: TimeRange(start: Timestamp(microseconds: -5), end: Timestamp(microseconds: 9)), asOfSequence: 40,
        now: Timestamp(microseconds: 3), position: Cursor.Position(primary: -1, sequence: 12))

    @Test func aCursorReadsBack() throws {
        let read = try Cursor(cursor.text, kind: .list, queryHash: 77, lastSequence: 40)
        #expect(read == cursor)
    }

    @Test func aCursorOfAnotherQueryKindOrStoreIsRefused() {
        #expect(throws: QueryError.invalidCursor) {
            try Cursor(cursor.text, kind: .list, queryHash: 78, lastSequence: 40)
        }
        #expect(throws: QueryError.invalidCursor) {
            try Cursor(cursor.text, kind: .sessions, queryHash: 77, lastSequence: 40)
        }
        // A log that ends before the cursor's moment is not the one it was made from.
        #expect(throws: QueryError.invalidCursor) {
            try Cursor(cursor.text, kind: .list, queryHash: 77, lastSequence: 39)
        }
    }

    @Test func aChangedCharacterIsRefused() {
        let text = Array(cursor.text.utf8)
        for position in text.indices {
            var changed = text
            changed[position] = changed[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: QueryError.invalidCursor) {
                try Cursor(String(decoding: changed, as: UTF8.self), kind: .list, queryHash: 77, lastSequence: 40)
            }
        }
    }

    @Test(arguments: ["", "A", "AAAA", "%%%%", "====", "ä", "AQ=="])
    func garbageIsRefused(text: String) {
        #expect(throws: QueryError.invalidCursor) {
            try Cursor(text, kind: .list, queryHash: 77, lastSequence: 40)
        }
    }

    @Test func base64ReadsBackForEveryLength() {
        var random = SeededRandom(seed: 61)
        for count in 0..<40 {
            let bytes = random.bytes(count)
            #expect(Base64URL.bytes(Base64URL.text(bytes)) == bytes)
        }
        #expect(Base64URL.text([0xFB, 0xFF]) == "-_8")
        #expect(Base64URL.bytes("-_9") == nil)
    }

    @Test func aQueryRefusesTheCursorOfAnother() throws {
        var scenario = Scenario(seed: 62)
        try scenario.append(60, families: [.commandExecution])
        let source = try scenario.source()
        var query = ListQuery(family: .commandExecution, range: .all)
        query.limit = 5
        let cursor = try #require(try query.answer(from: source, now: scenario.now).nextCursor)
        query.cursor = cursor
        query.limit = 7
        #expect(try query.answer(from: source, now: scenario.now).items.count == 7)
        query.filter.isSuccess = true
        #expect(throws: QueryError.invalidCursor) { try query.answer(from: source, now: scenario.now) }
    }

    @Test func aRangeThatFollowsTheClockStaysThatOfTheFirstPage() throws {
        var scenario = Scenario(seed: 63)
        try scenario.append(60, families: [.commandExecution])
        let source = try scenario.source()
        var query = ListQuery(family: .commandExecution, range: .all)
        query.isStartImplied = true
        query.isEndImplied = true
        query.limit = 5
        let first = try query.answer(from: source, now: scenario.now)
        query.cursor = first.nextCursor
        query.range = TimeRange(start: Timestamp(microseconds: 0), end: Timestamp(microseconds: 1))
        let second = try query.answer(from: source, now: scenario.now)
        #expect(second.range == first.range)
        #expect(second.items.count == 5)
    }
}
