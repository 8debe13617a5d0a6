internal import CKernel
internal import Glibc

/// The files below one directory of the real disk. Files are made with mode 0600 and directories with 0700: the data
/// belongs to the user that runs the server and to nobody else. Every descriptor is closed on `exec`.
package final class PosixDisk: Disk {
    /// As it was given; for messages.
    package let root: String
    /// Kept open: every path is resolved from it, so the directory may be moved while we run, and `syncfs` reports
    /// each write-back error once per open descriptor.
    private let directory: Descriptor

    /// Opens an existing directory.
    package init(root: String) throws(DiskError) {
        self.root = root
        let number = try SystemCall.run("open", root) {
            unsafe Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        directory = Descriptor(owning: number)
    }

    /// Opens the directory and makes it first, durably, if it is missing. Its parent must exist.
    package convenience init(creatingRoot root: String) throws(DiskError) {
        do {
            _ = try SystemCall.run("mkdir", root) { unsafe mkdir(root, 0o700) }
            let parent = try PosixDisk(root: root + "/..")
            try parent.synchronizeDirectory("")
        } catch  where error.kind == .alreadyExists {}
        try self.init(root: root)
    }

    package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        return PosixFile(path: path, descriptor: try openDescriptor(path, flags))
    }

    package func createDirectory(_ path: String) throws(DiskError) {
        let name = try resolved(path, "mkdir")
        _ = try SystemCall.run("mkdir", path) { unsafe mkdirat(directory.number, name, 0o700) }
    }

    package func list(_ path: String) throws(DiskError) -> [String] {
        let descriptor = try openDescriptor(path, O_RDONLY | O_DIRECTORY)
        // `fdopendir` takes over the number it is given, so it gets one of its own.
        let copy = try SystemCall.run("dup", path) { fcntl(descriptor.number, F_DUPFD_CLOEXEC, 0) }
        guard let stream = unsafe fdopendir(copy) else {
            let code = errno
            _ = Glibc.close(copy)
            throw DiskError(code: code, operation: "opendir", path: path)
        }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw DiskError(code: errno, operation: "readdir", path: path) }
                break
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func exists(_ path: String) throws(DiskError) -> Bool {
        let name = try resolved(path, "fstatat")
        var status = stat()
        do {
            _ = try SystemCall.run("fstatat", path) {
                unsafe fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW)
            }
            return true
        } catch  where error.kind == .notFound {
            return false
        }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        let source = try resolved(path, "rename")
        let destination = try resolved(target, "rename")
        _ = try SystemCall.run("rename", path) {
            unsafe renameat(directory.number, source, directory.number, destination)
        }
    }

    package func remove(_ path: String) throws(DiskError) {
        let name = try resolved(path, "unlink")
        _ = try SystemCall.run("unlink", path) { unsafe unlinkat(directory.number, name, 0) }
    }

    package func removeDirectory(_ path: String) throws(DiskError) {
        let name = try resolved(path, "rmdir")
        _ = try SystemCall.run("rmdir", path) { unsafe unlinkat(directory.number, name, AT_REMOVEDIR) }
    }

    package func synchronizeDirectory(_ path: String) throws(DiskError) {
        let descriptor = try openDescriptor(path, O_RDONLY | O_DIRECTORY)
        _ = try SystemCall.run("fsync", path) { fsync(descriptor.number) }
    }

    package func synchronizeAll() throws(DiskError) {
        _ = try SystemCall.run("syncfs", "") { daybook_syncfs(directory.number) }
    }

    package func map(_ path: String) throws(DiskError) -> Mapping {
        let descriptor = try openDescriptor(path, O_RDONLY)
        var status = stat()
        _ = try SystemCall.run("fstat", path) { unsafe fstat(descriptor.number, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DiskError(code: EISDIR, operation: "mmap", path: path)
        }
        let byteCount = Int(status.st_size)
        guard byteCount > 0 else { return unsafe Mapping(base: nil, byteCount: 0) }
        let base = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor.number, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else {
            throw DiskError(code: errno, operation: "mmap", path: path)
        }
        return unsafe Mapping(base: UnsafeRawPointer(base), byteCount: byteCount)
    }

    package func freeByteCount() throws(DiskError) -> UInt64 {
        var status = statvfs()
        _ = try SystemCall.run("statvfs", "") { unsafe fstatvfs(directory.number, &status) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    private func openDescriptor(_ path: String, _ flags: Int32) throws(DiskError) -> Descriptor {
        let name = try resolved(path, "open")
        let number = try SystemCall.run("open", path) {
            unsafe daybook_open_at(directory.number, name, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        return Descriptor(owning: number)
    }

    /// Names that leave the directory are refused: a path may be put together from what a file says.
    private func resolved(_ path: String, _ operation: StaticString) throws(DiskError) -> String {
        if path.isEmpty { return "." }
        let components = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = components.allSatisfy { component in
            !component.isEmpty && !component.elementsEqual(".".utf8) && !component.elementsEqual("..".utf8)
                && !component.contains(0)
        }
        guard isPlain else { throw DiskError(code: EINVAL, operation: operation, path: path) }
        return path
    }
}
