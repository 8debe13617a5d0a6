package import DaybookFormat
package import DaybookSystem

/// Reads the group records of one log file through a window, so that memory does not follow the file's size.
package struct LogFileReader {
    package static let usualWindowByteCount = 1 << 20

    private let file: any DiskFile
    private let log: LogID
    private let limit: Int
    private let windowByteCount: Int
    /// Offset in the file of the next record.
    package private(set) var offset: Int
    private var window: [UInt8] = []
    private var windowStart: Int

    /// - Parameters:
    ///   - limit: end of the bytes that are trusted.
    ///   - start: where a record begins.
    ///   - windowByteCount: what is read at a time; less for those who want a few records only.
    package init(
        file: any DiskFile, log: LogID, limit: Int, from start: Int = LogFileHeader.byteCount,
        windowByteCount: Int = usualWindowByteCount
    ) {
        self.file = file
        self.log = log
        self.limit = limit
        self.windowByteCount = windowByteCount
        offset = start
        windowStart = offset
    }

    /// Lends the next record to `body`; false at the end. A record that does not verify is
    /// `LogError.corrupt` with its place; call `skipDamage` to go on behind it.
    package mutating func next<E: Error>(
        _ body: (GroupHeader, RawSpan) throws(E) -> Void
    ) throws(LogFileReaderError<E>) -> Bool {
        guard offset < limit else { return false }
        let header: GroupHeader
        do throws(LogError) {
            header = try readHeader()
        } catch {
            throw .log(error)
        }
        let start = offset - windowStart
        do {
            let record = unsafe window.span.bytes.extracting(start..<start + header.byteCount)
            try body(header, record)
        } catch {
            throw .body(error)
        }
        offset += header.byteCount
        return true
    }

    private mutating func readHeader() throws(LogError) -> GroupHeader {
        do throws(FormatError) {
            try fill(GroupHeader.fixedByteCount)
            let length = unsafe try GroupHeader.recordByteCount(window.span.bytes, at: offset - windowStart)
            guard length <= limit - offset else { throw .truncated(needed: length, found: limit - offset) }
            try fill(length)
            let header = unsafe try GroupHeader(verifying: window.span.bytes, at: offset - windowStart)
            guard header.log == log else { throw .invalid("group record log id") }
            return header
        } catch {
            if let failure { throw .disk(failure) }
            throw .corrupt(Corruption(file: file.path, offset: UInt64(offset), reason: error))
        }
    }

    /// A disk error met by `fill`, which speaks of formats only.
    private var failure: DiskError?

    private mutating func fill(_ byteCount: Int) throws(FormatError) {
        guard byteCount <= limit - offset else { throw .truncated(needed: byteCount, found: limit - offset) }
        if offset >= windowStart, offset + byteCount <= windowStart + window.count { return }
        window.removeAll(keepingCapacity: true)
        windowStart = offset
        let wanted = min(max(byteCount, windowByteCount), limit - offset)
        do {
            try file.read(wanted, at: UInt64(offset), appendingTo: &window)
        } catch {
            failure = error
            throw .truncated(needed: wanted, found: 0)
        }
        guard window.count >= byteCount else { throw .truncated(needed: byteCount, found: window.count) }
    }

    /// Moves behind damage to the next record that verifies, or to the end; returns the damaged bytes' range.
    package mutating func skipDamage() throws(LogError) -> Range<Int> {
        var rest: [UInt8] = []
        do {
            try file.read(limit - offset, at: UInt64(offset), appendingTo: &rest)
        } catch {
            throw .disk(error)
        }
        var walk = LogWalk(log: log, from: 0, limit: rest.count)
        let skipped = unsafe walk.skipDamage(rest.span.bytes)
        let range = offset..<(walk.offset == rest.count ? limit : offset + skipped.upperBound)
        offset = range.upperBound
        window.removeAll(keepingCapacity: true)
        windowStart = offset
        return range
    }
}

/// Either the log could not be read, or the caller's closure threw.
package enum LogFileReaderError<Body: Error>: Error {
    case log(LogError)
    case body(Body)
}
