import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

/// The examples of the format page: what they decode to, and that the code writes the very same bytes.
struct RollupPageTests {
    static let page = "docs/format/rollup.md"

    @Test(arguments: ["numbers-frame", "numbers-own-widths"])
    func `numbers are as the page says`(name: String) throws {
        let vector = try HexVectors.load(page: Self.page, name: name)
        let numbers = try #require(try vector.fields()["numbers"]?.elements).compactMap(\.unsigned)
        var written: [UInt8] = []
        NumberColumn.append(numbers, to: &written)
        #expect(written == vector.bytes)
        let padded = vector.bytes + [UInt8](repeating: 0xFF, count: bitSourcePaddingByteCount)
        var read: [UInt64] = []
        try vector.bytes.withRawSpan { (span: RawSpan) throws(FormatError) in
            var reader = ByteReader()
            try NumberColumn.read(&reader, span, padded: padded, count: numbers.count, to: &read)
            let isAtEnd = reader.isAtEnd(span)
            #expect(isAtEnd)
        }
        #expect(read == numbers)
    }

    @Test func `the file is as the page says`() throws {
        let vector = try HexVectors.load(page: Self.page, name: "rollup")
        let fields = try vector.fields()
        let events = try #require(fields["events"]?.elements).map { event in
            RollupEvent(
                timestamp: try #require(event["timestamp"]?.signed),
                status: event["status"]?.string == "error" ? .error : .success, duration: event["duration"]?.unsigned,
                name: event["name"]?.string, user: event["user"]?.string)
        }
        let identity = RollupIdentity(
            log: LogID(try #require(fields["log"]?.unsigned)), family: .commandExecution,
            firstSequence: try #require(fields["first_sequence"]?.unsigned),
            lastSequence: try #require(fields["last_sequence"]?.unsigned), segmentChecksum: 0xEF69_D174)
        let bytes = RollupSamples.build(.commandExecution, [events], identity: identity)
        #expect(bytes == vector.bytes)
        let file = try RollupFile(vector.bytes)
        #expect(file.damages.isEmpty)
        #expect(file.identity == identity)
        #expect(file.eventCount == UInt64(events.count))
        let sections = try #require(fields["sections"]?.elements)
        var sectionCount = 0
        for grain in RollupGrain.allCases {
            for window in RollupWindow.allCases {
                guard let section = file.section(grain, window) else { continue }
                let expected = sections[sectionCount]
                sectionCount += 1
                #expect(expected["grain"]?.integer == Int(grain.rawValue))
                #expect(expected["window"]?.integer == Int(window.rawValue))
                try expect(expected["rows"]?.elements ?? [], section, of: file)
            }
        }
        #expect(sectionCount == sections.count)
        #expect(sectionCount > 0)
    }

    private func expect(_ expected: [ParsedJSON], _ section: RollupSection, of file: RollupFile) throws {
        var index = 0
        try file.forEachRow(of: section) { row in
            let wanted = try #require(index < expected.count ? expected[index] : nil)
            index += 1
            #expect(row.windowStart == wanted["start"]?.signed)
            #expect(row.status?.name == wanted["status"]?.string)
            #expect(row.aggregate.durations.count == wanted["count"]?.unsigned)
            #expect(row.aggregate.durations.sum == UInt128(wanted["sum"]?.unsigned ?? .max))
            #expect(row.aggregate.durations.minimum == wanted["minimum"]?.unsigned)
            #expect(row.aggregate.durations.maximum == wanted["maximum"]?.unsigned)
            let positions = row.aggregate.durations.histogram.positive
            let buckets = try #require(wanted["buckets"]?.elements).compactMap { $0.elements?.compactMap(\.signed) }
            #expect(buckets == zip(positions.indexes, positions.counts).map { [Int64($0), Int64($1)] })
            let key = row.key == RollupCodes.missing ? nil : file.dictionary(of: section.grain).bytes(of: row.key)
            #expect(key.map { String(decoding: $0, as: UTF8.self) } == wanted["key"]?.string)
        }
        #expect(index == expected.count)
    }
}
