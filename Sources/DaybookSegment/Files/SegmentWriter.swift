package import DaybookFormat
package import DaybookSystem

/// What a finished segment holds: what the manifest says of it.
package struct SegmentSummary: Sendable, Equatable {
    package var family: Family
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    package var rowCount: Int
    package var timestampMin: Timestamp
    package var timestampMax: Timestamp
    package var byteCount: UInt64
    /// The CRC-32C that closes the footer.
    package var footerChecksum: UInt32
}

/// Writes one segment, a row group at a time. Rows come in sequence order.
package struct SegmentWriter {
    /// Creates the file, which must not exist.
    /// - Parameters:
    ///   - firstSequence: first sequence for which the file speaks.
    ///   - lastSequence: last one; no row lies outside.
    package init(
        disk: any Disk, path: String, log: LogID, family: Family, schemaVersion: UInt8, firstSequence: UInt64,
        lastSequence: UInt64
    ) throws(SegmentError) { fatalError("signature") }

    /// Appends one event. An encoding that does not decode is `corrupt`, with the segment's path and the sequence as
    /// the offset; nothing of it is kept.
    package mutating func append(
        sequence: UInt64, arrival: Timestamp, encoding: RawSpan
    ) throws(SegmentError) { fatalError("signature") }

    /// Writes what is left and the footer, and synchronizes the file. The caller synchronizes the directory.
    package mutating func finish() throws(SegmentError) -> SegmentSummary { fatalError("signature") }
}
