import DaybookFormat
import DaybookLog
import DaybookSystem

/// The input is a checkpoint log whose checksums are all 0, as they are taken for sound here.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzCheckpoint(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 16 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let disk = MemoryDisk([CheckpointLog.path(1): input])
    let storeID = input[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    withConstantChecksums {
        guard let found = try? CheckpointLog.read(disk: disk, storeID: storeID) else { return }
        precondition(found.byteCount <= UInt64(count), "records behind the end")
        precondition(found.recordCount > 0 || found.table.marks.isEmpty, "marks of no record")
    }
    return 0
}
