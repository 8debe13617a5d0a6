internal import CKernel
internal import Glibc

/// Files outside a data directory: what a person names on the command line, and the kernel's own under `/proc`.
package enum HostFile {
    /// Everything up to the end, also of files that say they are empty, such as those of `/proc`, and of pipes.
    /// Throws kind `noSpace` when there is more than `byteCountMax`.
    package static func read(_ path: String, byteCountMax: Int) throws(DiskError) -> [UInt8] {
        let descriptor = Descriptor(
            owning: try SystemCall.run("open", path) {
                unsafe daybook_open_at(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)
            })
        var bytes: [UInt8] = []
        while try read(descriptor.number, path, appendingTo: &bytes) > 0 {
            guard bytes.count <= byteCountMax else {
                throw DiskError(.noSpace, operation: "read", path: path)
            }
        }
        return bytes
    }

    /// Who may do what with the file that the path leads to: the lowest nine bits of its mode.
    package static func permissions(_ path: String) throws(DiskError) -> Int {
        var status = stat()
        _ = try SystemCall.run("stat", path) { unsafe stat(path, &status) }
        return Int(status.st_mode & 0o777)
    }

    /// Replaces the file, or makes it with mode 0600. Not atomic: for what a person asked to have written.
    package static func write(_ path: String, _ bytes: RawSpan) throws(DiskError) {
        let descriptor = Descriptor(
            owning: try SystemCall.run("open", path) {
                unsafe daybook_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            })
        try write(bytes, to: descriptor.number, path)
    }

    /// One `read(2)` of up to 64 KiB. 0 at the end.
    static func read(_ descriptor: Int32, _ path: String, appendingTo bytes: inout [UInt8]) throws(DiskError) -> Int {
        let chunkByteCount = 65_536
        var count = 0
        try bytes.append(addingCapacity: chunkByteCount) { span throws(DiskError) in
            try unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount throws(DiskError) in
                count = try SystemCall.run("read", path) {
                    unsafe Glibc.read(descriptor, buffer.baseAddress!, chunkByteCount)
                }
                initializedCount = count
            }
        }
        return count
    }

    /// All of `bytes`, in as many calls as it takes.
    static func write(_ bytes: RawSpan, to descriptor: Int32, _ path: String) throws(DiskError) {
        try unsafe bytes.withUnsafeBytes { source throws(DiskError) in
            var done = 0
            while done < source.count {
                done += try SystemCall.run("write", path) {
                    unsafe Glibc.write(descriptor, source.baseAddress! + done, source.count - done)
                }
            }
        }
    }
}
