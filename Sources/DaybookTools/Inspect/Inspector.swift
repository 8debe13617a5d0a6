internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
package import DaybookStore
package import DaybookSystem

/// Reads the files of a data directory as they lie there and says what they hold. Writes nothing; beside a running
/// server it shows what the files held at the moment of reading.
package struct Inspector {
    let disk: any Disk
    let store: ReadOnlyStore
    let emit: (InspectRecord) throws -> Void

    /// - Parameter emit: called with each finding, in order.
    package init(disk: any Disk, store: ReadOnlyStore, emit: @escaping (InspectRecord) throws -> Void) {
        self.disk = disk
        self.store = store
        self.emit = emit
    }

    // MARK: - The store as a whole

    package func overview() throws {
        var record = InspectRecord("store")
        record.add("id", hexText(store.identity.storeID))
        record.add("organizations", store.organizations().count)
        record.add("control_events", store.controlEvents().count)
        try emit(record)
        for organization in store.organizations() { try overview(of: organization) }
    }

    /// One that is closed is shown with its damage; the others are shown all the same.
    private func overview(of organization: OrganizationRecord) throws {
        var record = InspectRecord("organization")
        record.add("organization", organization.id.text)
        record.add("folder", Layout.folder(of: organization.log))
        do {
            let snapshot = try store.snapshot(of: organization.log)
            record.add("last_sequence", snapshot.lastSequence)
            record.add("sealed_through", snapshot.manifest.sealedThrough)
            record.add("segments", snapshot.segments.count)
            record.add("log_files", snapshot.tailExtentCount)
            record.add("journal_groups", snapshot.pendingGroupCount)
            try emit(record)
        } catch StoreError.organizationClosed(let corruption) {
            record.add("closed", true)
            try emit(record)
            try emit(damage: corruption)
        }
    }

    func emit(damage corruption: Corruption) throws {
        var record = InspectRecord("damage")
        record.add("path", corruption.file)
        record.add("offset", corruption.offset)
        record.add("reason", "\(corruption.reason)")
        try emit(record)
    }

    // MARK: - Manifest

    package func manifest(of organization: OrganizationRecord) throws {
        let folder = Layout.folder(of: organization.log)
        do {
            _ = try store.snapshot(of: organization.log)
        } catch StoreError.organizationClosed(let corruption) {
            return try emit(damage: corruption)
        }
        guard let content = try ManifestLog.load(disk: disk, folder: folder, log: organization.log) else {
            var record = InspectRecord("manifest")
            record.add("path", Layout.path(folder, .manifest))
            record.add("exists", false)
            return try emit(record)
        }
        let manifest = content.manifest
        var record = InspectRecord("manifest")
        record.add("path", Layout.path(folder, .manifest))
        record.add("generation", manifest.generation)
        record.add("sealed_through", manifest.sealedThrough)
        record.add("carry", manifest.carry ?? "none")
        record.add("torn_bytes", content.tornByteCount)
        try emit(record)
        for segment in manifest.segments {
            var record = InspectRecord("segment")
            record.add("path", Layout.path(folder, segment.path))
            record.add("family", segment.family.typeName)
            record.add("first_sequence", segment.firstSequence)
            record.add("last_sequence", segment.lastSequence)
            record.add("rows", segment.rowCount)
            record.add("bytes", segment.byteCount)
            record.add("from", Self.text(segment.timestampMin))
            record.add("to", Self.text(segment.timestampMax))
            try emit(record)
        }
        for file in manifest.history {
            var record = InspectRecord("history")
            record.add("path", Layout.path(folder, file.path))
            record.add("family", file.family.typeName)
            record.add("first_sequence", file.firstSequence)
            record.add("last_sequence", file.lastSequence)
            record.add("events", file.eventCount)
            record.add("bytes", file.byteCount)
            record.add("from", Self.text(file.timestampMin))
            record.add("to", Self.text(file.timestampMax))
            try emit(record)
        }
        for absence in manifest.absences {
            var record = InspectRecord("absence")
            record.add("first_sequence", absence.range.lowerBound)
            record.add("last_sequence", absence.range.upperBound)
            record.add("events", absence.eventCount)
            record.add("reason", "\(absence.reason)")
            try emit(record)
        }
    }

    // MARK: - Checkpoint

    package func checkpoint() throws {
        let found = try CheckpointLog.read(disk: disk, storeID: store.identity.storeID)
        var record = InspectRecord("checkpoint")
        record.add("path", CheckpointLog.path(found.ordinal))
        record.add("records", found.recordCount)
        record.add("bytes", found.byteCount)
        record.add("journal_position", found.table.journalPosition)
        try emit(record)
        for mark in found.table.marks.values.sorted(by: { $0.log < $1.log }) {
            var record = InspectRecord("mark")
            record.add("folder", Layout.folder(of: mark.log))
            record.add("log_file", FileKind.logFile(first: mark.fileFirstSequence).name)
            record.add("log_file_bytes", mark.fileByteCount)
            record.add("last_sequence", mark.lastSequence)
            record.add("sealed_through", mark.sealedThrough)
            record.add("last_arrival", Self.text(mark.lastArrival))
            try emit(record)
        }
    }

    // MARK: - Journal

    package func journal() throws {
        let table = try CheckpointLog.read(disk: disk, storeID: store.identity.storeID).table
        let scan = try JournalScan.read(
            disk: disk, storeID: store.identity.storeID, from: table.journalPosition)
        var record = InspectRecord("journal")
        record.add("files", scan.slotCount)
        record.add("files_in_use", scan.slotsInUse.count)
        record.add("from_position", table.journalPosition)
        record.add("end_position", scan.endPosition)
        record.add("groups", scan.groups.count)
        try emit(record)
        for group in scan.groups {
            var record = InspectRecord("group")
            record.add("slot", group.slot)
            record.add("offset", UInt64(group.offset))
            record.add("bytes", UInt64(group.byteCount))
            record.add("folder", Layout.folder(of: group.log))
            record.add("first_sequence", group.firstSequence)
            record.add("last_sequence", group.lastSequence)
            try emit(record)
        }
        for damage in scan.damages {
            var record = InspectRecord("damage")
            record.add("slot", damage.slot)
            record.add("offset", damage.range.lowerBound)
            record.add("bytes", damage.range.count)
            record.add("judgement", damage.judgement == .torn ? "torn" : "corrupt")
            record.add("reason", "\(damage.reason)")
            try emit(record)
        }
    }

    static func text(_ time: Timestamp) -> String {
        var bytes: [UInt8] = []
        TimestampText.append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
