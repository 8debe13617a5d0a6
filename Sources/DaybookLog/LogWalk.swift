package import DaybookFormat

/// Walks the group records of a log file's bytes. Pure: recovery, snapshots, the sealer and the tools share it.
package struct LogWalk: Sendable {
    package let log: LogID
    /// Offset of the next record.
    package private(set) var offset: Int
    private let limit: Int

    /// - Parameter limit: end of the bytes that are trusted; records must end there exactly.
    package init(log: LogID, from offset: Int = LogFileHeader.byteCount, limit: Int) {
        self.log = log
        self.offset = offset
        self.limit = limit
    }

    /// The next record with its offset, verified; nil at the limit. After an error the walk stays where it is.
    package mutating func next(_ bytes: RawSpan) throws(FormatError) -> (header: GroupHeader, offset: Int)? {
        guard offset < limit else { return nil }
        let header = try GroupHeader(verifying: bytes, at: offset)
        guard header.log == log else { throw .invalid("group record log id") }
        guard header.byteCount <= limit - offset else {
            throw .truncated(needed: header.byteCount, found: limit - offset)
        }
        defer { offset += header.byteCount }
        return (header, offset)
    }

    /// After an error: moves to the next place where a record of this log verifies, or to the limit.
    /// Returns what was skipped. Complexity: one comparison a byte, a checksum where the log's id stands.
    package mutating func skipDamage(_ bytes: RawSpan) -> Range<Int> {
        let start = offset
        var candidate = offset + 1
        while candidate + GroupHeader.fixedByteCount <= limit {
            let found = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: candidate + 16, as: UInt64.self)
            if UInt64(littleEndian: found) == log.rawValue,
                let header = try? GroupHeader(verifying: bytes, at: candidate), header.byteCount <= limit - candidate
            {
                offset = candidate
                return start..<candidate
            }
            candidate += 1
        }
        offset = limit
        return start..<limit
    }
}
