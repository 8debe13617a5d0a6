internal import DaybookEvent
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
            for column in try columns(of: reader, rowGroup) where !column.isAttribute {
                let name = ColumnNumber(rawValue: column.number).map { "\($0)" } ?? "number \(column.number)"
                try describe(column, InspectRecord("column"), name: name, reader)
            }
            for (attribute, column) in try attributes(of: reader, rowGroup) {
                var record = InspectRecord("attribute")
                record.add("type", "\(attribute.kind)")
                record.add("missing", column.zone.missingCount)
                record.add("also_in_rest", column.isAlsoInRest)
                try describe(column, record, name: Self.path(attribute.name, of: reader.family), reader)
            }
        }
        try index(of: reader)
    }

    /// Pages, bytes and encodings of a column, behind what is known of it otherwise.
    private func describe(
        _ column: ColumnDescriptor, _ extra: InspectRecord, name: String, _ reader: SegmentReader
    ) throws {
        var record = InspectRecord(extra.kind)
        record.add("name", name)
        record.add("pages", column.pages.count)
        record.add("bytes", column.byteCount)
        record.add("dictionary_entries", column.dictionaryEntryCount)
        do {
            let encodings = try reader.encodings(of: column)
            let counts = encodings.pageCounts.map { "\($0.count) \($0.encoding)" }
            record.add("encodings", counts.joined(separator: " + "))
            record.add("compressed_pages", encodings.compressedPageCount)
            record.add("encoded_bytes", encodings.encodedByteCount)
        } catch {
            // The check lists the damage.
            guard case .corrupt = error else { throw error }
        }
        record.add(fieldsOf: extra)
        try emit(record)
    }

    /// As in a query: the object's name in the API and the keys, with dots between; a key that is no plain word is quoted.
    static func path(_ name: AttributeName, of family: Family) -> String {
        let root =
            switch (name.root, family) {
            case (.arguments, _): "command_args"
            case (.object, .agentInteraction): "metadata"
            case (.object, .productivityMetric): "dimensions"
            case (.object, _): "context"
            }
        let keys = name.keys.map { key in
            let isPlain = key.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            let text = String(decoding: key, as: UTF8.self)
            guard !isPlain || key.isEmpty else { return text }
            var quoted: [UInt8] = []
            JSONText.append(text, to: &quoted)
            return String(decoding: quoted, as: UTF8.self)
        }
        return ([root] + keys).joined(separator: ".")
    }

    /// None when the row group's directory is damaged, which the check has listed.
    private func attributes(
        of reader: SegmentReader, _ rowGroup: Int
    ) throws -> [(attribute: SegmentAttribute, column: ColumnDescriptor)] {
        do {
            return try reader.attributeColumns(rowGroup: rowGroup)
        } catch {
            guard case .corrupt = error else { throw error }
            return []
        }
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
