internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// The organizations that are open right now. An idle one is closed again, so that ten thousand of them cost no more
/// than their entries in the checkpoint table.
///
/// Whoever works on an organization holds a lease; only one without leases, and with nothing pending, is closed.
final class OrganizationRegistry: Sendable {
    private struct Entry {
        var organization: OrganizationStore
        var leaseCount: Int
    }

    private struct Parked {
        weak var organization: OrganizationStore?
    }

    private struct State {
        var entries: [LogID: Entry] = [:]
        /// Groups that only the journal holds, of organizations that were not opened since the start.
        var unopened: [LogID: [JournalGroup]] = [:]
        /// Manifests that could not be read: their organizations stay closed.
        var closed: [LogID: Corruption] = [:]
        var marks: [LogID: LogMark] = [:]
        /// Opened at least once: what is left over from an earlier life was removed then, and a sealed log file that
        /// is still there belongs to a snapshot.
        var swept: Set<LogID> = []
        /// Closed, and still in the hands of readers.
        var parked: [LogID: Parked] = [:]
    }

    private let state: Mutex<State>
    /// Held while one organization is read from disk, so that it is opened once. Readers of open ones do not wait.
    private let opening = Mutex<Void>(())
    private let disk: any Disk
    private let options: StoreOptions
    private let shared: SharedState
    let caches: ReadCaches

    init(
        disk: any Disk, options: StoreOptions, shared: SharedState, caches: ReadCaches, marks: [LogID: LogMark],
        groups: [JournalGroup]
    ) {
        self.disk = disk
        self.options = options
        self.shared = shared
        self.caches = caches
        var unopened: [LogID: [JournalGroup]] = [:]
        for group in groups { unopened[group.log, default: []].append(group) }
        state = Mutex(State(unopened: unopened, marks: marks))
    }

    /// The organization, opened if need be, with one more lease. Blocks on the disk when it has to be opened.
    /// - Throws: `StoreError.unknownOrganization` for the log of one that was deleted.
    func lease(_ log: LogID) throws(StoreError) -> OrganizationStore {
        if let open = leaseIfOpen(log) { return open }
        return try inStore {
            try opening.withLock { _ in
                if let open = leaseIfOpen(log) { return open }
                return try open(log)
            }
        }
    }

    private func leaseIfOpen(_ log: LogID) -> OrganizationStore? {
        guard !shared.deletions.contains(log) else { return nil }
        return state.withLock { state in
            if let parked = state.parked.removeValue(forKey: log)?.organization {
                state.entries[log] = Entry(organization: parked, leaseCount: 0)
            }
            state.entries[log]?.leaseCount += 1
            return state.entries[log]?.organization
        }
    }

    private func open(_ log: LogID) throws -> OrganizationStore {
        guard !shared.deletions.contains(log) else { throw StoreError.unknownOrganization }
        let (mark, groups, closed, isSwept) = state.withLock { state in
            (state.marks[log], state.unopened[log] ?? [], state.closed[log], state.swept.contains(log))
        }
        if let closed { throw StoreError.organizationClosed(closed) }
        let journal = JournalGroupReader(disk: disk)
        defer { journal.close() }
        let organization: OrganizationStore
        do {
            organization = try OrganizationStore.open(
                disk: disk, log: log, mark: mark, groups: groups, options: options, removesStrays: !isSwept,
                caches: caches, journal: journal)
        } catch ManifestError.corrupt(let corruption) {
            state.withLock { $0.closed[log] = corruption }
            report(log, corruption)
            throw StoreError.organizationClosed(corruption)
        }
        shared.erasures.look(at: log, generation: organization.generation)
        // What opening took from the journal into memory counts like what a commit brings.
        shared.adopted(byteCount: organization.pendingByteCount)
        // Before anybody has it: what commits add from here on comes on top.
        shared.space.set(organization.usedByteCount, of: log)
        state.withLock { state in
            state.unopened[log] = nil
            state.swept.insert(log)
            state.entries[log] = Entry(organization: organization, leaseCount: 1)
        }
        return organization
    }

    /// Leaves word of a closed organization where operators look for damage.
    private func report(_ log: LogID, _ corruption: Corruption) {
        shared.note(StoreError.organizationClosed(corruption))
        guard !shared.isPoisoned else { return }
        let text = """
            {"closed":"\(Layout.folder(of: log))","file":"\(corruption.file)","offset":\(corruption.offset),\
            "reason":"\(corruption.reason)"}\n
            """
        let name = FileKind.quarantineReport(of: "manifest-" + hexText(log.rawValue))
        do {
            try Array(text.utf8).withRawSpan { (span) throws(DiskError) in
                try disk.replaceAtomically(Layout.path(Layout.recovery, name), with: span)
            }
        } catch {
            shared.note(error)
        }
    }

    /// Copies the groups of a closed organization out of the journal into its folder, one behind the other.
    func salvage(_ log: LogID) throws {
        let groups = state.withLock { $0.unopened[log] ?? [] }
        guard let first = groups.first else { return }
        let journal = JournalGroupReader(disk: disk)
        defer { journal.close() }
        var bytes: [UInt8] = []
        for group in groups { bytes += try journal.read(group) }
        let name = FileKind.quarantine(of: FileKind.logFile(first: first.firstSequence).name)
        try bytes.withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(Layout.path(Layout.folder(of: log), name), with: span)
        }
        state.withLock { $0.unopened[log] = nil }
    }

    func release(_ log: LogID) {
        state.withLock { state in
            state.entries[log]?.leaseCount -= 1
            precondition((state.entries[log]?.leaseCount ?? 0) >= 0)
        }
    }

    /// Lets go of a log whose organization was deleted. False while somebody still works with it or reads it: nobody new
    /// comes, so it is asked again. Precondition: the log is among those that were deleted.
    func retire(_ log: LogID) -> Bool {
        precondition(shared.deletions.contains(log))
        caches.forgetAll(of: log)
        // Who is opening it now was let in before it was deleted.
        return opening.withLock { _ in
            let isFree = state.withLock { state in
                guard let entry = state.entries[log] else { return true }
                guard entry.leaseCount == 0 else { return false }
                shared.moved(byteCount: entry.organization.pendingByteCount)
                state.entries[log] = nil
                state.parked[log] = Parked(organization: entry.organization)
                return true
            }
            return isFree
                && state.withLock { state in
                    guard state.parked[log]?.organization == nil else { return false }
                    state.parked[log] = nil
                    state.unopened[log] = nil
                    state.closed[log] = nil
                    state.marks[log] = nil
                    return true
                }
        }
    }

    /// Runs `body` with a lease.
    func with<R>(_ log: LogID, _ body: (OrganizationStore) throws -> R) throws -> R {
        let organization = try lease(log)
        defer { release(log) }
        return try body(organization)
    }

    /// Runs `body` with a lease if the organization is open; an idle one stays closed.
    func withOpen<R>(_ log: LogID, _ body: (OrganizationStore) throws -> R) rethrows -> R? {
        guard let organization = leaseIfOpen(log) else { return nil }
        defer { release(log) }
        return try body(organization)
    }

    /// What the log files hold now, for the next opening in this life of the process.
    func note(_ mark: LogMark) {
        state.withLock { $0.marks[mark.log] = mark }
    }

    /// Logs with groups that only the journal holds and that were not opened yet.
    var unopenedLogs: [LogID] { state.withLock { $0.unopened.keys.sorted() } }
    var unopenedGroups: [LogID: [JournalGroup]] { state.withLock { $0.unopened } }

    /// Closes organizations that nobody uses, when more than `count` are open.
    func closeIdle(keeping count: Int) {
        state.withLock { state in
            guard state.entries.count > count else { return }
            state.parked = state.parked.filter { $0.value.organization != nil }
            for (log, entry) in state.entries where entry.leaseCount == 0 && entry.organization.isIdle {
                state.entries[log] = nil
                state.parked[log] = Parked(organization: entry.organization)
            }
        }
    }

    var openCount: Int { state.withLock { $0.entries.count } }
    var marks: [LogID: LogMark] { state.withLock { $0.marks } }
    var closed: [LogID: Corruption] { state.withLock { $0.closed } }
}

/// Reads groups back from journal files, keeping the last file open.
final class JournalGroupReader {
    private let disk: any Disk
    private var slot: Int?
    private var file: (any DiskFile)?

    init(disk: any Disk) { self.disk = disk }

    /// The bytes of the group record, verified.
    func read(_ group: JournalGroup) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try append(group, to: &bytes)
        return bytes
    }

    /// Appends the bytes of the group record, verified.
    func append(_ group: JournalGroup, to bytes: inout [UInt8]) throws -> GroupHeader {
        if slot != group.slot {
            file?.close()
            file = try disk.open(JournalFiles.path(group.slot), .read)
            slot = group.slot
        }
        let start = bytes.count
        try file!.read(Int(group.byteCount), at: UInt64(group.offset), appendingTo: &bytes)
        do throws(FormatError) {
            guard bytes.count - start == Int(group.byteCount) else {
                throw .truncated(needed: Int(group.byteCount), found: bytes.count - start)
            }
            let header = try bytes.withRawSpan { (span) throws(FormatError) in
                try GroupHeader(verifying: span, at: start)
            }
            guard header.log == group.log, header.firstSequence == group.firstSequence else {
                throw .invalid("journal group")
            }
            return header
        } catch {
            throw Corruption(file: JournalFiles.path(group.slot), offset: UInt64(group.offset), reason: error)
        }
    }

    func close() {
        file?.close()
        file = nil
    }
}
