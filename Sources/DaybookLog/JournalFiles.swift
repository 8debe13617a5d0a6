internal import DaybookFormat
package import DaybookSystem
internal import Synchronization

/// Which journal file is clean, in use, or waits for its checkpoint. Shared by the committing thread, which takes and
/// fills files, and the checkpoint, which releases and re-zeroes them.
package final class JournalFiles: Sendable {
    package enum Condition: Equatable, Sendable {
        /// Holds nothing that counts; must be zeroed before use.
        case dirty
        /// Zeroed and synchronized.
        case clean
        case active
        /// Holds frames of positions before `end`.
        case full(end: UInt64)
    }

    private struct State {
        var conditions: [Condition]
        var ordinal: UInt64
        var ends: [UInt64]
    }

    package let fileByteCount: Int
    private let state: Mutex<State>

    /// - Parameter ordinal: the highest one ever used.
    package init(conditions: [Condition], fileByteCount: Int, ordinal: UInt64) {
        self.fileByteCount = fileByteCount
        state = Mutex(
            State(conditions: conditions, ordinal: ordinal, ends: Array(repeating: 0, count: conditions.count)))
    }

    package static func path(_ slot: Int) -> String {
        Layout.journal + "/" + FileKind.journal(ordinal: UInt64(slot)).name
    }

    package func takeClean() -> Int? {
        state.withLock { state in
            guard let slot = state.conditions.firstIndex(of: .clean) else { return nil }
            state.conditions[slot] = .active
            return slot
        }
    }

    /// Undoes `takeClean` when the file could not be opened.
    func giveBack(_ slot: Int) {
        state.withLock { $0.conditions[slot] = .clean }
    }

    /// Marks the former active files as full and returns the ordinal of the new use.
    func activate(_ slot: Int, basePosition: UInt64) -> UInt64 {
        state.withLock { state in
            for index in state.conditions.indices where index != slot && state.conditions[index] == .active {
                state.conditions[index] = .full(end: basePosition)
            }
            state.ordinal += 1
            return state.ordinal
        }
    }

    func advance(_ slot: Int, end: UInt64) {
        state.withLock { $0.ends[slot] = end }
    }

    /// Every frame before `position` is in a durable log: files that hold nothing later become dirty.
    package func release(before position: UInt64) {
        state.withLock { state in
            for index in state.conditions.indices {
                if case .full(let end) = state.conditions[index], end <= position { state.conditions[index] = .dirty }
            }
        }
    }

    /// A file to zero, or nil.
    package func nextDirty() -> Int? {
        state.withLock { $0.conditions.firstIndex(of: .dirty) }
    }

    package func markClean(_ slot: Int) {
        state.withLock { $0.conditions[slot] = .clean }
    }

    package var cleanCount: Int { state.withLock { $0.conditions.count { $0 == .clean } } }
    package var conditions: [Condition] { state.withLock { $0.conditions } }
}

/// Writes a journal file full of zeroes in steps, so that commits never pay for block allocation. Each step writes one
/// piece, the last but one synchronizes, the last one says so in the header, which is then durable only if the zeroes
/// are. Stepped by the checkpoint thread.
package struct JournalZeroing {
    package static let pieceByteCount = 1 << 20
    package let slot: Int
    private let file: any DiskFile
    private let storeID: UInt64
    private let byteCount: Int
    private var offset = 0
    private var isSynchronized = false

    /// Opens the file, or creates it (the caller synchronizes the folder once for all).
    package init(disk: any Disk, storeID: UInt64, slot: Int, byteCount: Int) throws(DiskError) {
        let path = JournalFiles.path(slot)
        file = try disk.open(path, try disk.exists(path) ? .readWrite : .create)
        self.slot = slot
        self.storeID = storeID
        self.byteCount = byteCount
    }

    /// True when the file is clean.
    package mutating func step() throws(DiskError) -> Bool {
        if offset < byteCount {
            let piece = min(Self.pieceByteCount, byteCount - offset)
            let zeroes = [UInt8](repeating: 0, count: piece)
            try unsafe file.write(zeroes.span.bytes, at: UInt64(offset))
            offset += piece
            return false
        }
        try file.synchronize()
        guard isSynchronized else {
            isSynchronized = true
            let header = JournalFileHeader.clean(storeID: storeID).encoded()
            try unsafe file.write(header.span.bytes, at: 0)
            return false
        }
        file.close()
        return true
    }
}
