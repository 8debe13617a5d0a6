internal import CKernel
internal import Glibc

/// An open file of the real disk. Any number of threads may read and write it at the same time; `close()` must come
/// after the last call that uses it.
final class PosixFile: DiskFile {
    /// As large as pages of any common machine are.
    private static let pageByteCount = 64 << 10
    /// More parts than this in one `pwritev` are refused by Linux (`IOV_MAX`).
    private static let partCountMax = 1_024
    /// From here on a read first asks for the file's length, so that a damaged length field cannot ask for memory.
    private static let uncheckedReadByteCountMax = 1 << 20

    let path: String
    private let descriptor: Descriptor

    init(path: String, descriptor: consuming Descriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    func byteCount() throws(DiskError) -> UInt64 {
        var status = stat()
        _ = try SystemCall.run("fstat", path) { unsafe fstat(descriptor.number, &status) }
        return UInt64(status.st_size)
    }

    func read(_ byteCount: Int, at offset: UInt64, appendingTo bytes: inout [UInt8]) throws(DiskError) {
        precondition(byteCount >= 0)
        let start = try position(offset, "pread")
        var wanted = byteCount
        if wanted > PosixFile.uncheckedReadByteCountMax {
            let available = try self.byteCount()
            wanted = Int(min(UInt64(wanted), available - min(offset, available)))
        }
        guard wanted > 0 else { return }
        try bytes.append(addingCapacity: wanted) { span throws(DiskError) in
            try unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount throws(DiskError) in
                let target = UnsafeMutableRawBufferPointer(buffer)
                while initializedCount < wanted {
                    let done = initializedCount
                    let count = try SystemCall.run("pread", path) {
                        unsafe pread(descriptor.number, target.baseAddress! + done, wanted - done, start + off_t(done))
                    }
                    if count == 0 { return }
                    initializedCount += count
                }
            }
        }
    }

    func write(_ bytes: RawSpan, at offset: UInt64) throws(DiskError) {
        let start = try position(offset, "pwrite")
        try unsafe bytes.withUnsafeBytes { source throws(DiskError) in
            try unsafe write(source, at: start)
        }
    }

    private func write(_ source: UnsafeRawBufferPointer, at start: off_t) throws(DiskError) {
        var done = 0
        while done < source.count {
            done += try progress(
                "pwrite",
                try SystemCall.run("pwrite", path) {
                    unsafe pwrite(
                        descriptor.number, source.baseAddress! + done, source.count - done, start + off_t(done))
                })
        }
    }

    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError) {
        var start = try position(offset, "pwritev")
        var next = 0
        while next < parts.count {
            let end = min(parts.count, next + PosixFile.partCountMax)
            start += off_t(try write(parts, next..<end, at: start))
            next = end
        }
    }

    /// One `pwritev` of at most `partCountMax` parts; what it leaves over after a short write goes part by part.
    private func write(_ parts: [[UInt8]], _ range: Range<Int>, at start: off_t) throws(DiskError) -> Int {
        let total = parts[range].reduce(0) { $0 + $1.count }
        let capacity = range.count
        let done = try unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: capacity) {
            vectors throws(DiskError) -> Int in
            // The pointers outlive the closures that give them: the elements of an array stay where they are as long
            // as the array lives unchanged, and `parts` does until the call has returned.
            for (slot, index) in range.enumerated() {
                unsafe parts[index].withUnsafeBytes { part in
                    let base = unsafe UnsafeMutableRawPointer(mutating: part.baseAddress)
                    unsafe vectors.initializeElement(at: slot, to: iovec(iov_base: base, iov_len: part.count))
                }
            }
            let result = try SystemCall.run("pwritev", path) {
                unsafe pwritev(descriptor.number, vectors.baseAddress!, Int32(capacity), start)
            }
            return withExtendedLifetime(parts) { result }
        }
        if done < total { try finish(parts, range, alreadyWritten: done, at: start) }
        return total
    }

    private func finish(
        _ parts: [[UInt8]], _ range: Range<Int>, alreadyWritten: Int, at start: off_t
    ) throws(DiskError) {
        var partStart = 0
        for part in parts[range] {
            let skipped = min(max(0, alreadyWritten - partStart), part.count)
            let rest = unsafe part.span.bytes.extracting(skipped..<part.count)
            try write(rest, at: UInt64(start) + UInt64(partStart + skipped))
            partStart += part.count
        }
    }

    func synchronize() throws(DiskError) {
        _ = try SystemCall.run("fdatasync", path) { fdatasync(descriptor.number) }
    }

    func startWriting(_ range: Range<Int>) {
        _ = daybook_write_out(descriptor.number, Int64(range.lowerBound), Int64(range.count), 0)
    }

    func writeOut(_ range: Range<Int>) throws(DiskError) {
        _ = try SystemCall.run("sync_file_range", path) {
            daybook_write_out(descriptor.number, Int64(range.lowerBound), Int64(range.count), 1)
        }
    }

    func truncate(to byteCount: UInt64) throws(DiskError) {
        let length = try position(byteCount, "ftruncate")
        _ = try SystemCall.run("ftruncate", path) { ftruncate(descriptor.number, length) }
    }

    func evictFromPageCache() {
        _ = posix_fadvise(descriptor.number, 0, 0, POSIX_FADV_DONTNEED)
    }

    func evictFromPageCache(_ range: Range<Int>) {
        // The kernel leaves pages alone that are not in the range as a whole.
        let start = range.lowerBound & ~(PosixFile.pageByteCount - 1)
        let end = (range.upperBound + PosixFile.pageByteCount - 1) & ~(PosixFile.pageByteCount - 1)
        guard start < end else { return }
        _ = posix_fadvise(descriptor.number, off_t(start), off_t(end - start), POSIX_FADV_DONTNEED)
    }

    func prefetch(_ range: Range<Int>) {
        _ = posix_fadvise(descriptor.number, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
    }

    func close() { descriptor.close() }

    /// Refuses what does not fit the kernel's signed offset; such a number can only come from damaged bytes.
    private func position(_ offset: UInt64, _ operation: StaticString) throws(DiskError) -> off_t {
        guard let position = off_t(exactly: offset), position <= off_t.max - off_t(Int32.max) else {
            throw DiskError(code: EFBIG, operation: operation, path: path)
        }
        return position
    }

    /// A write that moves nothing would loop for ever; no file system that keeps its promises does this.
    private func progress(_ operation: StaticString, _ count: Int) throws(DiskError) -> Int {
        guard count > 0 else { throw DiskError(code: EIO, operation: operation, path: path) }
        return count
    }
}
