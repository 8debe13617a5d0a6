internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
package import DaybookStore
internal import DaybookSystem

/// Log files and segments, file by file.
extension Inspector {
    /// Every log file of an organization with its groups. Bytes behind the last checkpoint's mark are not trusted and
    /// not shown: what was acknowledged since stands in the journal.
    package func log(of organization: OrganizationRecord) throws {
        let folder = Layout.folder(of: organization.log)
        let mark = try CheckpointLog.read(disk: disk, storeID: store.identity.storeID).table.marks[organization.log]
        guard try disk.exists(folder) else { return }
        for name in try disk.list(folder) {
            guard case .logFile(let first)? = FileKind(name: name) else { continue }
            try logFile(Layout.path(folder, name), first: first, log: organization.log, mark: mark)
        }
    }

    private func logFile(_ path: String, first: UInt64, log: LogID, mark: LogMark?) throws {
        let file = try disk.open(path, .read)
        defer { file.close() }
        let byteCount = try file.byteCount()
        let limit = min(byteCount, mark?.fileFirstSequence == first ? mark?.fileByteCount ?? 0 : byteCount)
        var record = InspectRecord("log")
        record.add("path", path)
        record.add("first_sequence", first)
        record.add("bytes", byteCount)
        record.add("trusted_bytes", limit)
        try emit(record)
        guard let end = Int(exactly: limit), end >= LogFileHeader.byteCount else { return }
        var reader = LogFileReader(file: file, log: log, limit: end)
        while try group(&reader) {}
    }

    /// False at the end of the file.
    private func group(_ reader: inout LogFileReader) throws -> Bool {
        let offset = reader.offset
        var found: GroupHeader?
        do {
            let goesOn = try reader.next { header, _ in found = header }
            guard goesOn, let header = found else { return false }
            var record = InspectRecord("group")
            record.add("offset", offset)
            record.add("bytes", header.byteCount)
            record.add("first_sequence", header.firstSequence)
            record.add("last_sequence", header.lastSequence)
            record.add("events", header.eventCount)
            record.add("arrival", Inspector.text(header.arrival))
            record.add("durable_through", header.durableThrough)
            record.add("idempotency", header.keyHash != nil)
            try emit(record)
        } catch LogFileReaderError<Never>.log(let error) {
            guard case .corrupt(let corruption) = error else { throw error }
            let range = try reader.skipDamage()
            var record = InspectRecord("damage")
            record.add("offset", range.lowerBound)
            record.add("bytes", range.count)
            record.add("reason", "\(corruption.reason)")
            try emit(record)
        }
        return true
    }

    /// One segment, checked completely: its footer, its row groups and the columns of each, and the damage if there is
    /// any.
    package func segment(_ path: String) throws {
        let check = try SegmentCheck(disk: disk, path: path)
        if check.isReadable { try describe(try SegmentReader.open(disk: disk, path: path), path) }
        var record = InspectRecord("check")
        record.add("path", path)
        record.add("sound", check.isSound)
        record.add("pages", check.pageCount)
        record.add("rows", check.rowCount)
        try emit(record)
        for damage in check.damages { try emit(damage: damage) }
    }

    private func describe(_ reader: SegmentReader, _ path: String) throws {
        var record = InspectRecord("segment")
        record.add("path", path)
        record.add("family", reader.family.typeName)
        record.add("first_sequence", reader.firstSequence)
        record.add("last_sequence", reader.lastSequence)
        record.add("rows", reader.rowCount)
        record.add("bytes", reader.byteCount)
        record.add("from", Inspector.text(reader.timestampMin))
        record.add("to", Inspector.text(reader.timestampMax))
        try emit(record)
        for rowGroup in 0..<reader.rowGroupCount {
            let zone = reader.zone(rowGroup: rowGroup)
            var record = InspectRecord("row group")
            record.add("number", rowGroup)
            record.add("rows", zone.rowCount)
            record.add("first_sequence", zone.sequenceMin)
            record.add("last_sequence", zone.sequenceMax)
            record.add("from", Inspector.text(Timestamp(microseconds: zone.timestampMin)))
            record.add("to", Inspector.text(Timestamp(microseconds: zone.timestampMax)))
            try emit(record)
            for column in try columns(of: reader, rowGroup) {
                var record = InspectRecord("column")
                record.add("name", ColumnNumber(rawValue: column.number).map { "\($0)" } ?? "number \(column.number)")
                record.add("pages", column.pages.count)
                record.add("bytes", column.byteCount)
                record.add("dictionary_entries", column.dictionaryEntryCount)
                try emit(record)
            }
        }
        try index(of: reader)
    }

    /// What each section of the index costs, and what share of the pages is read with it for a value that is there and
    /// for one that is not.
    private func index(of segment: SegmentReader) throws {
        let path = SegmentIndex.path(ofSegment: segment.path)
        guard let index = try SegmentIndex.existing(segment, disk: disk) else {
            var record = InspectRecord("index")
            record.add("path", path)
            record.add("sound", false)
            return try emit(record)
        }
        let report = index.report()
        var record = InspectRecord("index")
        record.add("path", path)
        record.add("sound", true)
        record.add("bytes", report.byteCount)
        record.add("pages", report.pageCount)
        try emit(record)
        for section in report.sections {
            var record = InspectRecord("section")
            record.add("name", section.name)
            record.add("holds", section.kind)
            record.add("entries", section.entryCount)
            record.add("bytes", section.byteCount)
            record.add("found_permille", Int((section.foundShare * 1_000).rounded(.up)))
            record.add("absent_permille", Int((section.absentShare * 1_000).rounded(.up)))
            try emit(record)
        }
    }

    /// None when the row group's directory is damaged, which the check has listed.
    private func columns(of reader: SegmentReader, _ rowGroup: Int) throws -> [ColumnDescriptor] {
        do {
            return try reader.directory(rowGroup: rowGroup).columns
        } catch {
            guard case .corrupt = error else { throw error }
            return []
        }
    }

    /// All segments that the manifest of an organization names; of a closed one all that are in its folder.
    package func segments(of organization: OrganizationRecord) throws {
        let folder = Layout.folder(of: organization.log)
        do {
            for reference in try store.snapshot(of: organization.log).segments {
                try segment(Layout.path(folder, reference.path))
            }
        } catch StoreError.organizationClosed(let corruption) {
            try emit(damage: corruption)
            for name in try disk.list(folder) {
                guard case .segment? = FileKind(name: name) else { continue }
                try segment(Layout.path(folder, name))
            }
        }
    }
}
