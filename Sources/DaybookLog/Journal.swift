internal import DaybookFormat
package import DaybookSystem

/// The commit journal: the only commit point of the store. Spec: docs/format/journal.md.
///
/// A fixed set of pre-written files is used in turn; each use has its own ordinal and nonce. Owned by the committing
/// thread; the recycler talks to it only through `JournalFiles`.
package final class Journal {
    private let disk: any Disk
    private let entropy: any Entropy
    private let files: JournalFiles
    private let storeID: UInt64

    private var active: ActiveFile?
    /// End of the journal: position of the next frame.
    package private(set) var position: UInt64
    /// Everything before it is on stable storage.
    package private(set) var durablePosition: UInt64
    package private(set) var isPoisoned = false

    private struct ActiveFile {
        var slot: Int
        var file: any DiskFile
        var nonce: UInt64
        var basePosition: UInt64
        var byteCount: Int
    }

    /// - Parameter position: where the journal continues; recovery found everything before it.
    package init(disk: any Disk, entropy: any Entropy, storeID: UInt64, files: JournalFiles, position: UInt64) {
        self.disk = disk
        self.entropy = entropy
        self.files = files
        self.storeID = storeID
        self.position = position
        durablePosition = position
    }

    /// What a commit needs to know before it is built: whether it fits, and where it goes.
    package enum Room: Equatable {
        case ready
        /// No clean file is left: a checkpoint must release one first.
        case full
    }

    /// Makes sure that `byteCount` more bytes fit the active file, rotating to a fresh one when they do not.
    package func reserve(_ byteCount: Int) throws(LogError) -> Room {
        guard !isPoisoned else { throw .poisoned }
        if let active, byteCount <= active.byteCount - offset(in: active), !files.canLeave { return .ready }
        guard let slot = files.takeClean() else { return .full }
        let file: any DiskFile
        do {
            file = try disk.open(JournalFiles.path(slot), .readWrite)
        } catch {
            files.giveBack(slot)
            throw .disk(error)
        }
        active?.file.close()
        let nonce = entropy.next()
        let ordinal = files.activate(slot, basePosition: position)
        active = ActiveFile(
            slot: slot, file: file, nonce: nonce, basePosition: position, byteCount: files.fileByteCount)
        let header = JournalFileHeader(storeID: storeID, basePosition: position, nonce: nonce, ordinal: ordinal)
        do {
            // Durable before the first frame: a file that still says it is clean holds nothing.
            try unsafe file.write(header.encoded().span.bytes, at: 0)
            try file.synchronize()
        } catch {
            isPoisoned = true
            throw .disk(error)
        }
        return .ready
    }

    /// Whether the next commit goes to another file although there is room in this one.
    package var canLeaveFile: Bool { files.canLeave }

    package var nonce: UInt64 { active?.nonce ?? 0 }

    private func offset(in active: ActiveFile) -> Int {
        JournalFileHeader.byteCount + Int(position - active.basePosition)
    }

    /// Writes the parts behind the last frame and synchronizes: when this returns, the commit is on stable storage.
    ///
    /// Precondition: `reserve` answered `.ready` for at least these bytes, and the first frame states `position`.
    /// A failed sync is final: the journal is poisoned. A write that found no space is undone (the region is zeroed
    /// again) and may be retried later; any other failed write poisons.
    package func commit(_ parts: [[UInt8]], byteCount: Int) throws(LogError) {
        guard !isPoisoned else { throw .poisoned }
        guard let active else { preconditionFailure("commit without reserve") }
        let start = offset(in: active)
        precondition(byteCount % 8 == 0)
        precondition(start + byteCount <= active.byteCount)
        do {
            try active.file.write(gathering: parts, at: UInt64(start))
        } catch {
            if error.kind == .noSpace {
                try undo(active.file, at: start, byteCount: byteCount)
            } else {
                isPoisoned = true
            }
            throw .disk(error)
        }
        do {
            try active.file.synchronize()
        } catch {
            isPoisoned = true
            throw .disk(error)
        }
        position += UInt64(byteCount)
        durablePosition = position
        files.advance(active.slot, end: position)
    }

    /// Zeroes what a refused write may have left, so that no later recovery finds it.
    private func undo(_ file: any DiskFile, at offset: Int, byteCount: Int) throws(LogError) {
        do {
            try unsafe file.write([UInt8](repeating: 0, count: byteCount).span.bytes, at: UInt64(offset))
        } catch {
            isPoisoned = true
            throw .disk(error)
        }
    }

    package func close() {
        active?.file.close()
        active = nil
    }
}
