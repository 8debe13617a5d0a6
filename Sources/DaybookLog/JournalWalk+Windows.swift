internal import DaybookFormat
internal import DaybookSystem

extension JournalWalk {
    private static let windowByteCount = 2 << 20

    /// Reads a sound file: whole frames, then nothing but zeroes up to the limit. Memory holds a window of it, so that a
    /// start touches as little of it as it must.
    ///
    /// After a failed sync in an earlier life of the process the page cache may hold what the disk does not. A frame says
    /// up to where the journal was durable when it was written, so what stands before that place is the same in both. The
    /// rest, a commit or two, is read again from the disk.
    ///
    /// - Parameter isAfterStart: the cache may be wrong.
    /// - Returns: false when the file is not sound. Then this walk is of no use, and one over all bytes, from the disk,
    ///   decides what is torn and what is damaged.
    mutating func runInWindows(_ file: any DiskFile, isAfterStart: Bool) throws(DiskError) -> Bool {
        let start = offset
        guard try readFrames(file) else { return false }
        guard isAfterStart, end > start else { return true }
        let known = durablePosition > header.basePosition ? durablePosition - header.basePosition : 0
        let trusted = max(start, JournalFileHeader.byteCount + Int(min(known, UInt64(limit))))
        guard trusted < end else { return true }
        file.evictFromPageCache(trusted..<end)
        groups.removeAll { Int($0.offset) >= trusted }
        offset = trusted
        end = trusted
        return try readFrames(file)
    }

    private mutating func readFrames(_ file: any DiskFile) throws(DiskError) -> Bool {
        file.prefetch(offset..<max(offset, limit))
        var window = Window()
        while offset < limit {
            guard try window.cover(offset..<min(limit, offset + JournalFrame.headerByteCount), file, limit) else {
                return false
            }
            guard let byteCount = frameByteCount(window) else { break }
            guard byteCount <= limit - offset, try window.cover(offset..<offset + byteCount, file, limit),
                takeFrame(window)
            else { return false }
        }
        return try isZero(from: offset, file)
    }

    /// What the header at `offset` says; nil when there is no header.
    private func frameByteCount(_ window: borrowing Window) -> Int? {
        let bytes = unsafe window.bytes.span.bytes
        do {
            return try JournalFrame(reading: bytes, at: offset - window.origin, nonce: header.nonce).byteCount
        } catch {
            return nil
        }
    }

    private mutating func takeFrame(_ window: borrowing Window) -> Bool {
        let bytes = unsafe window.bytes.span.bytes
        do {
            offset += try readFrame(bytes, at: offset, origin: window.origin).byteCount
            end = offset
            return true
        } catch {
            return false
        }
    }

    private func isZero(from start: Int, _ file: any DiskFile) throws(DiskError) -> Bool {
        var bytes: [UInt8] = []
        var offset = start
        while offset < limit {
            bytes.removeAll(keepingCapacity: true)
            let count = min(Self.windowByteCount, limit - offset)
            try file.read(count, at: UInt64(offset), appendingTo: &bytes)
            let span = unsafe bytes.span.bytes
            guard bytes.count == count, lastNonZero(span, in: 0..<count) == nil else { return false }
            offset += count
        }
        return true
    }

    private struct Window {
        var origin = 0
        var bytes: [UInt8] = []

        /// Whether the window has these bytes of the file now.
        mutating func cover(_ range: Range<Int>, _ file: any DiskFile, _ limit: Int) throws(DiskError) -> Bool {
            if range.lowerBound >= origin, range.upperBound <= origin + bytes.count { return true }
            bytes.removeAll(keepingCapacity: true)
            origin = range.lowerBound
            let byteCount = min(max(range.count, JournalWalk.windowByteCount), limit - origin)
            try file.read(byteCount, at: UInt64(origin), appendingTo: &bytes)
            return range.upperBound <= origin + bytes.count
        }
    }
}
