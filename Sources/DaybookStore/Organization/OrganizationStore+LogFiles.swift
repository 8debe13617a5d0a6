internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// Moving groups from memory to log files: the checkpoint thread's part.
extension OrganizationStore {
    /// Writes everything pending behind the last log file, or to a new one, without synchronizing.
    /// Returns the number of bytes that left memory.
    func writePending(rollByteCount: Int, files: LogFileCache) throws(DiskError) -> Int {
        let (groups, last, isRolled) = state.withLock { state in
            state.isListed = false
            return (state.pending, state.extents.last, state.isRolled)
        }
        var extent = isRolled ? nil : last
        var index = 0
        var moved = 0
        while index < groups.count {
            if extent == nil || extent!.byteCount >= rollByteCount {
                if let before = extent ?? last { try cutEnd(of: before, files: files) }
                extent = try createLogFile(firstSequence: groups[index].firstSequence, files: files)
            }
            let end = batchEnd(groups, from: index, room: rollByteCount - extent!.byteCount)
            moved += try write(groups[index..<end], to: &extent!, files: files)
            index = end
        }
        return moved
    }

    private static let readByteCountMax = 1 << 20

    /// Copies groups from the journal behind the last log file, some together, without keeping them in memory.
    /// Precondition: nothing is pending.
    func writeThrough(
        _ groups: ArraySlice<JournalGroup>, rollByteCount: Int, files: LogFileCache, journal: JournalGroupReader
    ) throws {
        var (extent, isRolled) = state.withLock { ($0.extents.last, $0.isRolled) }
        var bytes: [UInt8] = []
        var headers: [GroupHeader] = []
        var index = groups.startIndex
        while index < groups.endIndex {
            if isRolled || extent == nil || extent!.byteCount >= rollByteCount {
                if let extent { try cutEnd(of: extent, files: files) }
                extent = try createLogFile(firstSequence: groups[index].firstSequence, files: files)
                isRolled = false
            }
            bytes.removeAll(keepingCapacity: true)
            headers.removeAll(keepingCapacity: true)
            let room = min(Self.readByteCountMax, rollByteCount - extent!.byteCount)
            repeat {
                headers.append(try journal.append(groups[index], to: &bytes))
                index += 1
            } while index < groups.endIndex && bytes.count + Int(groups[index].byteCount) <= room
            let file = try files.open(extent!.file.path, disk)
            try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: UInt64(extent!.byteCount)) }
            startWriting(file, extent!.byteCount..<extent!.byteCount + bytes.count)
            for header in headers {
                extent!.notePlace(firstSequence: header.firstSequence, offset: extent!.byteCount)
                extent!.byteCount += header.byteCount
            }
            extent!.lastSequence = headers.last!.lastSequence
            noteWritten(extent!, arrival: headers.map(\.arrival).max()!)
        }
    }

    private func noteWritten(_ extent: LogExtent, arrival: Timestamp) {
        state.withLock { state in
            precondition(state.pending.isEmpty)
            state.extents[state.extents.count - 1] = extent
            state.durableThrough = extent.lastSequence
            state.lastArrival = max(state.lastArrival, arrival)
            let path = extent.file.path
            if !state.unsynced.paths.contains(path) { state.unsynced.paths.append(path) }
        }
    }

    /// Groups that go into one write: as many as fit, at least one.
    private func batchEnd(_ groups: [CommittedGroup], from start: Int, room: Int) -> Int {
        var end = start
        var byteCount = 0
        repeat {
            byteCount += groups[end].bytes.count
            end += 1
        } while end < groups.count && byteCount + groups[end].bytes.count <= room
        return end
    }

    /// A log file that is not the last one any more is trusted as a whole. What a write that failed has left behind its
    /// end would be taken for records then, and those were written again elsewhere.
    private func cutEnd(of extent: LogExtent, files: LogFileCache) throws(DiskError) {
        let path = extent.file.path
        let file: any DiskFile
        do {
            file = try files.open(path, disk)
        } catch {
            // Sealed in the meantime.
            guard error.kind == .notFound else { throw error }
            return
        }
        guard try file.byteCount() > UInt64(extent.byteCount) else { return }
        try file.truncate(to: UInt64(extent.byteCount))
        state.withLock { state in
            if !state.unsynced.paths.contains(path) { state.unsynced.paths.append(path) }
        }
    }

    private func createLogFile(firstSequence: UInt64, files: LogFileCache) throws(DiskError) -> LogExtent {
        let path = Layout.path(folder, .logFile(first: firstSequence))
        if try !disk.exists(folder) {
            try disk.createDirectory(folder)
            // At once: when what follows fails, the next attempt finds the folder there.
            state.withLock { $0.unsynced.folderIsNew = true }
        }
        // A file of that name can only be one that no checkpoint ever vouched for, or one without a group.
        if try disk.exists(path) { try disk.remove(path) }
        let file = try disk.open(path, .create)
        files.add(file)
        let header = LogFileHeader(log: log, firstSequence: firstSequence).encoded()
        try header.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        let extent = LogExtent(
            file: LogFileHandle(disk: disk, path: path), firstSequence: firstSequence, lastSequence: firstSequence - 1,
            byteCount: header.count)
        state.withLock { state in
            if let last = state.extents.last, last.isEmpty, last.firstSequence == firstSequence {
                state.extents.removeLast()
            }
            state.extents.append(extent)
            state.isRolled = false
            state.unsynced.folderChanged = true
        }
        return extent
    }

    /// What is large does not wait for the checkpoint, where all of it would stand before the next commit. What is small
    /// does: its last page is written again soon.
    private func startWriting(_ file: any DiskFile, _ range: Range<Int>) {
        if range.count >= 64 << 10 { file.startWriting(range) }
    }

    private func write(
        _ groups: ArraySlice<CommittedGroup>, to extent: inout LogExtent, files: LogFileCache
    ) throws(DiskError) -> Int {
        let path = extent.file.path
        let file = try files.open(path, disk)
        try file.write(gathering: groups.map(\.bytes), at: UInt64(extent.byteCount))
        var byteCount = 0
        for group in groups {
            extent.notePlace(firstSequence: group.firstSequence, offset: extent.byteCount + byteCount)
            byteCount += group.bytes.count
        }
        startWriting(file, extent.byteCount..<extent.byteCount + byteCount)
        extent.byteCount += byteCount
        extent.lastSequence = groups.last!.lastSequence
        let written = extent
        state.withLock { state in
            state.extents[state.extents.count - 1] = written
            state.pending.removeFirst(groups.count)
            state.pendingByteCount -= byteCount
            if !state.unsynced.paths.contains(path) { state.unsynced.paths.append(path) }
        }
        return byteCount
    }

    /// What the log files hold now, for a checkpoint record, and what must be synchronized before it is written.
    func takeMark() -> (mark: LogMark?, unsynced: UnsyncedFiles) {
        state.withLock { state in
            let unsynced = state.unsynced
            state.unsynced = UnsyncedFiles()
            return (mark(of: state), unsynced)
        }
    }

    private func mark(of state: borrowing State) -> LogMark? {
        guard let extent = state.extents.last else { return nil }
        return LogMark(
            log: log, fileFirstSequence: extent.firstSequence, fileByteCount: UInt64(extent.byteCount),
            lastSequence: extent.lastSequence, lastArrival: state.lastArrival,
            sealedThrough: state.manifest.sealedThrough)
    }

    /// The last log file takes no more groups; the sealer may have it.
    func roll() { state.withLock { $0.isRolled = true } }

    /// Nothing waits for the checkpoint or the sealer.
    var isIdle: Bool {
        state.withLock { $0.pending.isEmpty && $0.unsynced.isEmpty }
    }

    /// The oldest log file that takes no more groups, if there is one. A file whose first write failed has none to seal.
    var sealableExtent: LogExtent? {
        state.withLock { state in
            guard let first = state.extents.first, !first.isEmpty else { return nil }
            return state.extents.count > 1 || state.isRolled ? first : nil
        }
    }

    /// Events in log files and memory.
    var unsealedEventCount: UInt64 { state.withLock { $0.durableThrough - $0.manifest.sealedThrough } }
}
