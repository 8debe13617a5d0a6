import DaybookFormat
import DaybookSystem

/// Files in memory that never change: what a decoder that wants a disk reads from.
final class MemoryDisk: Disk {
    let files: [String: [UInt8]]

    init(_ files: [String: [UInt8]]) { self.files = files }

    private func bytes(_ path: String, _ operation: String) throws(DiskError) -> [UInt8] {
        guard let bytes = files[path] else { throw DiskError(.notFound, operation: operation, path: path) }
        return bytes
    }

    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
        guard mode == .read else { throw DiskError(.permission, operation: "open", path: path) }
        return MemoryFile(path, try bytes(path, "open"))
    }

    func list(_ path: String) throws(DiskError) -> [String] {
        files.keys.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }.sorted()
    }

    func exists(_ path: String) throws(DiskError) -> Bool { files[path] != nil }

    func map(_ path: String) throws(DiskError) -> Mapping { Mapping(copy: try bytes(path, "map")) }

    func freeByteCount() throws(DiskError) -> UInt64 { 0 }

    private func refuse(_ operation: String) throws(DiskError) {
        throw DiskError(.permission, operation: operation, path: "")
    }

    func createDirectory(_ path: String) throws(DiskError) { try refuse("mkdir") }
    func rename(_ path: String, to target: String) throws(DiskError) { try refuse("rename") }
    func remove(_ path: String) throws(DiskError) { try refuse("unlink") }
    func synchronizeDirectory(_ path: String) throws(DiskError) { try refuse("fsync") }
    func synchronizeAll() throws(DiskError) { try refuse("syncfs") }
}

final class MemoryFile: DiskFile {
    let path: String
    private let bytes: [UInt8]

    init(_ path: String, _ bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    func byteCount() throws(DiskError) -> UInt64 { UInt64(bytes.count) }

    func read(_ byteCount: Int, at offset: UInt64, appendingTo target: inout [UInt8]) throws(DiskError) {
        precondition(byteCount >= 0, "a reader asks for less than nothing")
        guard let start = Int(exactly: offset), start < bytes.count else { return }
        target += bytes[start..<start + min(byteCount, bytes.count - start)]
    }

    private func refuse(_ operation: String) throws(DiskError) {
        throw DiskError(.permission, operation: operation, path: path)
    }

    func write(_ bytes: RawSpan, at offset: UInt64) throws(DiskError) { try refuse("pwrite") }
    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError) { try refuse("pwritev") }
    func synchronize() throws(DiskError) { try refuse("fdatasync") }
    func truncate(to byteCount: UInt64) throws(DiskError) { try refuse("ftruncate") }
    func evictFromPageCache() {}
    func evictFromPageCache(_ range: Range<Int>) {}
    func prefetch(_ range: Range<Int>) {}
    func close() {}
}
