import DaybookFormat
import DaybookSystem
import Synchronization

/// A disk whose synchronizations of journal files a test holds back: a device that takes its time. It may also say that less
/// is free than there is. Everything else goes straight to the disk behind it.
package final class GatedDisk: Disk {
    private struct State {
        var isClosed = false
        /// One for each thread that waits.
        var waiting: [Wakeup] = []
        /// Of those who wait for the first one to come to the closed gate.
        var watching: [Wakeup] = []
        /// Instead of what is free; nil for the truth.
        var freeByteCount: UInt64?
    }

    private let base: any Disk
    private let state = Mutex(State())

    package init(_ base: any Disk) { self.base = base }

    /// From now on every synchronization of a journal file waits.
    package func close() { state.withLock { $0.isClosed = true } }

    package func open() {
        let released = state.withLock { state in
            defer {
                state.isClosed = false
                state.waiting = []
                state.watching = []
            }
            return state.waiting
        }
        for wakeup in released { wakeup.signal() }
    }

    /// From now on so much is free, whatever is; nil for the truth.
    package func setFree(byteCount: UInt64?) { state.withLock { $0.freeByteCount = byteCount } }

    /// Blocks until somebody waits at the closed gate.
    package func waitForOne() {
        let wakeup = Wakeup()
        let isThere = state.withLock { state in
            state.watching.append(wakeup)
            return !state.waiting.isEmpty
        }
        if !isThere { wakeup.wait() }
    }

    fileprivate func pass() {
        let wakeup: Wakeup? = state.withLock { state in
            guard state.isClosed else { return nil }
            let wakeup = Wakeup()
            state.waiting.append(wakeup)
            for watcher in state.watching { watcher.signal() }
            state.watching = []
            return wakeup
        }
        wakeup?.wait()
    }

    package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
        let file = try base.open(path, mode)
        return path.hasSuffix(".dbj") ? GatedFile(base: file, disk: self) : file
    }

    package func createDirectory(_ path: String) throws(DiskError) { try base.createDirectory(path) }
    package func list(_ path: String) throws(DiskError) -> [String] { try base.list(path) }
    package func exists(_ path: String) throws(DiskError) -> Bool { try base.exists(path) }
    package func rename(_ path: String, to target: String) throws(DiskError) { try base.rename(path, to: target) }
    package func remove(_ path: String) throws(DiskError) { try base.remove(path) }
    package func removeDirectory(_ path: String) throws(DiskError) { try base.removeDirectory(path) }
    package func synchronizeDirectory(_ path: String) throws(DiskError) { try base.synchronizeDirectory(path) }
    package func synchronizeAll() throws(DiskError) { try base.synchronizeAll() }
    package func map(_ path: String) throws(DiskError) -> Mapping { try base.map(path) }
    package func freeByteCount() throws(DiskError) -> UInt64 {
        if let told = state.withLock({ $0.freeByteCount }) { return told }
        return try base.freeByteCount()
    }
}

private final class GatedFile: DiskFile {
    private let base: any DiskFile
    private let disk: GatedDisk

    init(base: any DiskFile, disk: GatedDisk) {
        self.base = base
        self.disk = disk
    }

    var path: String { base.path }
    func byteCount() throws(DiskError) -> UInt64 { try base.byteCount() }
    func read(_ byteCount: Int, at offset: UInt64, appendingTo bytes: inout [UInt8]) throws(DiskError) {
        try base.read(byteCount, at: offset, appendingTo: &bytes)
    }
    func write(_ bytes: RawSpan, at offset: UInt64) throws(DiskError) { try base.write(bytes, at: offset) }
    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError) {
        try base.write(gathering: parts, at: offset)
    }
    func synchronize() throws(DiskError) {
        disk.pass()
        try base.synchronize()
    }
    func truncate(to byteCount: UInt64) throws(DiskError) { try base.truncate(to: byteCount) }
    func evictFromPageCache() { base.evictFromPageCache() }

    func evictFromPageCache(_ range: Range<Int>) { base.evictFromPageCache(range) }

    func prefetch(_ range: Range<Int>) { base.prefetch(range) }
    func startWriting(_ range: Range<Int>) { base.startWriting(range) }
    func writeOut(_ range: Range<Int>) throws(DiskError) { try base.writeOut(range) }
    func close() { base.close() }
}
