import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Whatever becomes a column, the objects come back as the very same bytes.
struct AttributeRoundTripTests {
    private func expectEqual(_ events: [GeneratedEvent], _ policy: AttributePolicy) throws -> SegmentReader {
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk, attributes: policy)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        var first = 0
        for group in 0..<reader.rowGroupCount {
            let batch = try reader.read(rowGroup: group, .all)
            try expect(batch, equals: Array(events[first..<first + batch.rowCount]))
            first += batch.rowCount
        }
        #expect(first == events.count)
        return reader
    }

    /// 100,000 events in all.
    @Test(arguments: Family.ofOrganizations)
    func encodingsComeBackFromColumnsOfAttributes(family: Family) throws {
        var samples = AttributeSamples(seed: 300 + UInt64(family.rawValue))
        let reader = try expectEqual(samples.events(family, count: 25_000), .columns)
        #expect(reader.attributes.count > 7)
    }

    /// Small segments, in which every path has a column.
    @Test(arguments: 1...60)
    func encodingsComeBackWhenEveryPathIsAColumn(seed: Int) throws {
        var samples = AttributeSamples(seed: UInt64(seed))
        let count = 1 + samples.random.below(150)
        let family = Family.ofOrganizations[seed % 4]
        _ = try expectEqual(samples.events(family, count: count), .columns(from: 1))
    }

    @Test func moreAttributesThanThereIsRoomForStayInTheRest() throws {
        let objects: [String?] = (0..<100).map { "{\"a\($0)\":1,\"b\($0)\":2,\"c\($0)\":3,\"d\":4}" }
        let reader = try attributeReader(objects)
        #expect(reader.attributes.count == SegmentLimits.attributeCountMax)
        #expect(try reader.attribute("d").0.isPresent(99))
        #expect(try reader.objectTexts() == objects)
    }

    @Test func keysThatNeverComeAgainDoNotHideTheOthers() throws {
        let objects: [String?] = (0..<6_000).map { "{\"a\":1,\"key-\($0)\":{\"x\":2},\"z\":\($0)}" }
        let reader = try attributeReader(objects)
        #expect(try reader.attributeKinds() == ["a": .integer, "z": .integer])
        #expect(try reader.objectTexts() == objects)
    }

    @Test func anyKeysComeBack() throws {
        var samples = AttributeSamples(seed: 8)
        samples.hasManyKeys = true
        _ = try expectEqual(samples.events(.commandExecution, count: 12_000), .columns(from: 1))
    }

    @Test func someRowsOfARowGroupComeBackAsTheyWere() throws {
        var samples = AttributeSamples(seed: 9)
        let events = samples.events(.commandExecution, count: 8_400)
        let reader = try expectEqual(events, .columns)
        for rows in [0..<0, 0..<1, 100..<200, 8_190..<8_194, 8_192..<8_400, 8_399..<8_400] {
            try expect(try reader.read(rowGroup: 0, rows: rows, .all), equals: Array(events[rows]))
        }
    }

    private static let cases: [[String?]] = [
        ["{}", nil, "{}", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":null}"],
        ["{\"a\":\"\"}", "{\"a\":1}", "{\"a\":true}", "{\"a\":{\"b\":1}}", "{\"a\":[1]}", "{\"a\":null}", "{}"],
        [
            "{\"a.b\":1}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1},\"a.b\":2}",
            "{\"a\":{\"\":1,\"b\":2},\"a.b\":{\"c\":3}}",
        ],
        ["{\"\":\"\"}", "{\"\":{\"\":{\"\":\"\"}}}"],
        ["{\"e\u{301}\":1,\"é\":2}", "{\"e\u{301}\":\"é\"}", "{\"é\":\"e\u{301}\"}"],
        ["{\"n\":18446744073709551615}", "{\"n\":0}"], ["{\"n\":18446744073709551615}", "{\"n\":-1}"],
        ["{\"n\":-9223372036854775808}", "{\"n\":9223372036854775807}", "{\"n\":9223372036854775808}"],
        ["{\"n\":9007199254740993}", "{\"n\":0.5}", "{\"n\":9007199254740992}"],
        ["{\"n\":5e-324}", "{\"n\":1.7976931348623157e+308}", "{\"n\":0.1}", "{\"n\":1e-7}", "{\"n\":1e+21}"],
        ["{\"s\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}/\"}", "{\"s\":\"\\\\\"}"],
        ["{\"\\n\":1,\"!\":2,\"\\\"\":3,\"\\\\\":4,\"]\":5}", "{\"\\n\":1,\"\\\"\":{\"\\t\":2}}"],
        ["{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":1}}}}}}}}", "{\"a\":{\"b\":{\"c\":{}}}}"],
        ["{\"a\":{\"x\":1,\"y\":[]},\"b\":{\"z\":null}}", "{\"a\":{\"x\":1},\"b\":{\"y\":2}}"],
        // Not canonical, but nothing here may trust that.
        [
            "", "{", "{}}", "{\"a\":}", "{\"a\":01}", "{\"a\":-0}", "{\"a\":1.0}", "{\"a\":1,\"a\":2}",
            "{\"b\":1,\"a\":2}",
        ],
        ["{\"a\":1 }", "{\"a\":\"\\u0041\"}", "{\"\\u0041\":1}", "{\"a\":1}x", "{\"a\":tru}", "{\"a\":{\"b\":x{}}"],
        [
            "{\"a\":1,}", "[1]", "{\"a\":[}]}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e5}", "{\"a\":+1}",
            "{\"a\":\"\u{1}\"}",
        ],
    ]

    @Test(arguments: cases)
    func everyFormOfAnObjectComesBack(objects: [String?]) throws {
        #expect(try attributeReader(objects).objectTexts() == objects)
        #expect(try attributeReader(objects, effort: .fast).objectTexts() == objects)
        // The same in the company of ordinary rows, so that their paths are columns.
        let more = [String?](repeating: "{\"a\":1,\"b\":{\"y\":\"x\"},\"n\":1.5,\"s\":\"t\"}", count: 20) + objects
        #expect(try attributeReader(more, from: 3).objectTexts() == more)
    }

    @Test func aSegmentWithoutColumnsOfAttributesReads() throws {
        var samples = AttributeSamples(seed: 10)
        let reader = try expectEqual(samples.events(.agentInteraction, count: 300), .none)
        #expect(reader.attributes.isEmpty)
        let (column, rest) = try reader.attribute("branch")
        #expect(column.mayBeInRest)
        #expect(rest?.rowCount == 300)
    }
}
