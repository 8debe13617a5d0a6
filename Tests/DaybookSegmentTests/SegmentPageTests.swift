import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// The examples of the format page of segments: what they decode to, and that the code writes the very same bytes.
struct SegmentPageTests {
    static let segmentPage = "docs/format/segment.md"

    private func vector(_ name: String, page: String = segmentPage) throws -> HexVector {
        try HexVectors.load(page: page, name: name)
    }

    private func elements(_ value: ParsedJSON?) -> [ParsedJSON] {
        guard case .array(let elements)? = value else { return [] }
        return elements
    }

    private func bytes(ofHex text: String) throws -> [UInt8] {
        let digits = Array(text.utf8)
        return try stride(from: 0, to: digits.count, by: 2).map { position in
            let high = try #require(hexValue(digits[position]))
            let low = try #require(hexValue(digits[position + 1]))
            return high << 4 | low
        }
    }

    @Test(
        arguments: [
            "page-constant", "page-run-length", "page-frame-of-reference", "page-delta", "page-dictionary",
            "page-patched", "page-patched-delta",
        ])
    func aPageOfIntegersIsAsThePageSays(name: String) throws {
        let vector = try vector(name)
        let fields = try vector.fields()
        let values = elements(fields["values"]).compactMap(\.unsigned)
        let number = try #require(fields["encoding"]?.integer)
        let encoding = try #require(PageEncoding(rawValue: UInt8(number)))
        #expect(try PageCoding.decode(encoding, vector.bytes, count: values.count) == values)
        #expect(!values.isEmpty)
    }

    @Test func aPageWithMissingValuesIsAsThePageSays() throws {
        let vector = try vector("page-optional")
        let values = elements(try vector.fields()["values"]).map(\.unsigned)
        #expect(try AttributePageTests.decode(.optional, vector.bytes, count: values.count, .unsigned) == values)
        let (encoding, payload, _) = AttributePageTests.encode(values, .unsigned)
        #expect(encoding == .optional)
        #expect(payload == vector.bytes)
        #expect(values.count == 4)
    }

    @Test func aPageOfDecimalFractionsIsAsThePageSays() throws {
        let vector = try vector("page-decimal")
        let texts = elements(try vector.fields()["numbers"]).compactMap(\.string)
        let values = texts.map { Double($0)?.bitPattern }
        #expect(try AttributePageTests.decode(.decimal, vector.bytes, count: values.count, .number) == values)
        let (encoding, payload, _) = AttributePageTests.encode(values, .number)
        #expect(encoding == .decimal)
        #expect(payload == vector.bytes)
        #expect(values.count == 3)
    }

    @Test(arguments: ["page-plain-strings", "page-dictionary-strings"])
    func aPageOfStringsIsAsThePageSays(name: String) throws {
        let vector = try vector(name)
        let fields = try vector.fields()
        let strings = elements(fields["strings"]).map { $0.string.map { Array($0.utf8) } }
        let number = try #require(fields["encoding"]?.integer)
        let encoding = try #require(PageEncoding(rawValue: UInt8(number)))
        #expect(try PageCoding.decodeStrings(encoding, vector.bytes, count: strings.count) == strings)
        let (found, payload, _) = PageCoding.encode(strings)
        if found == encoding { #expect(payload == vector.bytes) }
        #expect(!strings.isEmpty)
    }

    /// The examples of whole segments, and what their writers give columns.
    static let segments: [(name: String, policy: AttributePolicy)] = [
        ("segment", .columns), ("segment-attributes", .columns(from: 2)),
    ]

    @Test(arguments: segments.map(\.name))
    func theSegmentIsAsThePageSays(name: String) throws {
        let vector = try vector(name)
        let fields = try vector.fields()
        let disk = try disk(holding: vector.bytes)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(reader.log.rawValue == fields["log"]?.unsigned)
        #expect(Int(reader.family.rawValue) == fields["family"]?.integer)
        #expect(Int(reader.schemaVersion) == fields["schema_version"]?.integer)
        #expect(reader.firstSequence == fields["first_sequence"]?.unsigned)
        #expect(reader.lastSequence == fields["last_sequence"]?.unsigned)
        #expect(reader.timestampMin.microseconds == fields["timestamp_min"]?.signed)
        #expect(reader.timestampMax.microseconds == fields["timestamp_max"]?.signed)
        let rows = elements(fields["rows"])
        let batch = try reader.read(rowGroup: 0, .all)
        #expect(batch.rowCount == rows.count)
        for (row, expected) in rows.enumerated() {
            var encoding: [UInt8] = []
            batch.appendEncoding(row: row, to: &encoding)
            let digits = try #require(expected["encoding"]?.string)
            let wanted = try bytes(ofHex: digits)
            #expect(encoding == wanted)
            #expect(batch.sequences[row] == expected["sequence"]?.unsigned)
            #expect(batch.arrivals[row] == expected["arrival"]?.signed)
        }
        let check = try SegmentCheck(disk: disk, path: segmentPath)
        #expect(check.isSound)
        #expect(check.pageCount == fields["page_count"]?.integer)
    }

    @Test func theAttributesAreAsThePageSays() throws {
        let vector = try vector("segment-attributes")
        let attributes = elements(try vector.fields()["attributes"])
        let reader = try SegmentReader.open(disk: try disk(holding: vector.bytes), path: segmentPath)
        #expect(reader.attributes.count == attributes.count)
        for (index, expected) in attributes.enumerated() {
            let found = reader.attributes[index]
            #expect(SegmentAttribute.columnNumber(index) == UInt16(try #require(expected["column"]?.integer)))
            #expect(found.name.root.rawValue == UInt8(try #require(expected["object"]?.integer)))
            #expect(found.kind.rawValue == UInt8(try #require(expected["kind"]?.integer)))
            #expect(found.name.keys == elements(expected["path"]).compactMap(\.string).map { Array($0.utf8) })
        }
        let rest = try #require(
            try reader.read(
                rowGroup: 0, rows: 0..<3, [],
                attributes: [
                    AttributeName(root: .object, keys: [Array("nobody".utf8)])
                ]
            ).attributes.objectRest)
        let wanted = elements(try vector.fields()["rest"]).map { $0.string.map { Array($0.utf8) } }
        #expect((0..<rest.rowCount).map { rest[$0] } == wanted)
    }

    @Test(arguments: segments)
    func theSameRowsMakeTheSameSegment(name: String, policy: AttributePolicy) throws {
        let vector = try vector(name)
        let reader = try SegmentReader.open(disk: try disk(holding: vector.bytes), path: segmentPath)
        let batch = try reader.read(rowGroup: 0, .all)
        let disk = SimulatedDisk()
        var writer = try SegmentWriter(
            disk: disk, path: segmentPath, log: reader.log, family: reader.family, schemaVersion: reader.schemaVersion,
            firstSequence: reader.firstSequence, lastSequence: reader.lastSequence, attributes: policy)
        for row in 0..<batch.rowCount {
            var encoding: [UInt8] = []
            batch.appendEncoding(row: row, to: &encoding)
            try encoding.withRawSpan {
                try writer.append(
                    sequence: batch.sequences[row], arrival: Timestamp(microseconds: batch.arrivals[row]), encoding: $0)
            }
        }
        let summary = try writer.finish()
        #expect(try disk.readAll(segmentPath) == vector.bytes)
        #expect(summary.byteCount == UInt64(vector.bytes.count))
    }
}
