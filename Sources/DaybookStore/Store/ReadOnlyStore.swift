package import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
package import DaybookSystem

/// Opens a data directory without a lock and without writing: for export, replay and inspect, also while a server runs.
///
/// Beside a running server it reads no further than the server says is durable, and looks again when a checkpoint or a
/// sealing moved files under it; what it then sees is a prefix of each log.
package final class ReadOnlyStore: Sendable {
    private static let attemptCountMax = 64

    package let identity: StoreIdentity
    private let disk: any Disk
    private let clock: (any Clock)?
    private let isServed: @Sendable () -> Bool
    /// Of the control log, as it was at the opening.
    let history: ControlHistory

    /// - Parameters:
    ///   - clock: says which events have expired; without one all are visible that are still there.
    ///   - isServed: whether a server holds the directory's lock right now.
    package static func open(
        disk: any Disk, clock: (any Clock)? = nil, isServed: @escaping @Sendable () -> Bool = { false }
    ) throws -> ReadOnlyStore {
        try inStore {
            let identity = try Store.readIdentity(disk)
            let snapshot = try view(.control, disk: disk, identity: identity, isServed: isServed)
            return ReadOnlyStore(
                identity: identity, disk: disk, clock: clock, isServed: isServed,
                history: try snapshot.controlHistory())
        }
    }

    private init(
        identity: StoreIdentity, disk: any Disk, clock: (any Clock)?, isServed: @escaping @Sendable () -> Bool,
        history: ControlHistory
    ) {
        self.clock = clock
        self.identity = identity
        self.disk = disk
        self.isServed = isServed
        self.history = history
    }

    private var control: ControlState { history.state }

    package func organization(_ id: OrganizationID) -> OrganizationRecord? { control.organizations[id] }

    /// Sorted by id.
    package func organizations() -> [OrganizationRecord] {
        control.organizations.values.sorted { $0.id.text < $1.id.text }
    }

    /// Of organizations that were deleted.
    var deletedLogs: Set<LogID> { Set(control.deletions.keys) }

    /// All acts so far, oldest first, without the audit trail.
    package func controlEvents() -> [ControlEvent] { control.redacting(history.acts) }

    package func snapshot(of log: LogID) throws -> OrganizationSnapshot {
        try inStore {
            try Self.view(
                log, disk: disk, identity: identity, visibility: { self.visibility(of: log, $0) }, isServed: isServed)
        }
    }

    private func visibility(of log: LogID, _ manifest: Manifest) -> VisibilityTable {
        guard let organization = control.organizationsByLog[log] else { return .everything }
        let users = erasedUsers(of: organization, manifest)
        guard let clock else { return VisibilityTable.everything.hiding(users) }
        let policy = control.settings[organization]?.retention ?? .standard
        return VisibilityTable(policy, at: Timestamp(microseconds: clock.wallMicroseconds())).hiding(users)
    }

    /// Whose events may still be there although they are to be forgotten.
    private func erasedUsers(of organization: OrganizationID, _ manifest: Manifest) -> ErasedUsers? {
        let open = control.erasures.values.filter { erasure in
            erasure.organization == organization && erasure.done.map { manifest.generation < $0.generation } ?? true
        }.sorted { $0.id < $1.id }
        guard !open.isEmpty, let hash = control.userHash(of: organization) else { return nil }
        return ErasedUsers(open.map { ErasedUsers.User(hash: $0.userHash, through: $0.through) }, hash: hash)
    }

    private static func view(
        _ log: LogID, disk: any Disk, identity: StoreIdentity,
        visibility: (Manifest) -> VisibilityTable = { _ in .everything }, isServed: () -> Bool
    ) throws -> OrganizationSnapshot {
        var lastError: (any Error)?
        for _ in 0..<attemptCountMax {
            let served = isServed()
            do {
                let before = try CheckpointLog.read(disk: disk, storeID: identity.storeID).table
                let limit = served ? try PositionFile.read(disk: disk) ?? before.journalPosition : .max
                let snapshot = try read(
                    log, disk: disk, identity: identity, table: before, limit: limit, visibility: visibility,
                    isServed: served)
                guard served else { return snapshot }
                // Nothing was released and reused in between when the checkpoint is still the same.
                let after = try CheckpointLog.read(disk: disk, storeID: identity.storeID).table
                if after.journalPosition == before.journalPosition { return snapshot }
            } catch  where served {
                lastError = error
            }
        }
        throw lastError ?? StoreError.unstable
    }

    private static func read(
        _ log: LogID, disk: any Disk, identity: StoreIdentity, table: CheckpointTable, limit: UInt64,
        visibility: (Manifest) -> VisibilityTable, isServed: Bool
    ) throws -> OrganizationSnapshot {
        let scan = try JournalScan.read(
            disk: disk, storeID: identity.storeID, from: table.journalPosition, limit: max(limit, table.journalPosition)
        )
        let image: OrganizationImage
        do {
            image = try OrganizationImage.read(disk: disk, log: log, mark: table.marks[log])
        } catch ManifestError.corrupt(let corruption) {
            throw StoreError.organizationClosed(corruption)
        }
        var durableThrough = image.durableThrough
        var pending: [CommittedGroup] = []
        let journal = JournalGroupReader(disk: disk)
        defer { journal.close() }
        for group in scan.groups where group.log == log && group.firstSequence > durableThrough {
            let bytes = try journal.read(group)
            let header = try bytes.withRawSpan { (span) throws(FormatError) in try GroupHeader(reading: span) }
            pending.append(
                CommittedGroup(
                    log: log, firstSequence: header.firstSequence, eventCount: header.eventCount,
                    arrival: header.arrival, bytes: bytes))
            durableThrough = header.lastSequence
        }
        // Opened now: a file that was replaced or sealed, and removed since the manifest was read, makes the caller look
        // again. Without a server nothing is removed, and nothing need be held.
        let folder = Layout.folder(of: log)
        let segments = try image.manifest.segments.map { segment in
            SegmentHandle(
                segment, disk: disk, folder: folder,
                held: isServed ? try held(segment, of: image.manifest, disk: disk, log: log) : nil)
        }
        let extents = try image.extents.map { extent in
            LogExtent(
                file: LogFileHandle(disk: disk, path: extent.path, held: try disk.open(extent.path, .read)),
                firstSequence: extent.firstSequence, lastSequence: extent.lastSequence, byteCount: extent.byteCount)
        }
        return OrganizationSnapshot(
            log: log, disk: disk, folder: folder, lastSequence: durableThrough, manifest: image.manifest,
            segmentHandles: segments, extents: extents, pending: pending, visibility: visibility(image.manifest))
    }

    /// The segment's file; nil when it is missing although the manifest still names it, which costs its rows only.
    private static func held(
        _ segment: SegmentReference, of manifest: Manifest, disk: any Disk, log: LogID
    ) throws -> (any DiskFile)? {
        let folder = Layout.folder(of: log)
        do {
            return try disk.open(Layout.path(folder, segment.path), .read)
        } catch  where error.kind == .notFound {
            let now = try ManifestLog.load(disk: disk, folder: folder, log: log)?.manifest
            guard now?.generation == manifest.generation else { throw error }
            return nil
        }
    }
}
