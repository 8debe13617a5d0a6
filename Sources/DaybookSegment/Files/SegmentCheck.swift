package import DaybookFormat
package import DaybookSystem

/// Reads a segment completely and lists everything that is damaged in it, page by page.
package struct SegmentCheck: Sendable {
    package private(set) var damages: [Corruption] = []
    package private(set) var pageCount = 0
    package private(set) var rowCount = 0
    /// Whether header and footer were sound, so that the rest could be looked at.
    package private(set) var isReadable = false
    private var root: UInt32 = 0
    private var rootIsComplete = true

    package var isSound: Bool { damages.isEmpty }

    /// Only the disk's own errors are thrown; damage is listed.
    package init(disk: any Disk, path: String) throws(DiskError) {
        do throws(SegmentError) {
            let segment = try SegmentReader.open(disk: disk, path: path)
            isReadable = true
            for rowGroup in 0..<segment.rowGroupCount { try check(segment, rowGroup) }
            checkRoot(segment)
        } catch {
            try note(error)
        }
    }

    private mutating func note(_ error: SegmentError) throws(DiskError) {
        switch error {
        case .disk(let error): throw error
        case .corrupt(let corruption): if !damages.contains(corruption) { damages.append(corruption) }
        }
    }

    private mutating func check(_ segment: SegmentReader, _ rowGroup: Int) throws(SegmentError) {
        let before = damages.count
        let directory: RowGroupDirectory
        do throws(SegmentError) {
            directory = try segment.directory(rowGroup: rowGroup)
        } catch {
            rootIsComplete = false
            return try keep(error)
        }
        for column in directory.columns {
            for page in column.dictionaryPages { try check(segment, page) }
            for page in column.pages { try check(segment, page) }
        }
        pageCount += 1
        root = PageOutput.continueRoot(root, with: segment.footer.rowGroups[rowGroup].directoryChecksum)
        // Values are looked at only where all pages are whole: else the same damage would be told twice.
        guard damages.count == before else { return }
        do throws(SegmentError) {
            try checkValues(segment, rowGroup)
        } catch {
            try keep(error)
        }
    }

    private mutating func keep(_ error: SegmentError) throws(SegmentError) {
        guard case .corrupt(let corruption) = error else { throw error }
        damages.append(corruption)
    }

    private mutating func check(_ segment: SegmentReader, _ page: PageDescriptor) throws(SegmentError) {
        pageCount += 1
        root = PageOutput.continueRoot(root, with: page.checksum)
        do throws(SegmentError) {
            let bytes = try segment.file.read(page.byteCount, at: page.offset)
            try segment.file.decode(bytes, at: page.offset) { (bytes: RawSpan) throws(FormatError) in
                let header = try PageHeader(verifying: bytes, at: 0)
                guard header.checksum == page.checksum else {
                    throw .checksum(expected: page.checksum, found: header.checksum)
                }
            }
        } catch {
            try keep(error)
        }
    }

    /// Every row makes an encoding that reads, and lies inside the zones.
    private mutating func checkValues(_ segment: SegmentReader, _ rowGroup: Int) throws(SegmentError) {
        let batch = try segment.read(rowGroup: rowGroup, .all)
        let offset = segment.footer.rowGroups[rowGroup].directoryOffset
        let builder = ColumnBatchBuilder(family: batch.family, schemaVersion: batch.schemaVersion)
        var encoding: [UInt8] = []
        for row in 0..<batch.rowCount {
            encoding.removeAll(keepingCapacity: true)
            batch.appendEncoding(row: row, to: &encoding)
            try segment.file.decode(encoding, at: offset) { (bytes: RawSpan) throws(FormatError) in
                try builder.check(bytes)
            }
        }
        rowCount += batch.rowCount
        let zone = segment.zone(rowGroup: rowGroup)
        let agrees =
            batch.sequences.first == zone.sequenceMin && batch.sequences.last == zone.sequenceMax
            && batch.timestamps.min() == zone.timestampMin && batch.timestamps.max() == zone.timestampMax
            && batch.arrivals.min() == zone.arrivalMin && batch.arrivals.max() == zone.arrivalMax
            && batch.durations.min() ?? 0 == zone.durationMin && batch.durations.max() ?? 0 == zone.durationMax
            && batch.statuses.min() == zone.statusMin && batch.statuses.max() == zone.statusMax
        guard agrees else { throw segment.file.damage(at: offset, .invalid("zone")) }
        try Self.checkAttributes(segment, rowGroup, batch)
    }

    /// The root names every page, so it is compared only when every page is known.
    private mutating func checkRoot(_ segment: SegmentReader) {
        guard rootIsComplete, segment.footer.root.starts(with: PageOutput.rootAlgorithm) else { return }
        guard segment.footer.root != PageOutput.rootField(root, pageCount: UInt64(pageCount)) else { return }
        damages.append(Corruption(file: segment.path, offset: segment.byteCount, reason: .invalid("segment root")))
    }
}
