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
        /// How often each file was zeroed in this life of the process.
        var zeroings: [UInt64]
        /// The active file that is to take nothing more.
        var leaving: Int?
    }

    package let fileByteCount: Int
    private let state: Mutex<State>

    /// - Parameter ordinal: the highest one ever used.
    package init(conditions: [Condition], fileByteCount: Int, ordinal: UInt64) {
        self.fileByteCount = fileByteCount
        state = Mutex(
            State(
                conditions: conditions, ordinal: ordinal, ends: Array(repeating: 0, count: conditions.count),
                zeroings: Array(repeating: 0, count: conditions.count)))
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
            state.leaving = nil
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
        state.withLock { state in
            state.conditions[slot] = .clean
            state.zeroings[slot] += 1
        }
    }

    /// Files that may hold what is to be forgotten, each with the number of times it was zeroed before.
    package struct Retirement: Sendable, Equatable {
        fileprivate var zeroings: [Int: UInt64]
        package var slots: [Int] { zeroings.keys.sorted() }
    }

    /// Everything that the journal holds now is to go: the active file is left for another one as soon as there is a
    /// clean one, whatever room it has.
    package func retireAll() -> Retirement {
        state.withLock { state in
            var retirement = Retirement(zeroings: [:])
            for (slot, condition) in state.conditions.enumerated() where condition != .clean {
                retirement.zeroings[slot] = state.zeroings[slot]
                if condition == .active { state.leaving = slot }
            }
            return retirement
        }
    }

    /// Files of a retirement that were not zeroed since.
    package func unzeroed(_ retirement: Retirement) -> [Int] {
        state.withLock { state in
            retirement.slots.filter { state.zeroings[$0] <= retirement.zeroings[$0] ?? 0 }
        }
    }

    /// The position that a checkpoint must reach before the files of a retirement can be zeroed; 0 when none waits for
    /// one, nil while one of them is still written to.
    package func releasingPosition(of retirement: Retirement) -> UInt64? {
        let slots = unzeroed(retirement)
        return state.withLock { state in
            var position: UInt64 = 0
            for slot in slots {
                switch state.conditions[slot] {
                case .active: return nil
                case .full(let end): position = max(position, end)
                case .clean, .dirty: continue
                }
            }
            return position
        }
    }

    /// Whether the active file is to be left for another one, and there is one.
    package var canLeave: Bool {
        state.withLock { state in
            guard let slot = state.leaving, state.conditions[slot] == .active else { return false }
            return state.conditions.contains(.clean)
        }
    }

    /// Whether the active file is to be left for another one.
    package var isLeaving: Bool {
        state.withLock { state in state.leaving.map { state.conditions[$0] == .active } ?? false }
    }

    package var cleanCount: Int { state.withLock { $0.conditions.count { $0 == .clean } } }
    package var conditions: [Condition] { state.withLock { $0.conditions } }
}

/// Writes a journal file full of zeroes in steps, so that commits never pay for block allocation. Each step writes one
/// piece, the last but one synchronizes, the last one says so in the header, which is then durable only if the zeroes
/// are. Stepped by the checkpoint thread.
package struct JournalZeroing {
    package static let pieceByteCount = 256 << 10
    package let slot: Int
    private let file: any DiskFile
    private let storeID: UInt64
    private let byteCount: Int
    private let zeroes: [UInt8]
    private var offset = 0
    private var isSynchronized = false

    /// Opens the file, or creates it (the caller synchronizes the folder once for all).
    package init(disk: any Disk, storeID: UInt64, slot: Int, byteCount: Int) throws(DiskError) {
        let path = JournalFiles.path(slot)
        file = try disk.open(path, try disk.exists(path) ? .readWrite : .create)
        // One that was longer once would keep what stands behind the zeroes.
        if try file.byteCount() > UInt64(byteCount) { try file.truncate(to: UInt64(byteCount)) }
        self.slot = slot
        self.storeID = storeID
        self.byteCount = byteCount
        zeroes = [UInt8](repeating: 0, count: min(Self.pieceByteCount, byteCount))
    }

    /// Each piece is with the device before the next one comes: a whole file at once would stand before the next commit.
    /// True when the file is clean.
    package mutating func step() throws(DiskError) -> Bool {
        if offset < byteCount {
            let piece = min(Self.pieceByteCount, byteCount - offset)
            try unsafe file.write(zeroes.span.bytes.extracting(0..<piece), at: UInt64(offset))
            try file.writeOut(offset..<offset + piece)
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
