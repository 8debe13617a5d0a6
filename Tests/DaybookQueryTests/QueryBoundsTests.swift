import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct QueryBoundsTests {
    @Test func bucketsOfTimesBefore1970LieBeforeIt() {
        let grid = BucketGrid(.oneDay, .all)
        #expect(grid.bucket(of: -1) == -1)
        #expect(grid.bucket(of: 0) == 0)
        #expect(grid.bucket(of: -86_400_000_000) == -1)
        #expect(grid.bounds(of: -1).start.microseconds == -86_400_000_000)
    }

    @Test func theBucketsAtBothEndsAreClippedToTheRange() {
        let range = TimeRange(start: Timestamp(microseconds: 90_000_000), end: Timestamp(microseconds: 240_000_000))
        let grid = BucketGrid(.oneMinute, range)
        let first = grid.bounds(of: 1)
        #expect(first.start == range.start && first.isPartial)
        let last = grid.bounds(of: 3)
        #expect(last.end == range.end && !last.isPartial)
    }

    @Test func timesOfTenThousandYearsFitMinutes() throws {
        var model = ModelStore()
        for (sequence, time) in [TimestampText.printable.lowerBound, TimestampText.printable.upperBound].enumerated() {
            try model.append(
                .commandExecution, sequence: UInt64(sequence + 1), arrival: Timestamp(microseconds: 0),
                encoding: TestEvents.command(1, at: time))
        }
        var random = SeededRandom(seed: 85)
        for sealedThrough in [0, 2] as [UInt64] {
            let source = try SplitSource(model.events, sealedThrough: sealedThrough, &random)
            var query = AggregateQuery(family: .commandExecution, range: .all)
            query.window = .oneMinute
            let items = try query.answer(from: source, now: Timestamp(microseconds: 0)).items
            #expect(items.map(\.count) == [1, 1])
        }
    }

    @Test func aFamilyWithoutDurationsHasNoneInBounds() throws {
        var scenario = Scenario(seed: 86)
        try scenario.append(30, families: [.productivityMetric])
        var query = ListQuery(family: .productivityMetric, range: .all)
        query.filter.durationMax = 5
        #expect(try query.answer(from: try scenario.source(), now: scenario.now).items.count == 0)
    }

    @Test func aCancelledQueryStops() throws {
        var scenario = Scenario(seed: 81)
        try scenario.append(40)
        let source = try scenario.source()
        let cancellation = Cancellation()
        cancellation.cancel()
        for family in Family.ofOrganizations {
            #expect(throws: QueryError.cancelled) {
                try AggregateQuery(family: family, range: .all).answer(
                    from: source, now: scenario.now, cancellation: cancellation)
            }
            #expect(throws: QueryError.cancelled) {
                try ListQuery(family: family, range: .all).answer(
                    from: source, now: scenario.now, cancellation: cancellation)
            }
        }
    }

    @Test func tooManyGroupsAreAnError() throws {
        var groups = GroupSlots(dimensionCount: 0)
        for bucket in 0..<Int64(QueryLimits.groupCountMax) { _ = try groups.slot(of: .init(bucket: bucket)) }
        #expect(throws: QueryError.tooLarge(limit: QueryLimits.groupCountMax)) {
            try groups.slot(of: .init(bucket: -1))
        }
        #expect(try groups.slot(of: .init(bucket: 5)) == 5)
    }

    @Test func groupingByManyCombinationsCountsEachOnce() {
        var random = SeededRandom(seed: 82)
        let left = (0..<500).map { _ in UInt32(random.below(90)) }
        let right = (0..<500).map { _ in UInt32(random.below(2_000)) }
        var grouping = RowGrouping(rowCount: 500)
        grouping.split(by: left, cardinality: 91)
        // 90 * 100,000 combinations are too many for a table by position.
        grouping.split(by: right, cardinality: 100_000)
        let expected = Set(zip(left, right).map { UInt64($0) << 32 | UInt64($1) })
        #expect(grouping.count == expected.count)
        for row in 0..<500 {
            let combination = Int(grouping.combinations[row])
            #expect(grouping.codes[0][combination] == Int(left[row]))
            #expect(grouping.codes[1][combination] == Int(right[row]))
        }
    }

    @Test func anInternedStringKeepsItsCode() throws {
        var interner = ByteInterner()
        var random = SeededRandom(seed: 83)
        var known: [[UInt8]: UInt32] = [:]
        for _ in 0..<3_000 {
            let bytes = random.bytes(random.below(4))
            let code = try interner.code(of: bytes, 0..<bytes.count)
            #expect(known[bytes, default: code] == code)
            known[bytes] = code
        }
        #expect(interner.count == known.count)
        let ranked = known.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
        let ranks = interner.ranks()
        #expect(ranked.map { ranks[Int($0)] } == Array(0..<UInt32(known.count)))
    }

    @Test func damagedCanonicalTextIsNotFoundAndNeverATrap() {
        var random = SeededRandom(seed: 84)
        let text = Array(#"{"a":{"b":["x",{"y":"\"}"}],"c":-1.5},"d\\e":"\u0001","f":true}"#.utf8)
        for _ in 0..<5_000 {
            var damaged = text
            for _ in 0...random.below(3) {
                damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            damaged.removeLast(random.below(damaged.count))
            damaged.withRawSpan { (bytes: RawSpan) in
                for path in [[Array("a".utf8), Array("c".utf8)], [Array("f".utf8)], [Array("d\\\\e".utf8)]] {
                    guard let value = CanonicalScanner.find(path, in: bytes) else { continue }
                    let count = bytes.byteCount
                    #expect(value.upperBound <= count)
                    _ = AttributeValue(bytes, value)
                }
            }
        }
    }

    @Test func valuesAreFoundByTheirPath() throws {
        let text = Array(#"{"a":{"b":["x",{"y":"\"}"}],"c":-1.5},"d\\e":"\u0001","f":true}"#.utf8)
        func found(_ path: [String]) -> String? {
            text.withRawSpan { (bytes: RawSpan) in
                CanonicalScanner.find(path.map { Array($0.utf8) }, in: bytes).map { bytes.text($0) }
            }
        }
        #expect(found(["a", "c"]) == "-1.5")
        #expect(found(["f"]) == "true")
        #expect(found(["d\\\\e"]) == #""\u0001""#)
        #expect(found(["a", "b"]) == #"["x",{"y":"\"}"}]"#)
        #expect(found(["a", "b", "y"]) == nil)
        #expect(found(["y"]) == nil)
        #expect(found(["f", "g"]) == nil)
    }
}
