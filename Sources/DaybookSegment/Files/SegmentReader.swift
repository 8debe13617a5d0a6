package import DaybookFormat
package import DaybookSystem
private import Synchronization

/// What is known of the rows of a row group without reading them. Where the family has no such column, both ends are 0.
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

/// An open segment. Reads with `pread` only, so that a failing disk is an error and never a signal. Holds the footer,
/// the directories read so far, and one file descriptor, which is closed with the last reference.
package final class SegmentReader: Sendable {
    let file: SegmentFile
    let footer: SegmentFooter
    /// The checksum of the footer's page: names the content of the file.
    package let footerChecksum: UInt32
    /// Where decoded pages are kept; nil for whoever reads a file once.
    let pages: PageCache?
    /// Under which number they are kept.
    let owner: UInt64
    private let directories: Mutex<[OpenRowGroup?]>
    private let directoryByteCount = Atomic<Int>(0)

    /// What is known of a row group without decoding a page of it.
    private struct OpenRowGroup: Sendable {
        var directory: RowGroupDirectory
        /// One for each unit of `SegmentLimits.pageRowCountMax` rows.
        var zones: [Zone]
        var objects: ObjectLayout
        var arguments: ObjectLayout
    }

    /// Read at once from the end of the file: holds footer and trailer of all but very large segments.
    private static let tailByteCount: UInt64 = 16 << 10

    /// Reads and checks the header and the footer.
    /// - Parameters:
    ///   - pages: keeps decoded pages for those who ask again.
    ///   - owner: the number that `pages` has given to this content.
    package static func open(
        disk: any Disk, path: String, pages: PageCache? = nil, owner: UInt64 = 0
    ) throws(SegmentError) -> SegmentReader {
        try open(try SegmentFile(disk: disk, path: path), pages, owner)
    }

    /// The same for a file that is open already, and that may have lost its name. It must stay open.
    package static func open(_ file: any DiskFile) throws(SegmentError) -> SegmentReader {
        try open(try SegmentFile(file), nil, 0)
    }

    private static func open(
        _ file: SegmentFile, _ pages: PageCache?, _ owner: UInt64
    ) throws(SegmentError) -> SegmentReader {
        let least = SegmentHeader.byteCount + PageHeader.byteCount + SegmentTrailer.byteCount
        guard file.byteCount >= UInt64(least) else {
            throw file.damage(at: 0, .truncated(needed: least, found: Int(clamping: file.byteCount)))
        }
        let header = try file.decode(try file.read(SegmentHeader.byteCount, at: 0), at: 0) {
            (bytes: RawSpan) throws(FormatError) in try SegmentHeader(reading: bytes)
        }
        let (footer, checksum) = try readFooter(file)
        guard header.log == footer.log, header.family == footer.family,
            header.schemaVersion == footer.schemaVersion, header.firstSequence == footer.firstSequence
        else { throw file.damage(at: 0, .invalid("segment header")) }
        return SegmentReader(file, footer, checksum, pages, owner)
    }

    private static func readFooter(_ file: SegmentFile) throws(SegmentError) -> (SegmentFooter, UInt32) {
        let tailOffset = file.byteCount - min(file.byteCount, tailByteCount)
        let tail = try file.read(Int(file.byteCount - tailOffset), at: tailOffset)
        let trailerOffset = file.byteCount - UInt64(SegmentTrailer.byteCount)
        let trailer = try file.decode(tail, at: trailerOffset) { (bytes: RawSpan) throws(FormatError) in
            let part = bytes.extracting(tail.count - SegmentTrailer.byteCount..<tail.count)
            return try SegmentTrailer(reading: part, fileByteCount: file.byteCount)
        }
        let byteCount = Int(trailer.footerByteCount)
        let page =
            trailer.footerOffset >= tailOffset
            ? Array(tail[Int(trailer.footerOffset - tailOffset)...].prefix(byteCount))
            : try file.read(byteCount, at: trailer.footerOffset)
        let footer = try file.decode(page, at: trailer.footerOffset) { (bytes: RawSpan) throws(FormatError) in
            let payload = try PageHeader.payload(
                of: bytes, column: 0, checksum: trailer.footerChecksum, encoding: .footer)
            return try payload.withRawSpan { (bytes: RawSpan) throws(FormatError) in
                try SegmentFooter(reading: bytes, end: trailer.footerOffset)
            }
        }
        return (footer, trailer.footerChecksum)
    }

    private init(
        _ file: SegmentFile, _ footer: SegmentFooter, _ footerChecksum: UInt32, _ pages: PageCache?, _ owner: UInt64
    ) {
        self.file = file
        self.pages = pages
        self.owner = owner
        self.footer = footer
        self.footerChecksum = footerChecksum
        directories = Mutex([OpenRowGroup?](repeating: nil, count: footer.rowGroups.count))
    }

    package var path: String { file.path }
    package var byteCount: UInt64 { file.byteCount }
    package var log: LogID { footer.log }
    package var family: Family { footer.family }
    package var schemaVersion: UInt8 { footer.schemaVersion }
    /// The sequences for which the file speaks; rows of other families in between are in other files.
    package var firstSequence: UInt64 { footer.firstSequence }
    package var lastSequence: UInt64 { footer.lastSequence }
    package var rowCount: Int { footer.rowCount }
    package var timestampMin: Timestamp {
        Timestamp(microseconds: Int64(bitPattern: footer.zone(.timestamp)?.min ?? 0))
    }
    package var timestampMax: Timestamp {
        Timestamp(microseconds: Int64(bitPattern: footer.zone(.timestamp)?.max ?? 0))
    }

    package var rowGroupCount: Int { footer.rowGroups.count }

    /// Precondition: `rowGroup < rowGroupCount`. Complexity: O(1); nothing is read.
    package func zone(rowGroup: Int) -> Zone {
        func zone(_ column: ColumnNumber) -> ColumnZone { footer.zone(column, rowGroup: rowGroup) ?? ColumnZone() }
        let sequence = zone(.sequence)
        let time = zone(.timestamp)
        let arrival = zone(.arrival)
        let duration = zone(.duration)
        let status = zone(.status)
        return Zone(
            rowCount: footer.rowGroups[rowGroup].rowCount, sequenceMin: sequence.min, sequenceMax: sequence.max,
            timestampMin: Int64(bitPattern: time.min), timestampMax: Int64(bitPattern: time.max),
            arrivalMin: Int64(bitPattern: arrival.min), arrivalMax: Int64(bitPattern: arrival.max),
            durationMin: duration.min, durationMax: duration.max, statusMin: UInt8(clamping: status.min),
            statusMax: UInt8(clamping: status.max))
    }

    /// The zone of one column of a row group; nil when the family does not have it. Nothing is read.
    package func zone(rowGroup: Int, _ column: ColumnNumber) -> ColumnZone? {
        footer.zone(column, rowGroup: rowGroup)
    }

    /// The table of contents of a row group, with the zones of its pages. Read once, then remembered.
    package func directory(rowGroup: Int) throws(SegmentError) -> RowGroupDirectory {
        try openRowGroup(rowGroup).directory
    }

    /// What is known of each run of `SegmentLimits.pageRowCountMax` rows of a row group, in order. Nothing is decoded.
    package func pageZones(rowGroup: Int) throws(SegmentError) -> [Zone] { try openRowGroup(rowGroup).zones }

    /// Memory that the footer and the directories read so far take, about.
    package var memoryByteCount: Int {
        let zoneCount = footer.rowGroups.reduce(footer.zones.count) { $0 + $1.zones.count }
        return 512 + 48 * zoneCount + directoryByteCount.load(ordering: .relaxed)
    }

    private func openRowGroup(_ rowGroup: Int) throws(SegmentError) -> OpenRowGroup {
        if let known = directories.withLock({ $0[rowGroup] }) { return known }
        let entry = footer.rowGroups[rowGroup]
        let page = try file.read(entry.directoryByteCount, at: entry.directoryOffset)
        let directory = try file.decode(page, at: entry.directoryOffset) { (bytes: RawSpan) throws(FormatError) in
            let payload = try PageHeader.payload(
                of: bytes, column: 0, checksum: entry.directoryChecksum, encoding: .directory)
            let body = UInt64(SegmentHeader.byteCount)..<entry.directoryOffset
            return try payload.withRawSpan { (bytes: RawSpan) throws(FormatError) in
                try RowGroupDirectory(reading: bytes, body: body)
            }
        }
        guard directory.rowGroup == rowGroup, directory.rowCount == entry.rowCount else {
            throw file.damage(at: entry.directoryOffset, .invalid("directory of another row group"))
        }
        do throws(FormatError) {
            try checkAttributes(directory)
        } catch {
            throw file.damage(at: entry.directoryOffset, error)
        }
        let open = OpenRowGroup(
            directory: directory, zones: directory.unitZones, objects: layout(of: .object, directory),
            arguments: layout(of: .arguments, directory))
        let isNew = directories.withLock { known in
            defer { known[rowGroup] = open }
            return known[rowGroup] == nil
        }
        if isNew {
            let byteCount = directory.memoryByteCount + open.objects.byteCount + open.arguments.byteCount
            directoryByteCount.add(byteCount, ordering: .relaxed)
        }
        return open
    }

    private func layout(of root: AttributeName.Root, _ directory: RowGroupDirectory) -> ObjectLayout {
        ObjectLayout(attributes(of: root, directory).map { (attribute($0).name, $0) })
    }

    /// How objects are put together from their attributes.
    func objectLayout(of root: AttributeName.Root, rowGroup: Int) throws(SegmentError) -> ObjectLayout {
        let open = try openRowGroup(rowGroup)
        return root == .object ? open.objects : open.arguments
    }

    /// The selected columns of one row group.
    package func read(rowGroup: Int, _ selection: ColumnSelection) throws(SegmentError) -> ColumnBatch {
        try read(rowGroup: rowGroup, rows: 0..<footer.rowGroups[rowGroup].rowCount, selection)
    }

    /// The selected columns of some rows of a row group: only the pages that hold them are read, so damage elsewhere
    /// does not matter. Precondition: the rows exist.
    package func read(
        rowGroup: Int, rows: Range<Int>, _ selection: ColumnSelection
    ) throws(SegmentError) -> ColumnBatch {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= footer.rowGroups[rowGroup].rowCount)
        return try readThroughCache(rowGroup: rowGroup, rows: rows, selection)
    }
}
