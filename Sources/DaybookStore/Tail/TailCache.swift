internal import DaybookFormat
internal import Synchronization

/// The columnar tails of all organizations that were asked lately, within one budget. The least recently asked goes first;
/// a tail that does not fit alone is not kept, and its organization is decoded at every question until more is sealed.
final class TailCache: Sendable {
    /// A tail that was asked within this time is extended in the background, so that the next question finds it ready.
    static let warmNanoseconds: UInt64 = 10_000_000_000
    /// One that was not asked for this long is let go.
    static let keptNanoseconds: UInt64 = 300_000_000_000
    /// Events that a question waits for while they are put into columns, about 30 ms. Where more are missing, as after a
    /// start, the question decodes the few columns that it needs, and the columns are made in the background.
    static let awaitedEventCount: UInt64 = 16_384
    /// Events of one step in the background.
    private static let stepEventCount = 8_192

    private struct Entry {
        var tail: OrganizationTail
        var byteCount = 0
        /// Rises with every question of the store.
        var lastAsk: UInt64
        var lastAskedNanoseconds: UInt64
        /// What was sealed when the tails were looked after the last time: by now no reader is likely to ask for it.
        var droppable: UInt64 = 0
    }

    private struct State {
        var entries: [LogID: Entry] = [:]
        /// Tails that were too large, and what was sealed then.
        var tooLarge: [LogID: UInt64] = [:]
        var byteCount = 0
        /// Somebody has sealed since sealed rows were dropped.
        var mayDropSealed = false
        var askCount: UInt64 = 0
        var evictionCount: UInt64 = 0
        var extensionCount: UInt64 = 0
    }

    private let byteCountMax: Int
    private let state = Mutex(State())
    /// Told the size of all tails whenever it changes, so that other caches make room.
    private let onResize: @Sendable (Int) -> Void
    /// Wakes whoever extends tails in the background.
    private let waker = Mutex<(@Sendable () -> Void)?>(nil)

    init(byteCountMax: Int, onResize: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.byteCountMax = byteCountMax
        self.onResize = onResize
    }

    /// The rows of a family that a snapshot sees up to a sequence; nil when they are to be decoded from its records.
    func chunks(
        of family: Family, through last: UInt64, _ snapshot: OrganizationSnapshot, nowNanoseconds now: UInt64
    ) throws -> (chunks: [TailChunk], damages: [OrganizationTail.Damage])? {
        let first = snapshot.manifest.sealedThrough
        guard let tail = ask(snapshot.log, sealedThrough: first, now) else { return nil }
        if let view = tail.view(of: family, after: first, through: last) { return view }
        let covered = max(tail.through, first)
        let missing = snapshot.lastSequence - min(covered, snapshot.lastSequence)
        guard missing <= max(Self.awaitedEventCount, covered - first) else {
            waker.withLock { $0 }?()
            return nil
        }
        guard try extend(tail, with: snapshot) else { return nil }
        // What was just put there may have been dropped again; then the records have it.
        return tail.view(of: family, after: first, through: last)
    }

    /// - Parameter waker: called whenever a question leaves a tail to the background.
    func setWaker(_ waker: @escaping @Sendable () -> Void) { self.waker.withLock { $0 = waker } }

    /// The tail of an organization, made when there is none.
    private func ask(_ log: LogID, sealedThrough: UInt64, _ now: UInt64) -> OrganizationTail? {
        state.withLock { state in
            state.askCount += 1
            if let refused = state.tooLarge[log] {
                guard sealedThrough > refused else { return nil }
                state.tooLarge[log] = nil
            }
            if state.entries[log] == nil {
                state.entries[log] = Entry(tail: OrganizationTail(), lastAsk: 0, lastAskedNanoseconds: now)
            }
            state.entries[log]!.lastAsk = state.askCount
            state.entries[log]!.lastAskedNanoseconds = max(now, state.entries[log]!.lastAskedNanoseconds)
            return state.entries[log]!.tail
        }
    }

    /// False when the snapshot cannot be served from the tail.
    private func extend(
        _ tail: OrganizationTail, with snapshot: OrganizationSnapshot, rowCountMax: Int = .max
    ) throws -> Bool {
        let log = snapshot.log
        let sealedThrough = snapshot.manifest.sealedThrough
        // Columns take about as many bytes as records: what cannot fit is not even begun.
        guard tail.through > sealedThrough || snapshot.logFileByteCount < 2 * max(byteCountMax, 1 << 20) else {
            refuse(log, tail, sealedThrough: sealedThrough)
            return false
        }
        do {
            let result = try tail.extend(with: snapshot, rowCountMax: rowCountMax) { byteCount in
                resize(log, tail, to: byteCount)
            }
            switch result {
            case .done, .partly:
                state.withLock { $0.extensionCount += 1 }
                if resize(log, tail, to: tail.byteCount) { return true }
                if resize(log, tail, to: tail.drop(through: tail.sealedThrough)) { return true }
            case .impossible: return false
            case .tooLarge: break
            }
            refuse(log, tail, sealedThrough: sealedThrough)
            return false
        } catch {
            remove(log, tail)
            throw error
        }
    }

    /// Enters the size of a tail and makes room for it; false when it is too large to be kept, or not kept any more.
    private func resize(_ log: LogID, _ tail: OrganizationTail, to byteCount: Int) -> Bool {
        let (isKept, total) = state.withLock { state -> (Bool, Int) in
            guard state.entries[log]?.tail === tail else { return (false, state.byteCount) }
            guard byteCount <= byteCountMax else { return (false, state.byteCount) }
            state.byteCount += byteCount - state.entries[log]!.byteCount
            state.entries[log]!.byteCount = byteCount
            if state.byteCount > byteCountMax, state.mayDropSealed { dropSealed(&state, but: log) }
            while state.byteCount > byteCountMax, let victim = leastRecentlyAsked(state, but: log) {
                state.entries[victim]!.tail.discard()
                state.byteCount -= state.entries[victim]!.byteCount
                state.entries[victim] = nil
                state.evictionCount += 1
            }
            return (true, state.byteCount)
        }
        onResize(total)
        return isKept
    }

    private func leastRecentlyAsked(_ state: State, but kept: LogID) -> LogID? {
        var found: (log: LogID, lastAsk: UInt64)?
        for (log, entry) in state.entries where log != kept && entry.lastAsk < found?.lastAsk ?? .max {
            found = (log, entry.lastAsk)
        }
        return found?.log
    }

    /// What is sealed goes before anything else does.
    private func dropSealed(_ state: inout State, but log: LogID) {
        state.mayDropSealed = false
        for (other, entry) in state.entries where other != log {
            let left = entry.tail.drop(through: entry.tail.sealedThrough)
            state.byteCount += left - entry.byteCount
            state.entries[other]!.byteCount = left
        }
    }

    /// A tail that was put out by others while it grew is not too large.
    private func refuse(_ log: LogID, _ tail: OrganizationTail, sealedThrough: UInt64) {
        state.withLock { state in
            if state.entries[log]?.tail === tail { state.tooLarge[log] = sealedThrough }
        }
        remove(log, tail)
    }

    private func remove(_ log: LogID, _ tail: OrganizationTail) {
        let total = state.withLock { state in
            if let entry = state.entries[log], entry.tail === tail {
                entry.tail.discard()
                state.byteCount -= entry.byteCount
                state.entries[log] = nil
            }
            return state.byteCount
        }
        onResize(total)
    }

    /// Forgets an organization: what it had may not be shown any more (erasure), or it is gone.
    func remove(_ log: LogID) {
        guard let tail = state.withLock({ $0.entries[log]?.tail }) else { return }
        remove(log, tail)
    }

    func noteSealed(_ log: LogID, through sequence: UInt64) {
        let tail = state.withLock { state in
            state.mayDropSealed = true
            return state.entries[log]?.tail
        }
        tail?.noteSealed(through: sequence)
    }

    /// Tails that are to be extended although nobody asks right now.
    func warmLogs(nowNanoseconds now: UInt64) -> [LogID] {
        state.withLock { state in
            state.entries.filter { now < $0.value.lastAskedNanoseconds + Self.warmNanoseconds }.map(\.key).sorted()
        }
    }

    func through(_ log: LogID) -> UInt64? { state.withLock { $0.entries[log]?.tail }?.through }

    /// Extends a tail that is there, by a step. Asking for it is left to those who want to know something.
    func keepWarm(_ log: LogID, with snapshot: OrganizationSnapshot) throws {
        guard let tail = state.withLock({ $0.entries[log]?.tail }) else { return }
        _ = try extend(tail, with: snapshot, rowCountMax: Self.stepEventCount)
    }

    /// Lets go of rows that were sealed a while ago, and of tails that nobody asks any more.
    func lookAfter(nowNanoseconds now: UInt64) {
        let total = state.withLock { state in
            for (log, entry) in state.entries {
                guard now < entry.lastAskedNanoseconds + Self.keptNanoseconds else {
                    entry.tail.discard()
                    state.byteCount -= entry.byteCount
                    state.entries[log] = nil
                    continue
                }
                let left = entry.tail.drop(through: entry.droppable)
                state.byteCount += left - entry.byteCount
                state.entries[log]!.byteCount = left
                state.entries[log]!.droppable = entry.tail.sealedThrough
            }
            return state.byteCount
        }
        onResize(total)
    }

    struct Status {
        var tailCount = 0
        var byteCount = 0
        var askCount: UInt64 = 0
        var extensionCount: UInt64 = 0
        var evictionCount: UInt64 = 0
    }

    var status: Status {
        state.withLock { state in
            Status(
                tailCount: state.entries.count, byteCount: state.byteCount, askCount: state.askCount,
                extensionCount: state.extensionCount, evictionCount: state.evictionCount)
        }
    }
}
