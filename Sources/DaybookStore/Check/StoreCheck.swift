internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
package import DaybookSystem

/// Reads everything that a data directory holds and compares it with its checksums, with the manifests and with each
/// other. Writes nothing and takes no lock. Beside a running server it reads what was durable when it began; a file that
/// the server let go meanwhile is no finding.
package final class StoreCheck {
    let disk: any Disk
    private let served: () -> Bool
    private let progress: (String) -> Void
    private(set) var report = StoreCheckReport()
    private var storeID: UInt64?
    var table = CheckpointTable()

    static let attemptCountMax = 8

    /// - Parameters:
    ///   - isServed: whether a server holds the directory's lock right now.
    ///   - progress: called with the path of each file before it is read.
    package init(disk: any Disk, isServed: @escaping () -> Bool, progress: @escaping (String) -> Void = { _ in }) {
        self.disk = disk
        served = isServed
        self.progress = progress
    }

    /// - Throws: `StoreError.notAStore` when there is no store to check. Everything else that is wrong is a finding.
    package func run() throws -> StoreCheckReport {
        try checkIdentity()
        checkJournal()
        for log in logs() { check(log) }
        noteRecoveryReports()
        return report
    }

    var isServed: Bool { served() }

    func willRead(_ path: String) { progress(path) }

    func count(_ body: (inout StoreCheckCounts) -> Void) { body(&report.counts) }

    func add(_ findings: [StoreFinding]) { report.findings += findings }

    // MARK: - The store as a whole

    private func checkIdentity() throws {
        willRead(Layout.identity)
        do {
            storeID = try Store.readIdentity(disk).storeID
        } catch StoreError.notAStore(let reason) {
            throw StoreError.notAStore(reason)
        } catch {
            add([Self.finding(.identity, Layout.identity, error)])
        }
    }

    /// Checkpoint and journal, which must be of the same moment. Nothing can be said of them without the store's id.
    private func checkJournal() {
        guard let storeID else { return }
        var found: [StoreFinding] = []
        var isStable = false
        for _ in 0..<Self.attemptCountMax {
            found = []
            let wasServed = isServed
            guard let before = readCheckpoint(storeID, &found) else {
                isStable = true
                if wasServed { continue }
                break
            }
            table = before
            report.counts.journalGroups = checkJournal(
                storeID, from: before.journalPosition, isServed: wasServed, &found)
            // Nothing was released and used again in between when the checkpoint is still the same.
            var ignored: [StoreFinding] = []
            isStable = !wasServed || readCheckpoint(storeID, &ignored)?.journalPosition == before.journalPosition
            if isStable && (!wasServed || found.isEmpty) { break }
        }
        let unread = StoreFinding(.note, .journal, Layout.journal, "changed faster than it could be read; check again")
        add(isStable ? found : [unread])
    }

    private func readCheckpoint(_ storeID: UInt64, _ found: inout [StoreFinding]) -> CheckpointTable? {
        willRead(Layout.checkpoint)
        do {
            return try CheckpointLog.read(disk: disk, storeID: storeID).table
        } catch {
            found.append(Self.finding(.checkpoint, Layout.checkpoint, error))
            return nil
        }
    }

    /// Number of groups beyond the checkpoint.
    private func checkJournal(
        _ storeID: UInt64, from position: UInt64, isServed: Bool, _ found: inout [StoreFinding]
    ) -> Int {
        willRead(Layout.journal)
        do {
            // A running server says how far its journal is durable; what lies behind may be half written.
            let limit = isServed ? try PositionFile.read(disk: disk) ?? position : .max
            let scan = try JournalScan.read(disk: disk, storeID: storeID, from: position, limit: max(limit, position))
            for damage in scan.damages {
                let isTorn = damage.judgement == .torn
                found.append(
                    StoreFinding(
                        isTorn ? .note : .damage, .journal, JournalFiles.path(damage.slot),
                        at: UInt64(damage.range.lowerBound),
                        isTorn
                            ? "an interrupted write of \(damage.range.count) bytes that nobody was told of"
                            : "\(damage.reason), \(damage.range.count) bytes"))
            }
            let known = isServed ? nil : try PositionFile.read(disk: disk)
            let recovery = try RecoveryReport(scan: scan, marks: table.marks, position: known, disk: disk)
            if let missing = recovery.missingPositions {
                found.append(
                    StoreFinding(
                        .damage, .journal, Layout.journal,
                        "positions \(missing.lowerBound) to \(missing.upperBound) were durable and are in no file"))
            }
            for (log, gaps) in recovery.gaps.sorted(by: { $0.key < $1.key }) {
                for gap in gaps {
                    found.append(
                        StoreFinding(
                            .damage, .journal, Layout.folder(of: log),
                            "sequences \(gap.lowerBound) to \(gap.upperBound) were acknowledged and are in no file"))
                }
            }
            return scan.groups.count
        } catch {
            found.append(Self.finding(.journal, Layout.journal, error))
            return 0
        }
    }

    /// The control log, then the organizations in the order of their folders. What is left of one that was deleted may be
    /// any part of it.
    private func logs() -> [LogID] {
        do {
            let deleted = deletedLogs()
            return [.control]
                + (try disk.list(Layout.organizations)).compactMap { Layout.log(ofOrganizationFolder: $0) }
                .filter { !deleted.contains($0) }
        } catch {
            add([Self.finding(.folder, Layout.organizations, error)])
            return [.control]
        }
    }

    /// None when the control log cannot be read, which is a finding of its own.
    private func deletedLogs() -> Set<LogID> {
        let wasServed = isServed
        return (try? ReadOnlyStore.open(disk: disk, isServed: { wasServed }))?.deletedLogs ?? []
    }

    private func noteRecoveryReports() {
        do {
            guard try disk.exists(Layout.recovery) else { return }
            for name in try disk.list(Layout.recovery) {
                guard case .quarantineReport? = FileKind(name: name) else { continue }
                add([
                    StoreFinding(
                        .note, .journal, Layout.path(Layout.recovery, name), "a start found damage and told of it here")
                ])
            }
        } catch {
            add([Self.finding(.folder, Layout.recovery, error)])
        }
    }

    // MARK: - Errors as findings

    /// What reading a file threw: damage with its place, or a disk that does not give the bytes.
    static func finding(_ subject: StoreFinding.Subject, _ file: String, _ error: any Error) -> StoreFinding {
        switch error {
        case let corruption as Corruption,
            LogError.corrupt(let corruption), SegmentError.corrupt(let corruption),
            ManifestError.corrupt(let corruption), CarryError.corrupt(let corruption),
            StoreError.corrupt(let corruption):
            return StoreFinding(.damage, subject, corruption)
        case let error as DiskError where error.kind == .notFound:
            return missing(subject, file)
        case LogError.disk(let error), SegmentError.disk(let error), ManifestError.disk(let error),
            CarryError.disk(let error):
            if error.kind == .notFound { return missing(subject, file) }
            return StoreFinding(.damage, subject, file, "cannot be read: \(error)")
        default:
            return StoreFinding(.damage, subject, file, "cannot be read: \(error)")
        }
    }

    private static func missing(_ subject: StoreFinding.Subject, _ file: String) -> StoreFinding {
        StoreFinding(.damage, subject, file, "is missing")
    }
}
