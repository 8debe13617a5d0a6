internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookSystem

/// Makes the rollup of a finished segment by reading its columns again, one row group a step: sealing, merging and
/// rebuilding make the same bytes. Sessions are merged by session and not by sum: they have none.
struct SegmentRollup {
    private let reader: SegmentReader
    private var builder: RollupBuilder?
    private var rowGroup = 0

    init(_ reader: SegmentReader) {
        self.reader = reader
        if RollupPolicy.covers(reader.family) {
            builder = RollupBuilder(family: reader.family, eventCountMax: reader.rowCount)
        }
    }

    /// Adds one row group. False when there is none left.
    mutating func step() throws(SegmentError) -> Bool {
        guard builder != nil, rowGroup < reader.rowGroupCount else { return false }
        let batch = try reader.read(
            rowGroup: rowGroup, [.time, .status, .duration, .name, .user, .tokens, .value])
        builder?.add(RollupColumns(batch))
        rowGroup += 1
        return true
    }

    /// The bytes of the file; nil when nothing pays. Precondition: `step` has said that no row group is left.
    mutating func finish(_ segment: SegmentReference) -> [UInt8]? {
        builder?.finish(RollupIdentity(segment, of: reader.log))
    }

    /// Writes and synchronizes the file beside the segment, and notes it in the reference. The caller synchronizes the
    /// folder.
    static func write(
        _ bytes: [UInt8], beside segment: inout SegmentReference, disk: any Disk, folder: String
    ) throws(DiskError) {
        let path = Layout.path(folder, segment.rollupPath)
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.writeAnew(path, span) }
        segment.rollupByteCount = UInt64(bytes.count)
        segment.rollupChecksum = crc32c(bytes)
    }
}

extension RollupIdentity {
    init(_ segment: SegmentReference, of log: LogID) {
        self.init(
            log: log, family: segment.family, firstSequence: segment.firstSequence,
            lastSequence: segment.lastSequence, segmentChecksum: segment.footerChecksum)
    }
}

extension RollupColumns {
    /// What rollups need of a batch. Nothing is copied.
    init(_ batch: ColumnBatch) {
        self.init()
        timestamps = batch.timestamps
        statuses = batch.statuses
        durations = batch.durations
        inputTokens = batch.inputTokens
        outputTokens = batch.outputTokens
        values = batch.values
        if let column = batch.names { names = RollupCodes(column) }
        if let column = batch.users { users = RollupCodes(column) }
    }
}

extension RollupCodes {
    /// - Parameter codes: those of the rows that count; nil: of all.
    init(_ column: CodeColumn, _ codes: [UInt32]? = nil) {
        self.init(bytes: column.table.bytes, offsets: column.table.offsets, codes: codes ?? column.codes)
    }
}
