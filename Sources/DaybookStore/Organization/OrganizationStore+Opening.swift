internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem

/// What an organization looks like on disk: pure reading, shared by the store and by tools that must not write.
struct OrganizationImage {
    var manifest = Manifest()
    /// Unsealed log files with the bytes of them that a checkpoint vouches for, oldest first.
    var extents: [(path: String, firstSequence: UInt64, lastSequence: UInt64, byteCount: Int)] = []
    /// Log files that hold nothing that counts: sealed, or never vouched for.
    var strayLogFiles: [String] = []
    /// Other files that the manifest does not name.
    var strayFiles: [String] = []
    /// Segments that the manifest does not name and that have a report beside them: they were damaged, and are kept.
    var setAsideSegments: [String] = []
    /// Bytes behind the trusted end of the last log file.
    var untrustedEnd: (path: String, byteCount: Int)?
    /// Log files that are shorter than a checkpoint says, and damage of the manifest.
    var damages: [Corruption] = []
    /// Everything up to here is in segments or trusted log bytes.
    var durableThrough: UInt64 = 0
    var exists = false

    /// - Parameter mark: what the last checkpoint says of this log; nil when none ever did.
    static func read(disk: any Disk, log: LogID, mark: LogMark?) throws -> OrganizationImage {
        let folder = Layout.folder(of: log)
        var image = OrganizationImage()
        guard try disk.exists(folder) else { return image }
        image.exists = true
        let names = try disk.list(folder)
        image.manifest = try manifest(disk: disk, log: log, mark: mark, names: Set(names))
        image.durableThrough = image.manifest.sealedThrough
        let named = image.manifest.namedFiles
        var logFiles: [UInt64] = []
        for name in names {
            switch FileKind(name: name) {
            case .logFile(let first)?: logFiles.append(first)
            case .segment? where !named.contains(name) && names.contains(FileKind.quarantineReport(of: name).name):
                image.setAsideSegments.append(name)
            case .segment?, .index?, .rollup?, .history?, .carry?, .temporary?:
                if !named.contains(name) { image.strayFiles.append(Layout.path(folder, name)) }
            default: continue
            }
        }
        try image.sortOut(logFiles: logFiles.sorted(), disk: disk, folder: folder, mark: mark)
        return image
    }

    /// The manifest of a folder; an empty one where nothing was sealed yet. One that is missing, or that says less than a
    /// checkpoint relied on, is damaged like one that cannot be read: files that it no longer names must not be removed.
    /// - Parameter names: of the files in the folder.
    static func manifest(disk: any Disk, log: LogID, mark: LogMark?, names: Set<String>) throws -> Manifest {
        let folder = Layout.folder(of: log)
        let content = try ManifestLog.load(disk: disk, folder: folder, log: log)
        let manifest = content?.manifest ?? Manifest()
        guard let mark, mark.sealedThrough > manifest.sealedThrough || lacksSeal(manifest, mark, names) else {
            return manifest
        }
        let reason: FormatError =
            content == nil
            ? .truncated(needed: ManifestFileHeader.byteCount, found: 0)
            : .invalid("manifest: the last edit is missing")
        throw ManifestError.corrupt(
            Corruption(
                file: Layout.path(folder, .manifest), offset: UInt64(content?.byteCount ?? 0), reason: reason))
    }

    /// Whether a segment that the manifest does not name stands where the log was given up: a log file goes only after
    /// the edit that names its segments.
    private static func lacksSeal(_ manifest: Manifest, _ mark: LogMark, _ names: Set<String>) -> Bool {
        let start = manifest.sealedThrough + 1
        var logStart = mark.lastSequence + 1
        for name in names {
            if case .logFile(let first)? = FileKind(name: name), first >= start, first <= mark.fileFirstSequence {
                logStart = min(logStart, first)
            }
        }
        guard start < logStart else { return false }
        return names.contains { name in
            guard case .segment(let first, _, _, _)? = FileKind(name: name) else { return false }
            return (start..<logStart).contains(first)
        }
    }

    private mutating func sortOut(logFiles: [UInt64], disk: any Disk, folder: String, mark: LogMark?) throws {
        for (index, first) in logFiles.enumerated() {
            let path = Layout.path(folder, .logFile(first: first))
            guard first > manifest.sealedThrough, let mark, first <= mark.fileFirstSequence else {
                strayLogFiles.append(path)
                continue
            }
            let file = try disk.open(path, .read)
            defer { file.close() }
            let found = Int(clamping: try file.byteCount())
            var byteCount = found
            var last = mark.lastSequence
            if first == mark.fileFirstSequence {
                byteCount = Int(clamping: mark.fileByteCount)
                if found > byteCount { untrustedEnd = (path, byteCount) }
            } else {
                // The file behind it begins where this one ends; when the one that the mark names is missing, the
                // loss is reported below.
                last = index + 1 < logFiles.count ? logFiles[index + 1] - 1 : mark.fileFirstSequence - 1
            }
            if found < byteCount {
                damages.append(
                    Corruption(
                        file: path, offset: UInt64(found), reason: .truncated(needed: byteCount, found: found)))
                byteCount = found
            }
            extents.append((path, first, last, max(byteCount, LogFileHeader.byteCount)))
            durableThrough = max(durableThrough, last)
        }
        if let mark, mark.lastSequence > durableThrough {
            damages.append(
                Corruption(
                    file: Layout.path(folder, .logFile(first: mark.fileFirstSequence)), offset: 0,
                    reason: .truncated(needed: Int(clamping: mark.fileByteCount), found: 0)))
            durableThrough = mark.lastSequence
        }
    }
}

extension OrganizationStore {
    /// Groups that only the journal holds are kept in memory up to this many bytes; more go to a log file at once.
    private static let journalTailByteCountMax = 256 << 10

    /// Opens an organization for appending: removes what no checkpoint and no manifest vouches for, cuts the untrusted
    /// end of its last log file, and takes in its groups from the journal.
    ///
    /// - Parameters:
    ///   - groups: its groups in the journal, in order.
    ///   - journal: reads such a group.
    static func open(
        disk: any Disk, log: LogID, mark: LogMark?, groups: [JournalGroup], options: StoreOptions,
        removesStrays: Bool, caches: ReadCaches?, journal: JournalGroupReader
    ) throws -> OrganizationStore {
        // Settles the manifest first: what it says must be durable before a log file is removed because of it. A torn
        // end is cut off then, so whether it was an edit that counted is asked before.
        let folder = Layout.folder(of: log)
        if try disk.exists(folder) {
            _ = try OrganizationImage.manifest(disk: disk, log: log, mark: mark, names: Set(try disk.list(folder)))
            _ = try ManifestLog.open(disk: disk, folder: folder, log: log).manifest
        }
        let image = try OrganizationImage.read(disk: disk, log: log, mark: mark)
        if removesStrays && image.damages.isEmpty {
            for path in image.strayLogFiles + image.strayFiles { try disk.remove(path) }
            let folder = Layout.folder(of: log)
            for name in image.setAsideSegments {
                try disk.rename(Layout.path(folder, name), to: Layout.path(folder, .quarantine(of: name)))
            }
        }
        var extents = image.extents.map { extent in
            LogExtent(
                file: LogFileHandle(disk: disk, path: extent.path), firstSequence: extent.firstSequence,
                lastSequence: extent.lastSequence, byteCount: extent.byteCount)
        }
        if let (path, byteCount) = image.untrustedEnd {
            let file = try disk.open(path, .readWrite)
            defer { file.close() }
            try file.truncate(to: UInt64(byteCount))
            // When the file is rolled before anything is written to it, no checkpoint would synchronize it, and what is
            // cut off here would count again once another file is the last one.
            try file.synchronize()
            // What the disk says now is where the next group goes; it is not assumed.
            extents[extents.count - 1].byteCount = Int(clamping: try file.byteCount())
        }
        let state = State(
            manifest: image.manifest,
            segmentHandles: image.manifest.segments.map {
                SegmentHandle($0, disk: disk, folder: Layout.folder(of: log))
            },
            historyHold: HistoryHold(disk: disk, folder: Layout.folder(of: log)), extents: extents,
            durableThrough: image.durableThrough,
            lastArrival: mark?.lastArrival ?? Timestamp(microseconds: 0), damages: image.damages)
        let organization = OrganizationStore(log: log, disk: disk, state: state, caches: caches)
        // After damage nothing is appended to a file whose end is not what it should be.
        if !image.damages.isEmpty { organization.roll() }
        try organization.takeIn(groups, options: options, journal: journal)
        return organization
    }

    private func takeIn(_ groups: [JournalGroup], options: StoreOptions, journal: JournalGroupReader) throws {
        var last = durableThrough
        // One that overlaps what is there came from a journal that says otherwise, and is told as lost by the report.
        let groups = groups.filter { group in
            guard group.firstSequence > last else { return false }
            last = group.lastSequence
            return true
        }
        var start = groups.count
        var byteCount = 0
        while start > 0, byteCount + Int(groups[start - 1].byteCount) <= Self.journalTailByteCountMax {
            start -= 1
            byteCount += Int(groups[start].byteCount)
        }
        if start > 0 {
            let files = LogFileCache(capacity: 2)
            defer { files.closeAll() }
            try writeThrough(groups[..<start], rollByteCount: options.logFileByteCount, files: files, journal: journal)
        }
        for group in groups[start...] {
            var bytes: [UInt8] = []
            let header = try journal.append(group, to: &bytes)
            _ = publish(CommittedGroup(header, bytes))
        }
    }
}

extension CommittedGroup {
    init(_ header: GroupHeader, _ bytes: [UInt8]) {
        self.init(
            log: header.log, firstSequence: header.firstSequence, eventCount: header.eventCount,
            arrival: header.arrival, bytes: bytes)
    }
}
