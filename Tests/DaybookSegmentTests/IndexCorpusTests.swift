import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookSegment

/// The inputs that the fuzzer starts from and those that once broke something; see tools/fuzz.
struct IndexCorpusTests {
    /// As tools/fuzz.d/SegmentIndexTarget.swift has it.
    private func index(_ input: [UInt8]) -> SegmentIndex? {
        let rowCounts = (0..<Int(input[1]) % 20).map { 1 + (Int(input[2]) * 997 * ($0 + 1)) % 65_536 }
        let shape = IndexShape(
            segmentByteCount: 1_000, footerChecksum: 7,
            family: Family.ofOrganizations[Int(input[0]) % Family.ofOrganizations.count], rowCounts: rowCounts)
        var bytes: [UInt8] = []
        bytes.append(littleEndian: IndexLayout.magic)
        bytes.append(littleEndian: IndexLayout.version)
        bytes.append(littleEndian: UInt64(IndexLayout.headerByteCount + input.count - 4))
        bytes.append(littleEndian: shape.segmentByteCount)
        bytes.append(littleEndian: shape.footerChecksum)
        bytes.append(littleEndian: UInt32(rowCounts.count))
        bytes.append(littleEndian: UInt32(input[3] % 8))
        bytes.append(littleEndian: crc32c(Array(input[4...]), continuing: crc32c(bytes)))
        return SegmentIndex(verifying: Mapping(copy: bytes + input[4...]), of: shape)
    }

    @Test func `whatever is read answers with pages that exist`() throws {
        let folder = Repository.root.appending(path: "data/corpus/segment-index")
        var readableCount = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let input = Array(try Data(contentsOf: folder.appending(path: name)))
            guard input.count > 4, let index = index(input) else { continue }
            readableCount += 1
            for value in ["", "ann", "bo", "timeout", "api"].map({ Array($0.utf8) }) {
                for set in [
                    index.pages(withUser: value), index.pages(withName: value), index.pages(withSession: value),
                    index.pages(containingToken: value),
                ] {
                    #expect(set.pageCount <= index.shape.pageCount)
                    #expect(set.rowCount <= index.shape.rowCount)
                }
            }
            for section in index.report().sections {
                #expect((0...1).contains(section.foundShare) && (0...1).contains(section.absentShare))
            }
        }
        #expect(readableCount >= 5)
    }
}
