internal import DaybookFormat
internal import DaybookLog
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookSystem

/// One folder with a log: its manifest and every file that the manifest or the checkpoint vouches for.
extension StoreCheck {
    func check(_ log: LogID) {
        let before = report.counts
        for attempt in 1...Self.attemptCountMax {
            let found = findings(of: log)
            guard isServed, attempt < Self.attemptCountMax, isStale(found, log) else { return add(found) }
            count { $0 = before }
        }
    }

    /// Whether a finding is about a file that a server sealed or merged away while it was read.
    private func isStale(_ found: [StoreFinding], _ log: LogID) -> Bool {
        let files = Set(found.filter { $0.severity != .note }.map(\.file))
        guard !files.isEmpty else { return false }
        if let identity = try? Store.readIdentity(disk),
            let newest = try? CheckpointLog.read(disk: disk, storeID: identity.storeID)
        {
            table = newest.table
        }
        guard let real = realFiles(of: log) else { return false }
        return !files.isSubset(of: real)
    }

    /// Paths of what counts now; nil when that cannot be said.
    private func realFiles(of log: LogID) -> Set<String>? {
        let folder = Layout.folder(of: log)
        guard let image = try? OrganizationImage.read(disk: disk, log: log, mark: table.marks[log]) else { return nil }
        var paths = Set(image.manifest.namedFiles.map { Layout.path(folder, $0) })
        paths.formUnion(image.extents.map(\.path))
        paths.insert(Layout.path(folder, .manifest))
        paths.insert(folder)
        return paths
    }

    private func findings(of log: LogID) -> [StoreFinding] {
        let folder = Layout.folder(of: log)
        var found: [StoreFinding] = []
        do {
            guard try disk.exists(folder) else {
                if let mark = table.marks[log], mark.lastSequence > 0 {
                    found.append(StoreFinding(.damage, .folder, folder, "is missing"))
                }
                return found
            }
            count { $0.logs += 1 }
            found += notes(on: log, folder)
            checkErasures(log, folder, &found)
            guard let content = try manifest(of: log, folder, &found) else {
                checkUnnamed(log, folder, &found)
                return found
            }
            for reference in content.segments { check(reference, folder, &found) }
            for history in content.history { check(StoredRollup(history), .damage, .history, folder, &found) }
            if let carry = content.carry { check(carry: carry, folder, log, &found) }
            try checkLogFiles(log, folder, &found)
        } catch {
            found.append(Self.finding(.folder, folder, error))
        }
        return found
    }

    // MARK: - Manifest

    /// Nil when the manifest is damaged. A folder without one has an empty manifest.
    private func manifest(of log: LogID, _ folder: String, _ found: inout [StoreFinding]) throws -> Manifest? {
        let path = Layout.path(folder, .manifest)
        willRead(path)
        do throws(ManifestError) {
            guard let content = try ManifestLog.load(disk: disk, folder: folder, log: log) else { return Manifest() }
            count { $0.manifests += 1 }
            if content.tornByteCount > 0 {
                found.append(
                    StoreFinding(
                        .note, .manifest, path, at: UInt64(content.byteCount),
                        "an edit of \(content.tornByteCount) bytes that was never published"))
            }
            for absence in content.manifest.absences {
                found.append(
                    StoreFinding(
                        .note, .manifest, path,
                        "\(absence.eventCount) events of sequences \(absence.range.lowerBound) to \(absence.range.upperBound) are gone: \(absence.reason)"
                    ))
            }
            return content.manifest
        } catch {
            found.append(Self.finding(.manifest, path, error))
            return nil
        }
    }

    /// Without a manifest nothing says which files count; whether they are whole can be said all the same.
    private func checkUnnamed(_ log: LogID, _ folder: String, _ found: inout [StoreFinding]) {
        for name in (try? disk.list(folder)) ?? [] {
            let path = Layout.path(folder, name)
            switch FileKind(name: name) {
            case .segment?: checkPages(path, &found)
            case .carry?: check(carry: name, folder, log, &found)
            case .logFile(let first)?:
                let mark = table.marks[log]
                walk(path, first, log, end: mark?.fileFirstSequence == first ? mark?.fileByteCount : nil, &found)
            default: continue
            }
        }
    }

    // MARK: - Segments and what belongs to them

    private func check(_ reference: SegmentReference, _ folder: String, _ found: inout [StoreFinding]) {
        let path = Layout.path(folder, reference.path)
        checkPages(path, &found)
        checkRollup(of: reference, folder, &found)
        // Whatever keeps it from being opened was just told.
        guard let segment = try? SegmentReader.open(disk: disk, path: path) else { return }
        let isNamed =
            segment.byteCount == reference.byteCount && segment.footerChecksum == reference.footerChecksum
            && segment.family == reference.family && segment.firstSequence == reference.firstSequence
            && segment.lastSequence == reference.lastSequence && segment.rowCount == reference.rowCount
            && segment.timestampMin == reference.timestampMin && segment.timestampMax == reference.timestampMax
        if !isNamed {
            found.append(
                StoreFinding(
                    .damage, .segment, path, at: segment.byteCount, "is not the segment that the manifest names"))
        }
        checkIndex(of: segment, &found)
    }

    private func checkPages(_ path: String, _ found: inout [StoreFinding]) {
        willRead(path)
        do throws(DiskError) {
            let check = try SegmentCheck(disk: disk, path: path)
            count { counts in
                counts.segments += 1
                counts.pages += check.pageCount
                counts.rows += check.rowCount
            }
            found += check.damages.map { StoreFinding(.damage, .segment, $0) }
        } catch {
            found.append(Self.finding(.segment, path, error))
        }
    }

    private func checkIndex(of segment: SegmentReader, _ found: inout [StoreFinding]) {
        let path = SegmentIndex.path(ofSegment: segment.path)
        willRead(path)
        do throws(SegmentError) {
            count { $0.indexes += 1 }
            guard let damage = try SegmentIndex.damage(of: segment, disk: disk) else { return }
            found.append(StoreFinding(.disposable, .index, damage))
        } catch {
            var finding = Self.finding(.index, path, error)
            finding.severity = .disposable
            found.append(finding)
        }
    }

    /// Whether readers would use it; `RollupCheck` says whether they should.
    private func checkRollup(of reference: SegmentReference, _ folder: String, _ found: inout [StoreFinding]) {
        guard reference.rollupByteCount > 0 else { return }
        check(StoredRollup(reference), .disposable, .rollup, folder, &found)
    }

    private func check(
        _ rollup: StoredRollup, _ severity: StoreFinding.Severity, _ subject: StoreFinding.Subject, _ folder: String,
        _ found: inout [StoreFinding]
    ) {
        let path = Layout.path(folder, rollup.path)
        willRead(path)
        do {
            count { $0.rollups += 1 }
            let bytes = try disk.readAll(path)
            let damages = try RollupFile(bytes).damages
            found += damages.map { StoreFinding(severity, subject, path, at: $0.offset, "\($0.part): \($0.reason)") }
            let isNamed =
                UInt64(bytes.count) == rollup.byteCount && crc32c(bytes) == rollup.checksum
            guard damages.isEmpty, !isNamed else { return }
            found.append(StoreFinding(severity, subject, path, "is not the file that the manifest names"))
        } catch let error as FormatError {
            found.append(
                StoreFinding(severity, subject, Corruption(file: path, offset: 0, reason: error)))
        } catch {
            var finding = Self.finding(subject, path, error)
            finding.severity = severity
            found.append(finding)
        }
    }

    private func check(carry name: String, _ folder: String, _ log: LogID, _ found: inout [StoreFinding]) {
        let path = Layout.path(folder, name)
        willRead(path)
        do throws(CarryError) {
            _ = try CarryFile.load(disk: disk, folder: folder, name: name, log: log)
            count { $0.carryFiles += 1 }
        } catch {
            found.append(Self.finding(.carry, path, error))
        }
    }

    // MARK: - Log files

    private func checkLogFiles(_ log: LogID, _ folder: String, _ found: inout [StoreFinding]) throws {
        let image = try OrganizationImage.read(disk: disk, log: log, mark: table.marks[log])
        found += image.damages.map { StoreFinding(.damage, .log, $0) }
        var next = image.manifest.sealedThrough + 1
        for extent in image.extents {
            if extent.firstSequence > next {
                found.append(
                    StoreFinding(
                        .damage, .log, extent.path,
                        "sequences \(next) to \(extent.firstSequence - 1) before it are in no file"))
            }
            let before = found.count
            let last = walk(extent.path, extent.firstSequence, log, end: UInt64(extent.byteCount), &found)
            if before == found.count, last != extent.lastSequence {
                found.append(
                    StoreFinding(
                        .damage, .log, extent.path, at: UInt64(extent.byteCount),
                        "ends with sequence \(last), and the checkpoint says \(extent.lastSequence)"))
            }
            next = extent.lastSequence + 1
        }
    }

    /// Checks the header and every group record up to `end`, or to the end of the file. Returns the last sequence.
    @discardableResult
    private func walk(
        _ path: String, _ first: UInt64, _ log: LogID, end: UInt64?, _ found: inout [StoreFinding]
    ) -> UInt64 {
        willRead(path)
        var last = first - 1
        do {
            let file = try disk.open(path, .read)
            defer { file.close() }
            count { $0.logFiles += 1 }
            let byteCount = try file.byteCount()
            try checkHeader(file, first, log, &found)
            var reader = LogFileReader(file: file, log: log, limit: Int(clamping: min(end ?? byteCount, byteCount)))
            var goesOn = true
            while goesOn { goesOn = try step(&reader, path, &last, &found) }
        } catch {
            found.append(Self.finding(.log, path, error))
        }
        return last
    }

    private func checkHeader(
        _ file: any DiskFile, _ first: UInt64, _ log: LogID, _ found: inout [StoreFinding]
    ) throws {
        var bytes: [UInt8] = []
        try file.read(LogFileHeader.byteCount, at: 0, appendingTo: &bytes)
        do throws(FormatError) {
            let header = try bytes.withRawSpan { (span) throws(FormatError) in try LogFileHeader(reading: span) }
            guard header.log == log, header.firstSequence == first else { throw .invalid("log file header") }
        } catch {
            found.append(StoreFinding(.damage, .log, Corruption(file: file.path, offset: 0, reason: error)))
        }
    }

    /// One group record, or one stretch of damage. False at the end.
    private func step(
        _ reader: inout LogFileReader, _ path: String, _ last: inout UInt64, _ found: inout [StoreFinding]
    ) throws -> Bool {
        let offset = reader.offset
        var group: GroupHeader?
        var damage: Corruption?
        let isControl = path.hasPrefix(Layout.control + "/")
        do {
            let goesOn = try reader.next { (header, record) throws(FormatError) in
                group = header
                if isControl { try Self.checkActs(header, record) }
            }
            guard goesOn, let group else { return false }
            count { $0.logGroups += 1 }
            if group.firstSequence != last + 1 {
                found.append(
                    StoreFinding(
                        .damage, .log, path, at: UInt64(offset),
                        "sequence \(group.firstSequence) follows \(last)"))
            }
            last = group.lastSequence
            return true
        } catch LogFileReaderError<FormatError>.log(.corrupt(let corruption)) {
            damage = corruption
        } catch LogFileReaderError<FormatError>.log(let error) {
            throw error
        } catch LogFileReaderError<FormatError>.body(let error) {
            damage = Corruption(file: path, offset: UInt64(offset), reason: error)
        }
        let skipped = try reader.skipDamage()
        if var damage {
            damage.file = path
            var finding = StoreFinding(.damage, .log, damage)
            finding.reason += ", \(skipped.count) bytes"
            found.append(finding)
        }
        return true
    }

    private static func checkActs(_ header: GroupHeader, _ record: RawSpan) throws(FormatError) {
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.family == .control else { continue }
            _ = try ControlEvent(reading: record.extracting(entry.encoding))
        }
    }

    // MARK: - What else lies there

    private func notes(on log: LogID, _ folder: String) -> [StoreFinding] {
        var notes: [StoreFinding] = []
        for name in (try? disk.list(folder)) ?? [] {
            let path = Layout.path(folder, name)
            switch FileKind(name: name) {
            case .quarantineReport?:
                notes.append(StoreFinding(.note, .folder, path, "damage that was found before is told of here"))
            case nil: notes.append(StoreFinding(.note, .folder, path, "is no file of a store"))
            default: continue
            }
        }
        // A server at work always has files that the manifest does not name yet, or not any more.
        guard !isServed, let image = try? OrganizationImage.read(disk: disk, log: log, mark: table.marks[log]) else {
            return notes
        }
        for path in image.strayFiles + image.strayLogFiles {
            notes.append(StoreFinding(.note, .folder, path, "is named by nothing and goes at the next start"))
        }
        return notes
    }
}
