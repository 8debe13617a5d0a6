package import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
package import DaybookSystem

/// Derives the rollup of every segment again from the segment's rows, and compares the bytes with what is stored.
/// Writes nothing and takes no lock. Beside a running server, a segment that is merged away while it is read is no
/// finding: the one that took its place is looked at.
package final class RollupCheck {
    private let disk: any Disk
    private let isServed: () -> Bool
    private let progress: (String) -> Void
    private var report = RollupCheckReport()

    /// A server that merges faster than this check reads is left alone after so many tries.
    private static let attemptCountMax = 64

    /// - Parameters:
    ///   - isServed: whether a server holds the directory's lock right now.
    ///   - progress: called with the path of each segment before it is read.
    package init(disk: any Disk, isServed: @escaping () -> Bool, progress: @escaping (String) -> Void = { _ in }) {
        self.disk = disk
        self.isServed = isServed
        self.progress = progress
    }

    /// - Parameter log: of one organization; nil for all.
    /// - Throws: `StoreError.notAStore` when there is no store to check, and what the disk says of the folder of all
    ///   organizations. Everything else that is wrong is a finding.
    package func run(_ log: LogID? = nil) throws -> RollupCheckReport {
        do {
            _ = try Store.readIdentity(disk)
        } catch StoreError.notAStore(let reason) {
            throw StoreError.notAStore(reason)
        } catch {
            // Not about rollups, and not in the way of reading segments.
        }
        let logs =
            try log.map { [$0] }
            ?? disk.list(Layout.organizations).compactMap { Layout.log(ofOrganizationFolder: $0) }
        for log in logs { check(log) }
        return report
    }

    private func check(_ log: LogID) {
        let folder = Layout.folder(of: log)
        var known: Set<String> = []
        report.logCount += 1
        for _ in 1...Self.attemptCountMax where checkNamed(log, folder, &known) { return }
        report.notes.append(
            RollupFinding(
                .underivable, Layout.path(folder, .manifest), "changed faster than it could be read; check again"))
    }

    /// Checks the segments that the manifest names and that are not known yet. False when one went away meanwhile.
    private func checkNamed(_ log: LogID, _ folder: String, _ known: inout Set<String>) -> Bool {
        let manifest: Manifest
        do throws(ManifestError) {
            manifest = try ManifestLog.load(disk: disk, folder: folder, log: log)?.manifest ?? Manifest()
        } catch {
            report.findings.append(RollupFinding(.underivable, Layout.path(folder, .manifest), "\(error)"))
            return true
        }
        for segment in manifest.segments where !known.contains(segment.path) {
            let before = report
            check(segment, log, folder)
            if report.findings.count > before.findings.count, isServed(), !isNamed(segment, log, folder) {
                report = before
                return false
            }
            known.insert(segment.path)
        }
        return true
    }

    private func isNamed(_ segment: SegmentReference, _ log: LogID, _ folder: String) -> Bool {
        do throws(ManifestError) {
            let content = try ManifestLog.load(disk: disk, folder: folder, log: log)
            return content?.manifest.segments.contains(segment) ?? false
        } catch {
            return true
        }
    }

    // MARK: - One segment

    private func check(_ segment: SegmentReference, _ log: LogID, _ folder: String) {
        let path = Layout.path(folder, segment.path)
        let rollupPath = Layout.path(folder, segment.rollupPath)
        progress(path)
        report.segmentCount += 1
        do {
            let derived = try derive(segment, log, path)
            guard segment.rollupByteCount > 0 else {
                guard derived != nil else { return }
                return report.notes.append(
                    RollupFinding(.missing, rollupPath, segment: path, "none is stored, although one pays"))
            }
            let stored = try disk.readAll(rollupPath)
            report.rollupCount += 1
            report.rollupByteCount += UInt64(stored.count)
            let isNamed = UInt64(stored.count) == segment.rollupByteCount && crc32c(stored) == segment.rollupChecksum
            if let finding = compare(stored, derived, isNamed: isNamed, rollupPath, path) {
                report.findings.append(finding)
            }
        } catch let error as DiskError where error.path == rollupPath && error.kind == .notFound {
            report.findings.append(RollupFinding(.missing, rollupPath, segment: path, "is missing"))
        } catch {
            report.findings.append(
                RollupFinding(.underivable, rollupPath, segment: path, "cannot be derived again: \(error)"))
        }
    }

    /// Nil when nothing of the segment pays.
    private func derive(_ segment: SegmentReference, _ log: LogID, _ path: String) throws -> [UInt8]? {
        let reader = try SegmentReader.open(disk: disk, path: path)
        guard reader.log == log, reader.family == segment.family, reader.footerChecksum == segment.footerChecksum,
            reader.firstSequence == segment.firstSequence, reader.lastSequence == segment.lastSequence
        else {
            throw SegmentError.corrupt(
                Corruption(file: path, offset: 0, reason: .invalid("segment that the manifest does not name")))
        }
        report.rowCount += reader.rowCount
        var rollup = SegmentRollup(reader)
        while try rollup.step() {}
        return rollup.finish(segment)
    }

    /// Nil when they are the same to the bit.
    private func compare(
        _ stored: [UInt8], _ derived: [UInt8]?, isNamed: Bool, _ rollupPath: String, _ path: String
    ) -> RollupFinding? {
        guard stored != derived || !isNamed else { return nil }
        guard stored != derived else {
            return RollupFinding(.unnamed, rollupPath, segment: path, "is not the file that the manifest names")
        }
        guard let derived else {
            return RollupFinding(.different, rollupPath, segment: path, "is stored, although nothing of it pays")
        }
        do throws(FormatError) {
            let found = try RollupFile(stored)
            guard let difference = found.compare(derived: try RollupFile(derived)) else { return nil }
            return RollupFinding(difference, rollupPath, segment: path)
        } catch {
            return RollupFinding(.unreadable, rollupPath, segment: path, "is damaged: \(error)")
        }
    }
}
