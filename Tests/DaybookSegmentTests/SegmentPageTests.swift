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

    @Test func theSegmentIsAsThePageSays() throws {
        let vector = try vector("segment")
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

    @Test func theSameRowsMakeTheSameSegment() throws {
        let vector = try vector("segment")
        let reader = try SegmentReader.open(disk: try disk(holding: vector.bytes), path: segmentPath)
        let batch = try reader.read(rowGroup: 0, .all)
        let disk = SimulatedDisk()
        var writer = try SegmentWriter(
            disk: disk, path: segmentPath, log: reader.log, family: reader.family, schemaVersion: reader.schemaVersion,
            firstSequence: reader.firstSequence, lastSequence: reader.lastSequence)
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
