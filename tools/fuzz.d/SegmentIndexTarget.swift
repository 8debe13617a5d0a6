import DaybookFormat
import DaybookSegment
import DaybookSystem

/// The first bytes say how the segment is cut and how many sections there are, the rest is descriptions and contents
/// under a sound header. Whatever is read must answer without a trap and name only pages that exist.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSegmentIndex(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 4 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let family = Family.ofOrganizations[Int(input[0]) % Family.ofOrganizations.count]
    let rowCounts = (0..<Int(input[1]) % 20).map { 1 + (Int(input[2]) * 997 * ($0 + 1)) % 65_536 }
    let shape = IndexShape(segmentByteCount: 1_000, footerChecksum: 7, family: family, rowCounts: rowCounts)
    let bytes = file(input, rowGroupCount: rowCounts.count)
    guard let index = SegmentIndex(verifying: Mapping(copy: bytes), of: shape) else { return 0 }
    let pageCount = rowCounts.reduce(0) { $0 + ($1 + 8_191) / 8_192 }
    var value: [UInt8] = []
    for byte in input.suffix(8) {
        check(index.pages(withUser: value), rowCounts, pageCount)
        check(index.pages(withName: value), rowCounts, pageCount)
        check(index.pages(withSession: value), rowCounts, pageCount)
        check(index.pages(containingTokensOf: value), rowCounts, pageCount)
        check(index.pages(withEvent: EventID(high: UInt64(byte), low: 1)), rowCounts, pageCount)
        value.append(byte)
    }
    for section in index.report().sections {
        precondition(section.foundShare >= 0 && section.foundShare <= 1, "a share of more pages than there are")
        precondition(section.absentShare >= 0 && section.absentShare <= 1, "a share of more pages than there are")
    }
    return 0
}

/// As docs/format/index.md has it, so that lengths and checksum stop nothing.
private func file(_ input: [UInt8], rowGroupCount: Int) -> [UInt8] {
    let body = Array(input.dropFirst(4))
    var bytes = Array("DDBI".utf8)
    bytes.append(littleEndian: UInt32(2))
    bytes.append(littleEndian: UInt64(40 + body.count))
    bytes.append(littleEndian: UInt64(1_000))
    bytes.append(littleEndian: UInt32(7))
    bytes.append(littleEndian: UInt32(rowGroupCount))
    bytes.append(littleEndian: UInt32(input[3] % 8))
    bytes.append(littleEndian: crc32c(body, continuing: crc32c(bytes)))
    return bytes + body
}

private func check(_ set: PageSet, _ rowCounts: [Int], _ pageCount: Int) {
    precondition(set.pageCount <= pageCount, "more pages than there are")
    for rowGroup in set.rowGroups {
        for rows in set.rows(rowGroup: rowGroup) {
            precondition(!rows.isEmpty && rows.upperBound <= rowCounts[rowGroup], "rows that are not there")
        }
    }
    precondition(set.rowGroups.isEmpty == set.isEmpty)
}
