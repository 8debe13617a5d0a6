import DaybookFormat
import DaybookSystem
import Synchronization

/// An open file of a simulated disk. It goes on working after the file has been removed or renamed.
final class SimulatedFile: DiskFile {
    let path: String
    private let disk: SimulatedDisk
    private let node: Int
    private let isWritable: Bool
    private let isOpen = Atomic(true)

    init(disk: SimulatedDisk, node: Int, path: String, isWritable: Bool) {
        self.disk = disk
        self.node = node
        self.path = path
        self.isWritable = isWritable
    }

    deinit { close() }

    func byteCount() throws(DiskError) -> UInt64 {
        try perform(.length) { state throws(DiskError) in
            UInt64(state.contents[node]?.visible.count ?? 0)
        }
    }

    func read(_ byteCount: Int, at offset: UInt64, appendingTo bytes: inout [UInt8]) throws(DiskError) {
        precondition(byteCount >= 0)
        bytes += try perform(.read, [offset, UInt64(byteCount)]) { state throws(DiskError) in
            try state.read(node, path, from: offset, byteCount)
        }
    }

    func write(_ bytes: RawSpan, at offset: UInt64) throws(DiskError) {
        try write(bytes.withUnsafeBytes { Array($0) }, at: offset)
    }

    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError) {
        try write(Array(parts.joined()), at: offset)
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws(DiskError) {
        precondition(isWritable, "write to a file opened for reading")
        try perform(.write, [offset, UInt64(bytes.count)], bytes: bytes) { state throws(DiskError) in
            try state.write(node, path, bytes, at: offset)
        }
    }

    func synchronize() throws(DiskError) {
        try perform(.synchronize) { state throws(DiskError) in try state.synchronize(node, path) }
    }

    func truncate(to byteCount: UInt64) throws(DiskError) {
        precondition(isWritable, "truncation of a file opened for reading")
        try perform(.truncate, [byteCount]) { state throws(DiskError) in
            guard byteCount < 1 << 40 else { throw DiskError(.other, operation: "truncate", path: path) }
            if !state.plan.ignoresTruncation { state.contents[node]?.truncate(to: Int(byteCount)) }
        }
    }

    /// Writes nothing: what was written and not synchronized may be on the disk or not, as before.
    func startWriting(_ range: Range<Int>) {}
    func writeOut(_ range: Range<Int>) throws(DiskError) {}

    /// Reads nothing: what the system reads ahead is what it would read later.
    func prefetch(_ range: Range<Int>) {}

    func evictFromPageCache(_ range: Range<Int>) { disk.withState { $0.evict(node, range) } }

    func evictFromPageCache() { evictFromPageCache(0..<Int.max) }

    func close() {
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        disk.withState { state in
            let count = state.openCounts[node, default: 1] - 1
            state.openCounts[node] = count == 0 ? nil : count
        }
    }

    private func perform<R: Sendable>(
        _ operation: SimulatedOperation, _ details: [UInt64] = [], bytes: [UInt8] = [],
        _ effect: (inout SimulatedState) throws(DiskError) -> R
    ) throws(DiskError) -> R {
        precondition(isOpen.load(ordering: .relaxed), "use of a closed file")
        return try disk.perform(operation, path, details, bytes: bytes, effect)
    }
}
