internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSystem

/// History files that may become one.
struct HistoryGroup: Hashable {
    var family: Family
    /// Number of the month of 30 days in which the newest event is: a file goes when that one is too old, so nothing is
    /// kept longer for having been merged with what is much newer.
    var month: Int64
    /// The finest rows by user; nil when nobody is in it any more. Merging would take the finer ones away.
    var userWindow: RollupWindow?
}

/// Which history files are merged next.
struct HistoryMergePlan {
    static let monthMicroseconds = 30 * Limits.dayMicroseconds
    /// Files that are merged at once, at most.
    static let fanInMax = 64

    var fanInMin: Int
    var byteCountMax: UInt64

    /// The month of a file.
    static func month(of file: HistoryReference) -> Int64 {
        let time = file.timestampMax.microseconds
        let rest = time % monthMicroseconds
        return (time - (rest < 0 ? rest + monthMicroseconds : rest)) / monthMicroseconds
    }

    /// Files of which some may be merged: of one family and month, enough of them, none as large as it may become.
    func candidates(_ history: [HistoryReference]) -> [[HistoryReference]] {
        struct Key: Hashable {
            var family: Family
            var month: Int64
        }
        var groups: [Key: [HistoryReference]] = [:]
        for file in history where file.byteCount < byteCountMax {
            groups[Key(family: file.family, month: Self.month(of: file)), default: []].append(file)
        }
        return groups.filter { $0.value.count >= fanInMin }
            .sorted { ($0.key.month, $0.key.family.rawValue) < ($1.key.month, $1.key.family.rawValue) }.map(\.value)
    }

    /// The first run of files of one group that together are no larger than one may become; nil when there is none. When
    /// nothing is left to merge, any `fanInMin` files of a group that follow each other are larger than that together.
    func run(_ files: [HistoryReference]) -> ArraySlice<HistoryReference>? {
        for start in files.indices {
            var end = start
            var byteCount: UInt64 = 0
            while end < files.count, end - start < Self.fanInMax, byteCount + files[end].byteCount <= byteCountMax {
                byteCount += files[end].byteCount
                end += 1
            }
            if end - start >= fanInMin { return files[start..<end] }
        }
        return nil
    }
}

/// History files are merged: one comes with every removal, and they are kept for a year.
extension Compactor {
    /// Merges some small history files into one. True when it did.
    func mergeHistory(_ organization: OrganizationStore, _ manifest: Manifest) throws -> Bool {
        let limits = options.compaction
        let plan = HistoryMergePlan(fanInMin: limits.fanInMin, byteCountMax: limits.historyByteCountMax)
        for files in plan.candidates(manifest.history) {
            var groups: [HistoryGroup: [HistoryReference]] = [:]
            for file in files {
                if let group = try group(of: file, organization) { groups[group, default: []].append(file) }
            }
            // The order of the groups must not depend on hashing.
            let runs = groups.values.compactMap { plan.run($0) }
            guard let run = runs.min(by: { HistoryReference.precedes($0[$0.startIndex], $1[$1.startIndex]) }) else {
                continue
            }
            try merge(Array(run), organization)
            return true
        }
        return false
    }

    /// Nil for a file that stays alone because it is damaged. Reads a file once in a patrol's time.
    private func group(of file: HistoryReference, _ organization: OrganizationStore) throws -> HistoryGroup? {
        let log = organization.log
        if let known = historyGroups[log]?[file.path] { return known }
        var group: HistoryGroup?
        do {
            if let stored = try organization.snapshot().read(file), stored.damages.isEmpty,
                stored.eventCount == file.eventCount
            {
                group = HistoryGroup(
                    family: file.family, month: HistoryMergePlan.month(of: file),
                    userWindow: stored.finestWindow(.user))
            }
        } catch let error as DiskError where error.kind == .inputOutput {
            // The rest goes on without it until the next patrol.
            fail(error)
        }
        if historyGroups[log]?.count ?? 0 >= Self.knownHistoryCountMax { historyGroups[log] = nil }
        historyGroups[log, default: [:]].updateValue(group, forKey: file.path)
        return group
    }

    private static let knownHistoryCountMax = 4_096

    /// Precondition: the files are of one group, in their order.
    private func merge(_ parts: [HistoryReference], _ organization: OrganizationStore) throws {
        var merged = HistoryReference(counting: parts)
        guard let bytes = try mergedBytes(parts, merged, organization),
            let kind = try organization.unusedHistoryName(
                merged.firstSequence...merged.lastSequence, merged.family)
        else { return leaveAlone(parts, organization.log) }
        merged.path = kind.name
        merged.byteCount = UInt64(bytes.count)
        merged.checksum = crc32c(bytes)
        guard merged.isPossible else { return leaveAlone(parts, organization.log) }
        let disk = organization.disk
        let path = Layout.path(organization.folder, kind)
        do {
            try bytes.withRawSpan { (span) throws(DiskError) in try disk.writeAnew(path, span) }
            try disk.synchronizeDirectory(organization.folder)
        } catch {
            // A file that stays is swept when the organization is opened the next time.
            do { if try disk.exists(path) { try disk.remove(path) } } catch {}
            throw error
        }
        try organization.publishMerged(merged, of: parts)
        for part in parts { historyGroups[organization.log]?[part.path] = nil }
        shared.compaction.update { $0.runCount += 1 }
    }

    /// Nil when one of them turns out to be damaged.
    private func mergedBytes(
        _ parts: [HistoryReference], _ merged: HistoryReference, _ organization: OrganizationStore
    ) throws -> [UInt8]? {
        let snapshot = organization.snapshot()
        var inputs: [RollupMerge.Input] = []
        for part in parts {
            guard let file = try snapshot.read(part) else { return nil }
            inputs.append(.file(file))
        }
        let identity = RollupIdentity(
            log: organization.log, family: merged.family, firstSequence: merged.firstSequence,
            lastSequence: merged.lastSequence, segmentChecksum: 0)
        do throws(FormatError) {
            // Nothing else will know what is in it: it is read before it takes their place.
            guard case .merged(let bytes?) = try RollupMerge.merge(inputs, as: identity, policy: .history) else {
                return nil
            }
            let file = try RollupFile(bytes)
            return file.damages.isEmpty && file.eventCount == merged.eventCount ? bytes : nil
        } catch {
            return nil
        }
    }

    private func leaveAlone(_ files: [HistoryReference], _ log: LogID) {
        for file in files { historyGroups[log, default: [:]].updateValue(nil, forKey: file.path) }
    }
}

extension HistoryReference {
    /// Counts what the parts count; has no file yet. Precondition: there is one at least, and all are of one family.
    fileprivate init(counting parts: [HistoryReference]) {
        self = parts[0]
        for part in parts.dropFirst() {
            firstSequence = min(firstSequence, part.firstSequence)
            lastSequence = max(lastSequence, part.lastSequence)
            eventCount += part.eventCount
            timestampMin = min(timestampMin, part.timestampMin)
            timestampMax = max(timestampMax, part.timestampMax)
        }
    }
}
