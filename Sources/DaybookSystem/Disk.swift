/// The one door to files. The real disk is `PosixDisk`; tests use a simulated one that forgets what was not synced.
///
/// Paths are relative to the data directory, separated by `/`, without `.` and `..`; the empty path is the data
/// directory itself. Calls block; they are made on threads of our own, never on an event loop.
package protocol Disk: AnyObject, Sendable {
    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile
    /// Creates one directory; its parent must exist. An existing directory is an error of kind `alreadyExists`.
    func createDirectory(_ path: String) throws(DiskError)
    /// Names inside a directory, sorted by their bytes.
    func list(_ path: String) throws(DiskError) -> [String]
    func exists(_ path: String) throws(DiskError) -> Bool
    /// Replaces the target if there is one. Durable only after both directories are synchronized.
    func rename(_ path: String, to target: String) throws(DiskError)
    /// Removes a file. Durable only after the directory is synchronized.
    func remove(_ path: String) throws(DiskError)
    /// Removes a directory, which must be empty. Durable only after its parent is synchronized.
    func removeDirectory(_ path: String) throws(DiskError)
    /// Makes creations, renames and removals inside the directory durable.
    func synchronizeDirectory(_ path: String) throws(DiskError)
    /// `syncfs`: makes the content of every file of the data directory's file system durable.
    func synchronizeAll() throws(DiskError)
    /// A read-only mapping of a whole file, for disposable indexes only.
    func map(_ path: String) throws(DiskError) -> Mapping
    /// Bytes that an unprivileged writer may still use.
    func freeByteCount() throws(DiskError) -> UInt64
}

package enum OpenMode: Sendable, Equatable {
    case read
    /// The file must exist.
    case readWrite
    /// The file must not exist.
    case create
}

/// An open file. Closed by `close()`, or when the last reference goes.
package protocol DiskFile: AnyObject, Sendable {
    var path: String { get }
    func byteCount() throws(DiskError) -> UInt64
    /// Appends up to `byteCount` bytes from `offset` to `bytes`; fewer only at the end of the file.
    func read(_ byteCount: Int, at offset: UInt64, appendingTo bytes: inout [UInt8]) throws(DiskError)
    /// Writes all of `bytes`, in as many calls as it takes.
    func write(_ bytes: RawSpan, at offset: UInt64) throws(DiskError)
    /// Writes the parts one behind the other with as few system calls as possible (`pwritev`).
    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError)
    /// `fdatasync`. After a failure nothing may be assumed about what reached the disk, and it must not be retried.
    func synchronize() throws(DiskError)
    /// Asks the system to begin writing these bytes to the device, so that `synchronize` finds little left to do and no burst
    /// comes before what others synchronize. Nothing is durable by it. Best effort.
    func startWriting(_ range: Range<Int>)
    /// The same, and waits until the device has taken them: whoever writes much goes as fast as the device, and what
    /// others synchronize waits for one piece of it. Nothing is durable by it. After an error the bytes must be
    /// written anew: `synchronize` may not tell of it again.
    func writeOut(_ range: Range<Int>) throws(DiskError)
    func truncate(to byteCount: UInt64) throws(DiskError)
    /// Drops the file's pages from the page cache, so that the next read comes from the disk. Best effort.
    func evictFromPageCache()
    /// Drops the pages that hold these bytes, and perhaps others.
    func evictFromPageCache(_ range: Range<Int>)
    /// Asks the system to read these bytes soon. Best effort.
    func prefetch(_ range: Range<Int>)
    func close()
}

extension DiskFile {
    /// Exactly `byteCount` bytes, or an error of kind `endOfFile`.
    package func readExactly(_ byteCount: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        try read(byteCount, at: offset, appendingTo: &bytes)
        guard bytes.count == byteCount else {
            throw DiskError(.endOfFile, operation: "pread", path: path)
        }
        return bytes
    }
}

extension Disk {
    /// The whole file.
    package func readAll(_ path: String) throws(DiskError) -> [UInt8] {
        let file = try open(path, .read)
        defer { file.close() }
        return try file.readExactly(Int(try file.byteCount()), at: 0)
    }

    /// A whole file that something else will name once its folder is synchronized. A file of that name is a leftover of a
    /// run that did not come so far, and goes.
    package func writeAnew(_ path: String, _ bytes: RawSpan) throws(DiskError) {
        if try exists(path) { try remove(path) }
        let file = try open(path, .create)
        defer { file.close() }
        try file.write(bytes, at: 0)
        try file.synchronize()
    }

    /// The commit point of every file that replaces another: written under a temporary name, synchronized, renamed,
    /// and the directory synchronized. After an error the target is the old file or the new one, whole.
    package func replaceAtomically(_ path: String, with bytes: RawSpan) throws(DiskError) {
        let temporary = path + ".tmp"
        if try exists(temporary) { try remove(temporary) }
        let file = try open(temporary, .create)
        defer { file.close() }
        try file.write(bytes, at: 0)
        try file.synchronize()
        try rename(temporary, to: path)
        try synchronizeDirectory(parentDirectory(of: path))
    }
}

/// The path without its last component; empty for a name in the data directory itself.
package func parentDirectory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return String(path[..<slash])
}
