package import DaybookFormat
package import DaybookSystem

/// What is known of the rows of a row group without reading them. A range is empty of meaning where the family has no
/// such column: then it is 0 to 0.
package struct Zone: Sendable, Equatable {
    package var rowCount: Int
    package var sequenceMin: UInt64
    package var sequenceMax: UInt64
    /// Microseconds since 1970.
    package var timestampMin: Int64
    package var timestampMax: Int64
    /// Microseconds since 1970.
    package var arrivalMin: Int64
    package var arrivalMax: Int64
    /// Nanoseconds.
    package var durationMin: UInt64
    package var durationMax: UInt64
    package var statusMin: UInt8
    package var statusMax: UInt8
}

/// An open segment. Reads with `pread` only, so that a failing disk is an error and never a signal; holds the footer
/// and one descriptor.
package final class SegmentReader: Sendable {
    package let path: String
    private init() { fatalError("signature") }

    /// Reads and checks the header and the footer.
    package static func open(disk: any Disk, path: String) throws(SegmentError) -> SegmentReader {
        fatalError("signature")
    }

    package var log: LogID { fatalError("signature") }
    package var family: Family { fatalError("signature") }
    package var schemaVersion: UInt8 { fatalError("signature") }
    /// The sequences for which the file speaks; rows of other families in between are in other files.
    package var firstSequence: UInt64 { fatalError("signature") }
    package var lastSequence: UInt64 { fatalError("signature") }
    package var rowCount: Int { fatalError("signature") }
    package var timestampMin: Timestamp { fatalError("signature") }
    package var timestampMax: Timestamp { fatalError("signature") }

    package var rowGroupCount: Int { fatalError("signature") }
    package func zone(rowGroup: Int) -> Zone { fatalError("signature") }

    /// The selected columns of one row group.
    package func read(rowGroup: Int, _ selection: ColumnSelection) throws(SegmentError) -> ColumnBatch {
        fatalError("signature")
    }
}
