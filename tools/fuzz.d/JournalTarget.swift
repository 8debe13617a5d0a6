import DaybookFormat
import DaybookLog
import DaybookSystem

/// The first byte says how much of the rest is the first of two journal files; all checksums are 0, as they are taken for
/// sound here. Every group that is found must lie inside its file, and every damage, too.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzJournal(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 24 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let rest = input[1...]
    let cut = rest.startIndex + rest.count * Int(input[0]) / 255
    let parts = [Array(rest[..<cut]), Array(rest[cut...])]
    let disk = MemoryDisk([JournalFiles.path(0): parts[0], JournalFiles.path(1): parts[1]])
    // The store that both files say they belong to.
    let storeID = input[9..<17].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    withConstantChecksums {
        for (position, limit) in [(0, UInt64.max), (1_000, 4_000), (.max - 8, .max)] as [(UInt64, UInt64)] {
            guard
                let scan = try? JournalScan.read(disk: disk, storeID: storeID, from: position, limit: limit)
            else { continue }
            for group in scan.groups {
                let end = Int(group.offset) + Int(group.byteCount)
                precondition(group.slot < 2 && end <= parts[group.slot].count, "a group outside of its file")
                precondition(group.eventCount > 0 && group.lastSequence >= group.firstSequence, "an empty group")
            }
            for damage in scan.damages { precondition(!damage.range.isEmpty, "damage of nothing") }
        }
    }
    return 0
}
