import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Which paths become columns, and what they answer.
struct AttributeReadTests {
    private func text(_ column: AttributeColumn, _ row: Int) -> String? {
        guard column.isPresent(row) else { return nil }
        var bytes: [UInt8] = []
        column.appendText(row, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func rows(_ count: Int, _ text: (Int) -> String?) -> [String?] { (0..<count).map(text) }

    @Test func valuesHaveTheKindOfTheirPath() throws {
        let objects = rows(40) { row in
            "{\"b\":\(row % 2 == 0),\"i\":\(row - 20),\"n\":\(row).5,\"s\":\"v\(row % 3)\",\"u\":\(UInt64.max - UInt64(row))}"
        }
        let reader = try attributeReader(objects)
        #expect(
            try reader.attributeKinds() == [
                "b": .boolean, "i": .integer, "n": .number, "s": .string, "u": .integer,
            ])
        guard case .booleans(let flags) = try reader.attribute("b").0.values,
            case .signed(let signed) = try reader.attribute("i").0.values,
            case .numbers(let numbers) = try reader.attribute("n").0.values,
            case .codes(let codes) = try reader.attribute("s").0.values,
            case .unsigned(let unsigned) = try reader.attribute("u").0.values
        else {
            Issue.record("another shape")
            return
        }
        #expect(flags == (0..<40).map { $0 % 2 == 0 })
        #expect(signed == (0..<40).map { $0 - 20 })
        #expect(numbers == (0..<40).map { Double($0) + 0.5 })
        #expect(unsigned == (0..<40).map { UInt64.max - $0 })
        #expect(codes.table.count == 3)
        #expect((0..<40).map { codes.text($0) } == (0..<40).map { "v\($0 % 3)" })
    }

    @Test func onlyPathsOfOneRowInAHundredAreColumns() throws {
        let objects = rows(4_000) { row in
            row % 100 == 0 ? "{\"often\":1}" : row % 110 == 1 ? "{\"seldom\":1}" : "{\"x\":\(row)}"
        }
        let kinds = try attributeReader(objects, from: 32).attributeKinds()
        #expect(kinds == ["often": .integer, "x": .integer])
    }

    @Test func aPathInFewRowsIsNoColumn() throws {
        let objects = rows(60) { row in row < 31 ? "{\"few\":1}" : row == 31 ? nil : "{}" }
        #expect(try attributeReader(objects, from: 32).attributes.isEmpty)
        #expect(try attributeReader(objects, from: 31).attributes.count == 1)
    }

    @Test func stringsThatAreNearlyAllDistinctAreBytes() throws {
        let objects = rows(3_000) { row in "{\"d\":\"id \(row)\",\"few\":\"v\(row % 7)\"}" }
        let reader = try attributeReader(objects)
        guard case .strings(let column) = try reader.attribute("d").0.values else {
            Issue.record("not bytes")
            return
        }
        #expect(column[2_999] == Array("id 2999".utf8))
        guard case .codes = try reader.attribute("few").0.values else {
            Issue.record("not codes")
            return
        }
    }

    @Test func theRestIsNeededOnlyWhereItHoldsValuesOfThePath() throws {
        let objects = rows(50) { row in
            let odd = row == 7 ? "\"text\"" : "\(row)"
            let opaque = row == 8 ? "null" : row == 9 ? "[1]" : row == 10 ? "{\"x\":1}" : "\(row)"
            return "{\"clean\":\(row),\"mixed\":\(odd),\"opaque\":\(opaque)}"
        }
        let reader = try attributeReader(objects, from: 20)
        let clean = try reader.attribute("clean")
        #expect(!clean.0.mayBeInRest)
        #expect(clean.1 == nil)
        let mixed = try reader.attribute("mixed")
        #expect(mixed.0.mayBeInRest)
        #expect(mixed.0.isPresent(6) && !mixed.0.isPresent(7))
        #expect(mixed.1?[7] == Array("{\"mixed\":\"text\"}".utf8))
        #expect(mixed.1?.isPresent(6) == false)
        let opaque = try reader.attribute("opaque")
        #expect(!opaque.0.mayBeInRest)
        #expect(!opaque.0.isPresent(8) && !opaque.0.isPresent(9) && !opaque.0.isPresent(10))
    }

    @Test func anObjectThatCannotBeTakenApartMakesEveryPathUncertain() throws {
        let objects = rows(50) { row in row == 3 ? "{\"a\":1" : "{\"a\":1}" }
        let (column, rest) = try attributeReader(objects, from: 20).attribute("a")
        #expect(column.mayBeInRest)
        #expect(rest?[3] == Array("{\"a\":1".utf8))
    }

    @Test func argumentsAndContextHaveAttributesOfTheirOwn() throws {
        let disk = SimulatedDisk()
        let events = (0..<50).map { row in
            AttributeSamples.event(
                .commandExecution, row: row, object: Array("{\"x\":\"context\"}".utf8),
                arguments: Array("{\"x\":\(row)}".utf8))
        }
        try writeSegment(events, disk: disk)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(text(try reader.attribute("x").0, 5) == "context")
        #expect(text(try reader.attribute("x", root: .arguments).0, 5) == "5")
    }

    @Test func anAttributeIsReadWithoutTheObjects() throws {
        let events = (0..<500).map { row in
            AttributeSamples.event(
                .agentInteraction, row: row, object: Array("{\"a\":\(row),\"list\":[\(row)]}".utf8))
        }
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk, effort: .none)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        let rest = try #require(try reader.directory(rowGroup: 0).column(.object))
        var bytes = try disk.readAll(segmentPath)
        bytes[Int(rest.offset) + 40] ^= 1
        let damaged = try SegmentReader.open(disk: try DaybookSegmentTests.disk(holding: bytes), path: segmentPath)
        #expect(throws: SegmentError.self) { try damaged.read(rowGroup: 0, .object) }
        #expect(throws: SegmentError.self) { try damaged.attribute("list") }
        let (column, _) = try damaged.attribute("a")
        #expect(text(column, 499) == "499")
    }

    /// Single rows have the objects that all rows have, with a cache and without.
    @Test(arguments: [nil, 1 << 20] as [Int?])
    func singleRowsHaveWholeObjects(cacheByteCount: Int?) throws {
        var samples = AttributeSamples(seed: 12)
        let disk = SimulatedDisk()
        let events = samples.events(.commandExecution, count: 9_000)
        try writeSegment(events, disk: disk)
        let cache = cacheByteCount.map { PageCache(byteCountMax: $0) }
        let reader = try SegmentReader.open(disk: disk, path: segmentPath, pages: cache, owner: cache?.admit() ?? 0)
        for _ in 0..<20 {
            let rows = (0..<reader.zone(rowGroup: 0).rowCount).filter { _ in samples.random.oneIn(300) }
            let batch = try reader.read(rowGroup: 0, rowsAt: rows, .all)
            try expect(batch, equals: rows.map { events[$0] })
        }
    }

    @Test func cachedDictionariesOfAttributesAreShared() throws {
        let disk = SimulatedDisk()
        let events = (0..<200).map { row in
            AttributeSamples.event(.agentInteraction, row: row, object: Array("{\"a\":\"v\(row % 3)\"}".utf8))
        }
        try writeSegment(events, disk: disk)
        let cache = PageCache(byteCountMax: 1 << 20)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath, pages: cache, owner: cache.admit())
        guard case .codes(let first) = try reader.attribute("a").0.values,
            case .codes(let second) = try reader.attribute("a").0.values
        else {
            Issue.record("not codes")
            return
        }
        #expect(first.table === second.table)
        #expect(first.codes == second.codes)
    }

    /// Columns and rests together answer as the whole objects do.
    @Test(arguments: 1...20)
    func attributesAgreeWithTheObjects(seed: Int) throws {
        var samples = AttributeSamples(seed: 700 + UInt64(seed))
        let count = 40 + samples.random.below(400)
        let events = samples.events(.commandExecution, count: count)
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk, attributes: .columns(from: 1 + samples.random.below(20)))
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        var names = reader.attributes.map(\.name)
        names.append(AttributeName(root: .object, keys: [Array("nobody has it".utf8)]))
        let first = samples.random.below(count)
        let rows = first..<first + 1 + samples.random.below(count - first)
        let (batch, found) = try reader.read(rowGroup: 0, rows: rows, [.object, .arguments], attributes: names)
        for (name, column) in zip(names, found.columns) {
            let path = name.keys.map { key in
                var escaped: [UInt8] = []
                CanonicalScanner.appendEscaped(key, to: &escaped)
                return escaped
            }
            let objects = try #require(name.root == .object ? batch.objects : batch.arguments)
            for row in 0..<rows.count {
                let wanted = scalar(objects, row, path)
                var answer = text(column, row)
                if answer == nil, column.mayBeInRest, let rest = found.rest(name.root) {
                    answer = scalar(rest, row, path)
                }
                try #require(answer == wanted, "\(name) \(row)")
            }
        }
    }

    /// A string's text or a scalar's; nil for null, containers and what is missing.
    private func scalar(_ column: ByteColumn, _ row: Int, _ path: [[UInt8]]) -> String? {
        column.withBytes(row) { object in
            guard column.isPresent(row), let range = CanonicalScanner.find(path, in: object) else { return nil }
            let text = object.toArray(range)
            switch text.first {
            case UInt8(ascii: "\""):
                var bytes: [UInt8] = []
                CanonicalScanner.appendUnescaped(object, range.lowerBound + 1..<range.upperBound - 1, to: &bytes)
                return String(decoding: bytes, as: UTF8.self)
            case nil, UInt8(ascii: "n"), UInt8(ascii: "{"), UInt8(ascii: "["): return nil
            default: return String(decoding: text, as: UTF8.self)
            }
        }
    }
}
