import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// The examples of docs/format/index.md: what they mean, and that the code writes the very same bytes.
struct IndexPageTests {
    private func vector(_ name: String) throws -> HexVector {
        try HexVectors.load(page: "docs/format/index.md", name: name)
    }

    private func texts(_ value: ParsedJSON?) -> [[UInt8]] {
        (value?.elements ?? []).compactMap(\.string).map { Array($0.utf8) }
    }

    @Test func `the index of the example is as the page says`() throws {
        let index = try vector("index")
        let fields = try index.fields()
        let segmentBytes = try HexVectors.load(page: SegmentPageTests.segmentPage, name: "segment").bytes
        let disk = try disk(holding: segmentBytes)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        _ = try SegmentIndex.rebuild(segment, disk: disk)
        #expect(try disk.readAll(SegmentIndex.path(ofSegment: segmentPath)) == index.bytes)
        let found = try #require(try SegmentIndex.existing(segment, disk: disk))
        for (column, key) in [(ColumnNumber.user, "user"), (.name, "name")] {
            let texts = texts(fields[key])
            #expect(!texts.isEmpty)
            #expect(found.distinctCount(column) == texts.count)
            for text in texts { #expect(found.rowGroups(column, containing: text) == [0]) }
        }
        #expect(!texts(fields["text"]).isEmpty)
        for token in texts(fields["text"]) { #expect(found.pages(containingToken: token).rowGroups == [0]) }
        #expect(found.pages(containingToken: Array("project".utf8)).isEmpty)
    }

    @Test func `the sets of the example are as the page says`() throws {
        let vector = try vector("sets")
        let fields = try vector.fields()
        let rowGroupCount = try #require(fields["row_groups"]?.integer)
        let expected = try #require(fields["pages"]?.members)
        var builder = SetSection.Builder(rowGroupCount: rowGroupCount)
        for (text, pages) in expected.sorted(by: { SegmentIndex.hash($0.key) < SegmentIndex.hash($1.key) }) {
            let numbers = (pages.elements ?? []).compactMap(\.integer)
            builder.append(SegmentIndex.hash(text), [numbers.reduce(0) { $0 | 1 << UInt64($1) }])
        }
        let section = builder.section(.session, unread: nil)
        #expect(section.content == vector.bytes)
        try vector.bytes.withRawSpan { bytes in
            let read = try SetSection(
                hashCount: expected.count, setCount: section.unitCount, setNumberByteCount: 1, unreadSet: nil,
                range: 0..<bytes.byteCount, in: bytes)
            for (text, pages) in expected {
                let masks = read.masks(of: SegmentIndex.hash(text), in: bytes, rowGroupCount: rowGroupCount) ?? []
                let numbers = (0..<8 * rowGroupCount).filter { masks[$0 / 8] & 1 << UInt8($0 % 8) != 0 }
                #expect(numbers == (pages.elements ?? []).compactMap(\.integer))
            }
        }
    }

    @Test func `the filter of the example is as the page says`() throws {
        let vector = try vector("filter")
        let fields = try vector.fields()
        let hashes = texts(fields["values"]).map { SegmentIndex.hash($0) }
        #expect(!hashes.isEmpty)
        var bytes: [UInt8] = []
        SplitBlockFilter.append(hashes, blockCount: try #require(fields["blocks"]?.integer), to: &bytes)
        #expect(bytes == vector.bytes)
        bytes.withRawSpan { blocks in
            for hash in hashes {
                let isThere = SplitBlockFilter.contains(hash, in: blocks)
                #expect(isThere)
            }
        }
    }

    @Test(
        arguments: [
            ("", 0x8ea3_afbe_9906_6b15), ("ann", 0xcf07_fb18_2937_b567), ("bo", 0xaa8c_f060_6ca0_60e0),
            ("completion_rate", 0x2b47_7ef4_db9b_27ba), ("code_quality", 0x941d_89c0_eab1_223b),
        ] as [(String, UInt64)])
    func `hashes are as the page says`(text: String, hash: UInt64) {
        let found = Array(text.utf8).withRawSpan { FieldHash.ofIndex($0) }
        #expect(found == hash)
    }

    @Test func `an identifier is hashed as its sixteen bytes`() throws {
        let id = try #require(EventID("0192e4a0-7c00-7abc-8def-0123456789ab"))
        let bytes: [UInt8] = [
            0x01, 0x92, 0xe4, 0xa0, 0x7c, 0, 0x7a, 0xbc, 0x8d, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
        ]
        #expect(SegmentIndex.hash(id) == SegmentIndex.hash(bytes))
    }
}
