import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookSystem

/// The input is a segment file whose checksums are all 0, as they are taken for sound here. Whatever can be read must be
/// rows that encode, and every way of reading them must come to an end.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSegmentFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let disk = MemoryDisk(["a.dbs": Array(UnsafeBufferPointer(start: start, count: count))])
    withConstantChecksums {
        _ = try? SegmentCheck(disk: disk, path: "a.dbs")
        guard let segment = try? SegmentReader.open(disk: disk, path: "a.dbs") else { return }
        // A footer may speak of very many row groups; the first ones say enough.
        for rowGroup in 0..<min(segment.rowGroupCount, 4) { read(rowGroup, of: segment) }
        _ = try? SegmentIndex.rebuild(segment, disk: disk)
    }
    return 0
}

private func read(_ rowGroup: Int, of segment: SegmentReader) {
    let zone = segment.zone(rowGroup: rowGroup)
    _ = try? segment.pageZones(rowGroup: rowGroup)
    if let batch = try? segment.read(rowGroup: rowGroup, .all) {
        var encoding: [UInt8] = []
        for row in 0..<batch.rowCount {
            encoding.removeAll(keepingCapacity: true)
            batch.appendEncoding(row: row, to: &encoding)
        }
    }
    if zone.rowCount > 1 { _ = try? segment.read(rowGroup: rowGroup, rows: 1..<2, .all) }
    guard let attributes = try? segment.attributeColumns(rowGroup: rowGroup) else { return }
    for (attribute, _) in attributes.prefix(4) {
        _ = try? segment.read(rowGroup: rowGroup, rows: 0..<zone.rowCount, [.status], attributes: [attribute.name])
    }
}
