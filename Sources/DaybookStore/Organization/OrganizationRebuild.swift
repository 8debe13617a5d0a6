package import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
package import DaybookSystem

/// What the rebuilding of a closed organization found and did.
package struct RebuildReport: Sendable, Equatable {
    package var segmentCount = 0
    /// Sequences up to here are in segments, or lost.
    package var sealedThrough: UInt64 = 0
    /// Acknowledged events that neither a segment nor the log holds.
    package var lostEventCount: UInt64 = 0
    /// Whether idempotency keys and open sessions of sealed events are still known.
    package var hasCarry = false
    /// Groups that were copied out of the journal while the organization was closed, and are in a log file again.
    package var restoredGroupCount = 0
    package var restoredEventCount: UInt64 = 0
    /// Files that the new manifest does not name, by their old names; each has `.quarantine` behind it now.
    package var setAside: [String] = []
}

/// Gives an organization whose manifest is damaged a new one, made from what its folder still holds. Nothing is removed:
/// what the new manifest does not name is renamed, and the damaged manifest is kept beside it.
///
/// Works on a directory that no store has open. The new manifest replaces the damaged one in the last step, so that an
/// interrupted rebuilding leaves the organization closed and can be repeated.
package struct OrganizationRebuild {
    private let disk: any Disk
    private let log: LogID
    private let folder: String
    private let names: Set<String>
    private let mark: LogMark?
    private var manifest = Manifest()
    private var report = RebuildReport()

    /// Throws `StoreError.organizationIsOpen` when there is nothing to repair.
    package static func run(disk: any Disk, log: LogID) throws -> RebuildReport {
        try inStore {
            let identity = try Store.readIdentity(disk)
            let checkpoints = try CheckpointLog.open(disk: disk, storeID: identity.storeID)
            defer { checkpoints.close() }
            var rebuild = try OrganizationRebuild(disk, log, mark: checkpoints.table.marks[log])
            try rebuild.requireDamage()
            try rebuild.account()
            try rebuild.keepDamagedManifest()
            try rebuild.setUnnamedAside()
            try rebuild.restoreSalvaged(checkpoints)
            try rebuild.publish()
            return rebuild.report
        }
    }

    private init(_ disk: any Disk, _ log: LogID, mark: LogMark?) throws {
        self.disk = disk
        self.log = log
        self.mark = mark
        folder = Layout.folder(of: log)
        names = try disk.exists(folder) ? Set(try disk.list(folder)) : []
    }

    private func path(_ name: String) -> String { Layout.path(folder, name) }

    private func requireDamage() throws {
        do {
            _ = try OrganizationImage.manifest(disk: disk, log: log, mark: mark, names: names)
        } catch ManifestError.corrupt(let corruption) {
            // What a later version wrote is not damage, and that version can read it.
            if case .unsupportedVersion = corruption.reason { throw StoreError.corrupt(corruption) }
            return
        }
        throw StoreError.organizationIsOpen
    }

    /// Makes the manifest. A damaged segment counts only where no log file holds its events any more.
    private mutating func account() throws {
        var references: [SegmentReference] = []
        for name in names.sorted() {
            guard case .segment(let first, _, _, _)? = FileKind(name: name) else { continue }
            let check = try SegmentCheck(disk: disk, path: path(name))
            let isInLog = names.contains(FileKind.logFile(first: first).name)
            guard check.isReadable, check.isSound || !isInLog else {
                report.setAside.append(name)
                continue
            }
            let segment = try SegmentReader.open(disk: disk, path: path(name))
            guard segment.log == log else {
                report.setAside.append(name)
                continue
            }
            references.append(SegmentReference(segment, name: name))
        }
        let rebuilt = Manifest.rebuilt(from: references)
        manifest = rebuilt.manifest
        manifest.generation = max(1, manifest.generation)
        report.setAside += rebuilt.unused.map(\.path)
        // Nothing tells whether the events that they count are in segments that came back.
        report.setAside += names.filter { if case .history? = FileKind(name: $0) { true } else { false } }.sorted()
        for name in names.sorted() {
            guard case .logFile(let first)? = FileKind(name: name), first <= manifest.sealedThrough else { continue }
            report.setAside.append(name)
        }
        manifest.carry = try carry()
        report.hasCarry = manifest.carry != nil
        report.segmentCount = manifest.segments.count
        report.sealedThrough = manifest.sealedThrough
        let rowCount = manifest.segments.reduce(UInt64(0)) { $0 + UInt64($1.rowCount) }
        report.lostEventCount = manifest.sealedThrough - rowCount + unloggedCount()
    }

    /// Sequences behind the segments that a checkpoint relied on and no log file holds; sealing will state them as lost.
    private func unloggedCount() -> UInt64 {
        guard let mark else { return 0 }
        var start = mark.lastSequence + 1
        for name in names {
            guard case .logFile(let first)? = FileKind(name: name), first > manifest.sealedThrough else { continue }
            start = min(start, first)
        }
        return start > manifest.sealedThrough + 1 ? start - 1 - manifest.sealedThrough : 0
    }

    /// The carry file of the very sequence that the segments end at, if it is whole.
    private func carry() throws -> String? {
        guard manifest.sealedThrough > 0 else { return nil }
        let name = FileKind.carry(sealedThrough: manifest.sealedThrough).name
        guard names.contains(name) else { return nil }
        do {
            _ = try CarryFile.load(disk: disk, folder: folder, name: name, log: log)
            return name
        } catch CarryError.corrupt {
            return nil
        }
    }

    private func keepDamagedManifest() throws {
        let name = FileKind.manifest.name
        guard names.contains(name) else { return }
        let kept = path(FileKind.quarantine(of: name).name)
        try disk.readAll(path(name)).withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(kept, with: span)
        }
    }

    /// The next opening removes what no manifest names; under their new names files stay.
    private func setUnnamedAside() throws {
        for name in report.setAside {
            try disk.rename(path(name), to: path(FileKind.quarantine(of: name + "-unnamed").name))
        }
        if !report.setAside.isEmpty { try disk.synchronizeDirectory(folder) }
    }

    // MARK: The log

    /// Groups that the closed organization had only in the journal go into a new log file, and a checkpoint vouches for
    /// it and for the sequence up to which everything is sealed now.
    private mutating func restoreSalvaged(_ checkpoints: CheckpointLog) throws {
        var durable = max(manifest.sealedThrough, mark?.lastSequence ?? 0)
        var bytes: [UInt8] = []
        var next = mark
        next?.sealedThrough = manifest.sealedThrough
        for name in names.sorted() {
            guard case .quarantine(let original)? = FileKind(name: name),
                case .logFile? = FileKind(name: original)
            else { continue }
            try forEachGroup(in: name) { header, record in
                guard header.firstSequence > durable else { return }
                if bytes.isEmpty {
                    bytes = LogFileHeader(log: log, firstSequence: header.firstSequence).encoded()
                    next = LogMark(
                        log: log, fileFirstSequence: header.firstSequence, fileByteCount: 0, lastSequence: 0,
                        lastArrival: header.arrival, sealedThrough: manifest.sealedThrough)
                }
                bytes.append(record)
                durable = header.lastSequence
                next?.lastSequence = durable
                next?.lastArrival = header.arrival
                report.restoredGroupCount += 1
                report.restoredEventCount += UInt64(header.eventCount)
            }
        }
        guard var next else { return }
        if !bytes.isEmpty {
            try cutLastLogFile()
            next.fileByteCount = UInt64(bytes.count)
            let name = FileKind.logFile(first: next.fileFirstSequence).name
            try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path(name), with: span) }
        }
        try checkpoints.append(position: checkpoints.table.journalPosition, marks: [next])
    }

    /// Passes over what does not verify.
    private func forEachGroup(in name: String, _ body: (GroupHeader, RawSpan) -> Void) throws {
        let bytes = try disk.readAll(path(name))
        bytes.withRawSpan { (span: RawSpan) in
            var walk = LogWalk(log: log, from: 0, limit: span.byteCount)
            while true {
                do throws(FormatError) {
                    guard let (header, offset) = try walk.next(span) else { return }
                    body(header, span.extracting(offset..<offset + header.byteCount))
                } catch {
                    _ = walk.skipDamage(span)
                }
            }
        }
    }

    /// A log file that is not the last any more is trusted whole, so what no checkpoint vouched for goes first.
    private func cutLastLogFile() throws {
        guard let mark else { return }
        let name = FileKind.logFile(first: mark.fileFirstSequence).name
        guard names.contains(name), !report.setAside.contains(name) else { return }
        let file = try disk.open(path(name), .readWrite)
        defer { file.close() }
        guard try file.byteCount() > mark.fileByteCount else { return }
        try file.truncate(to: mark.fileByteCount)
        try file.synchronize()
    }

    private func publish() throws {
        var bytes = ManifestFileHeader(log: log).encoded()
        ManifestRecord(generation: manifest.generation, edit: .snapshot(manifest)).append(to: &bytes)
        try bytes.withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(path(FileKind.manifest.name), with: span)
        }
    }
}

extension SegmentReference {
    /// - Parameter name: of the segment, inside its folder.
    fileprivate init(_ segment: SegmentReader, name: String) {
        let arrivals = (0..<segment.rowGroupCount).map { segment.zone(rowGroup: $0).arrivalMax }
        self.init(
            family: segment.family, firstSequence: segment.firstSequence, lastSequence: segment.lastSequence,
            rowCount: segment.rowCount, timestampMin: segment.timestampMin, timestampMax: segment.timestampMax,
            path: name, byteCount: segment.byteCount, footerChecksum: segment.footerChecksum,
            arrivalMax: Timestamp(microseconds: arrivals.max() ?? .max))
    }
}
