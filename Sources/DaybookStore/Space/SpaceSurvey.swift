internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem

/// What organizations take that nobody has opened yet, so that the quota of the whole store holds from the first commit
/// on. Only reads, and opens nothing that stays open.
struct SpaceSurvey {
    let disk: any Disk
    let shared: SharedState

    /// Enters every log into the table of room.
    ///
    /// One whose files cannot be asked is told, and counts with what the last checkpoint says of its newest log file:
    /// the others are served all the same.
    /// - Parameters:
    ///   - marks: of the last checkpoint.
    ///   - groups: what only the journal holds.
    /// Complexity: one folder and one manifest for each log, and the unsealed log files.
    func run(marks: [LogID: LogMark], groups: [LogID: [JournalGroup]]) {
        for log in Set(marks.keys).union(groups.keys).sorted() where log != .control {
            let byteCount: UInt64
            do {
                byteCount = try usedByteCount(of: log, marks[log], groups[log] ?? [])
            } catch {
                shared.note(error)
                byteCount = marks[log]?.fileByteCount ?? 0
            }
            shared.space.set(byteCount, of: log)
        }
    }

    /// What `OrganizationStore.usedByteCount` will be when it is opened.
    private func usedByteCount(of log: LogID, _ mark: LogMark?, _ groups: [JournalGroup]) throws -> UInt64 {
        let image: OrganizationImage
        do {
            image = try OrganizationImage.read(disk: disk, log: log, mark: mark)
        } catch ManifestError.corrupt {
            // It stays closed, and its files stay where they are.
            return try fileByteCount(of: log)
        }
        let unsealed = image.extents.reduce(0) { $0 + UInt64($1.byteCount) }
        let pending = groups.reduce(0) { sum, group in
            group.firstSequence > image.durableThrough ? sum + UInt64(group.byteCount) : sum
        }
        return image.manifest.byteCount + unsealed + pending
    }

    /// The lengths of all files of the kinds that count.
    private func fileByteCount(of log: LogID) throws -> UInt64 {
        let folder = Layout.folder(of: log)
        var byteCount: UInt64 = 0
        for name in try disk.list(folder) {
            switch FileKind(name: name) {
            case .segment?, .rollup?, .history?, .logFile?:
                let file = try disk.open(Layout.path(folder, name), .read)
                defer { file.close() }
                byteCount += try file.byteCount()
            default: continue
            }
        }
        return byteCount
    }
}
