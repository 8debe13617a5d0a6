import DaybookFormat
import DaybookSystem
import Synchronization

/// Files in memory without faults: what a decoder that wants a disk reads from, and what a target makes its files on.
final class MemoryDisk: Disk {
    private let files: Mutex<[String: MemoryFile]>

    init(_ files: [String: [UInt8]]) {
        var made: [String: MemoryFile] = [:]
        for (path, bytes) in files { made[path] = MemoryFile(path, bytes) }
        self.files = Mutex(made)
    }

    private func file(_ path: String, _ operation: String) throws(DiskError) -> MemoryFile {
        guard let file = files.withLock({ $0[path] }) else {
            throw DiskError(.notFound, operation: operation, path: path)
        }
        return file
    }

    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
        guard mode == .create else { return try file(path, "open") }
        let made = MemoryFile(path, [])
        let isNew = files.withLock { files in
            if files[path] != nil { return false }
            files[path] = made
            return true
        }
        guard isNew else { throw DiskError(.alreadyExists, operation: "open", path: path) }
        return made
    }

    func list(_ path: String) throws(DiskError) -> [String] {
        let paths = files.withLock { Array($0.keys) }
        return paths.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }.sorted()
    }

    func exists(_ path: String) throws(DiskError) -> Bool { files.withLock { $0[path] != nil } }

    func map(_ path: String) throws(DiskError) -> Mapping { Mapping(copy: try file(path, "map").content) }

    func rename(_ path: String, to target: String) throws(DiskError) {
        let moved = try file(path, "rename")
        files.withLock { files in
            files[path] = nil
            files[target] = moved
        }
    }

    func remove(_ path: String) throws(DiskError) {
        _ = try file(path, "unlink")
        files.withLock { $0[path] = nil }
    }

    func freeByteCount() throws(DiskError) -> UInt64 { 1 << 30 }
    func createDirectory(_ path: String) throws(DiskError) {}
    func removeDirectory(_ path: String) throws(DiskError) {}
    func synchronizeDirectory(_ path: String) throws(DiskError) {}
    func synchronizeAll() throws(DiskError) {}
}

final class MemoryFile: DiskFile {
    let path: String
    private let bytes: Mutex<[UInt8]>

    init(_ path: String, _ bytes: [UInt8]) {
        self.path = path
        self.bytes = Mutex(bytes)
    }

    var content: [UInt8] { bytes.withLock { $0 } }

    func byteCount() throws(DiskError) -> UInt64 { UInt64(content.count) }

    func read(_ byteCount: Int, at offset: UInt64, appendingTo target: inout [UInt8]) throws(DiskError) {
        precondition(byteCount >= 0, "a reader asks for less than nothing")
        let content = content
        guard let start = Int(exactly: offset), start < content.count else { return }
        target += content[start..<start + min(byteCount, content.count - start)]
    }

    func write(_ part: RawSpan, at offset: UInt64) throws(DiskError) { write(part.toArray(0..<part.byteCount), offset) }

    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError) { write(Array(parts.joined()), offset) }

    private func write(_ part: [UInt8], _ offset: UInt64) {
        let start = Int(offset)
        bytes.withLock { bytes in
            let missing = start + part.count - bytes.count
            if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
            bytes.replaceSubrange(start..<start + part.count, with: part)
        }
    }

    func truncate(to byteCount: UInt64) throws(DiskError) {
        bytes.withLock { $0.removeLast(max(0, $0.count - Int(byteCount))) }
    }

    func synchronize() throws(DiskError) {}
    func evictFromPageCache() {}
    func evictFromPageCache(_ range: Range<Int>) {}
    func prefetch(_ range: Range<Int>) {}
    func close() {}
}
