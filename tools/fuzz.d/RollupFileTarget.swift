import DaybookEvent
import DaybookFormat
import DaybookRollup

/// The input is a rollup file whose checksums are all 0, as they are taken for sound here. Whatever opens must give its
/// rows, merge and compare without a trap.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzRollupFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        guard let file = try? RollupFile(input) else { return }
        for grain in RollupGrain.allCases {
            for window in RollupWindow.allCases {
                if let section = file.section(grain, window) { read(section, of: file) }
            }
        }
        guard let difference = file.compare(derived: file) else { return merge(file) }
        preconditionFailure("a file differs from itself: \(difference)")
    }
    return 0
}

private func read(_ section: RollupSection, of file: RollupFile) {
    var sums = GroupedRollups()
    sums.grow(to: 1)
    try? file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: .all) { batch in
        sums.add(batch, slots: Array(repeating: 0, count: batch.entryCount))
        for row in batch.rows {
            let aggregate = batch.aggregate(row)
            precondition(aggregate.durations.percentile(.p95).map { $0 >= 0 } ?? true)
        }
    }
    _ = sums.percentiles([.p50, .p95, .p99], of: 0)
    _ = sums.aggregate(0)
}

private func merge(_ file: RollupFile) {
    for policy in [RollupPolicy.Storage.besideSegments, .history] {
        let outcome = try? RollupMerge.merge([.file(file), .file(file)], as: file.identity, policy: policy)
        guard case .merged(let bytes?)? = outcome else { continue }
        precondition((try? RollupFile(bytes)) != nil, "a merged file does not open")
    }
}
