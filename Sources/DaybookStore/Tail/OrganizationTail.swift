internal import DaybookFormat
internal import DaybookSegment
internal import Synchronization

/// The unsealed events of one organization in columns, for all its readers together.
///
/// ## What is true at any moment
///
/// The chunks hold every row of the sequences `from...through`, each once, but for rows that were damaged in a log file,
/// which `damages` names. Rows below `from` may still be there; nobody is shown them. Both bounds only rise, but for a
/// `reset`, which forgets everything.
///
/// ## What a reader sees
///
/// A snapshot S is about the sequences `S.sealedThrough + 1 ... S.lastSequence`: all durable, because a snapshot names
/// durable groups only, and none of them in a segment of S. `view` answers when `from ... through` covers them, and then
/// with exactly these rows: a chunk that reaches over an end is cut. It never depends on who else reads, extends, seals or
/// trims. When the bounds do not cover S, `view` says nil, and the caller extends and asks again, or decodes the records
/// of S, which are there as long as S is.
///
/// ## Every interleaving
///
/// - *Two threads extend.* `filler` lets one at a time; the second finds its work done, or goes on where the first ended.
///   Each extension starts behind `through`, reads the records of its own snapshot in order, and appends only sequences
///   above `through`: nothing twice.
/// - *A reader looks while another thread extends.* New rows stand in the builders, which only the extending thread
///   sees, until they are published together with the new `through` under one lock. The reader sees the tail before or
///   after. Published chunks never change.
/// - *Extending from an old snapshot.* Its last sequence is below `through`: nothing to do. Its `sealedThrough` is below
///   `from - 1`: what it needs was dropped; it decodes for itself, and the tail stays as it is.
/// - *Sealing publishes while a snapshot from before is read.* Sealing changes no sequence and no row: the rows stay in
///   the chunks until they are dropped, older snapshots see them, newer ones begin behind them. The rows that a newer
///   snapshot must not see end in the middle of a chunk at most once; there the chunk is split in two, both are kept.
/// - *Sealing publishes while the tail is extended from a snapshot from before.* The records come from the snapshot's
///   log files, which live as long as it does. The rows are appended although they are sealed by now; the next snapshot
///   does not see them.
/// - *The tail fell behind a sealing* (nobody asked for a while): `through` is below the `sealedThrough` of the snapshot
///   that extends it, and between the two there are rows that it cannot give. The tail is emptied and begins anew behind
///   `sealedThrough`.
/// - *Dropping while another thread looks.* Dropping raises `from` under the lock of `view`. What a reader took before
///   is its own.
/// - *Dropping while another thread extends.* The extending thread's builders may hold rows below `from`; when they are
///   published they are there without being seen. A builder with sealed rows is closed by the next extension.
/// - *Eviction while another thread extends or looks.* `discard` is final: an evicted tail shows nothing and takes
///   nothing, and a new one begins from nothing. Both may exist for a moment; both tell the truth.
/// - *A group is not durable, or its commit fails.* No snapshot names it. Its sequences may be given to another group
///   later; the tail has never seen them.
final class OrganizationTail: Sendable {
    enum Extension {
        /// The tail now covers the snapshot.
        case done
        /// It covers more than before, as much as was asked for.
        case partly
        /// The snapshot needs rows that were dropped, or the tail was discarded.
        case impossible
        /// The tail would not fit its budget. It was discarded.
        case tooLarge
    }

    /// Damage in a log file, and the last sequence of that file: told to everybody whom it concerns.
    struct Damage: Sendable, Equatable {
        var corruption: Corruption
        var lastSequence: UInt64
    }

    fileprivate struct FamilyChunks {
        var chunks: [TailChunk] = []
        /// So many of the last chunks are pieces of the builder, to be replaced when it grows.
        var pieceCount = 0
    }

    private struct Published {
        var from: UInt64 = 1
        var through: UInt64 = 0
        /// The highest sealed sequence that anybody has heard of.
        var sealedThrough: UInt64 = 0
        var families = [FamilyChunks](repeating: FamilyChunks(), count: Family.ofOrganizations.count)
        var damages: [Damage] = []
        var builderByteCount = 0
        var isDiscarded = false

        var byteCount: Int {
            families.reduce(builderByteCount) { $0 + $1.chunks.reduce(0) { $0 + $1.byteCount } }
        }

        /// Without what grows.
        var wholeByteCount: Int {
            families.reduce(0) { $0 + $1.chunks.dropLast($1.pieceCount).reduce(0) { $0 + $1.byteCount } }
        }
    }

    private let published = Mutex(Published())
    private let filler = Mutex(TailFiller())

    var byteCount: Int { published.withLock { $0.byteCount } }
    var through: UInt64 { published.withLock { $0.through } }

    /// The rows of a family in `first + 1 ... last`; nil when they are not all here.
    func view(of family: Family, after first: UInt64, through last: UInt64) -> (chunks: [TailChunk], damages: [Damage])?
    {
        let found = published.withLock { state -> ([TailChunk], [Damage])? in
            guard !state.isDiscarded, state.from <= first + 1, state.through >= last else { return nil }
            let damages = state.damages.filter { $0.lastSequence > first }
            return (state.families[TailFiller.index(of: family)].rows(after: first, through: last), damages)
        }
        guard let (found, damages) = found else { return nil }
        var chunks = found
        // Only the last one can reach beyond; it is cut here, for this reader alone.
        if let end = chunks.last, end.zone.sequenceMax > last {
            chunks.removeLast()
            if let cut = end.rows(after: first, through: last) { chunks.append(cut) }
        }
        return (chunks, damages)
    }

    /// Rows between two looks at the budget.
    private static let measuredRowCount = 256

    /// Takes in what a snapshot has and the tail has not.
    ///
    /// - Parameters:
    ///   - rowCountMax: where to end early, at the next group's end.
    ///   - isWithinBudget: told the tail's size now and then; false ends it.
    func extend(
        with snapshot: OrganizationSnapshot, rowCountMax: Int = .max, isWithinBudget: (Int) -> Bool
    ) throws -> Extension {
        try filler.withLock { filler in
            guard let start = begin(snapshot, &filler) else { return .impossible }
            guard start <= snapshot.lastSequence else { return .done }
            var damages: [Damage] = []
            var isTooLarge = false
            var unmeasured = 0
            var rowCount = 0
            var through = snapshot.lastSequence
            do {
                try snapshot.forEachTailGroup(
                    from: start, onDamage: { damages.append(Damage(corruption: $0, lastSequence: $1)) }
                ) { header, record in
                    try filler.append(header, record, from: start)
                    unmeasured += header.eventCount
                    if unmeasured >= Self.measuredRowCount {
                        unmeasured = 0
                        isTooLarge = !fits(filler.measure(), isWithinBudget)
                    }
                    rowCount += header.eventCount
                    guard !isTooLarge, rowCount >= rowCountMax else { return !isTooLarge }
                    through = header.lastSequence
                    return false
                }
            } catch {
                filler = TailFiller()
                discard()
                throw error
            }
            guard !isTooLarge else {
                filler = TailFiller()
                discard()
                return .tooLarge
            }
            guard publish(&filler, damages, through: through) else { return .impossible }
            return through < snapshot.lastSequence ? .partly : .done
        }
    }

    /// The first sequence that an extension must read; nil when the snapshot cannot be served.
    private func begin(_ snapshot: OrganizationSnapshot, _ filler: inout TailFiller) -> UInt64? {
        let sealed = snapshot.manifest.sealedThrough
        return published.withLock { state in
            guard !state.isDiscarded else { return nil }
            if state.through < sealed {
                state = Published(from: sealed + 1, through: sealed, sealedThrough: sealed)
                filler = TailFiller()
            }
            guard state.from <= sealed + 1 else { return nil }
            state.sealedThrough = max(state.sealedThrough, sealed)
            // Their pieces stay as they are; the rows that follow begin new chunks.
            for index in filler.abandonAll(through: state.sealedThrough) { state.families[index].pieceCount = 0 }
            return state.through + 1
        }
    }

    /// Whether the tail with what is being made fits its budget, if need be without what is sealed.
    private func fits(_ byteCount: Int, _ isWithinBudget: (Int) -> Bool) -> Bool {
        if isWithinBudget(wholeByteCount + byteCount) { return true }
        _ = drop(through: sealedThrough)
        return isWithinBudget(wholeByteCount + byteCount)
    }

    private var wholeByteCount: Int { published.withLock { $0.wholeByteCount } }

    private func publish(_ filler: inout TailFiller, _ damages: [Damage], through last: UInt64) -> Bool {
        let made = filler.publish()
        return published.withLock { state in
            guard !state.isDiscarded else { return false }
            for index in state.families.indices {
                state.families[index].chunks.removeLast(state.families[index].pieceCount)
                state.families[index].chunks += made.fresh[index] + made.pieces[index]
                state.families[index].pieceCount = made.pieces[index].count
            }
            for damage in damages where !state.damages.contains(damage) { state.damages.append(damage) }
            state.through = last
            state.builderByteCount = made.builderByteCount
            return true
        }
    }

    /// Somebody has sealed these sequences: they may be dropped.
    func noteSealed(through sequence: UInt64) {
        published.withLock { $0.sealedThrough = max($0.sealedThrough, sequence) }
    }

    /// Lets go of what is sealed up to a sequence, and returns the size that is left.
    func drop(through sequence: UInt64) -> Int {
        published.withLock { state in
            guard !state.isDiscarded, state.from <= sequence else { return state.byteCount }
            // Beyond `through` there is nothing to drop, and the next extension must not believe that there was.
            let end = min(sequence, state.through)
            for index in state.families.indices { state.families[index].drop(through: end) }
            state.damages.removeAll { $0.lastSequence <= end }
            state.from = max(state.from, end + 1)
            return state.byteCount
        }
    }

    var sealedThrough: UInt64 { published.withLock { $0.sealedThrough } }

    /// The end of this tail; another one may begin from nothing.
    func discard() {
        published.withLock { state in
            state = Published(from: 1, through: 0, sealedThrough: state.sealedThrough)
            state.isDiscarded = true
        }
    }
}

extension OrganizationTail.FamilyChunks {
    /// The chunks with rows in `first + 1 ... last`. One that reaches below `first` is split for good.
    fileprivate mutating func rows(after first: UInt64, through last: UInt64) -> [TailChunk] {
        var start = 0
        while start < chunks.count, chunks[start].zone.sequenceMax <= first { start += 1 }
        if start < chunks.count, chunks[start].zone.sequenceMin <= first {
            let chunk = chunks[start]
            if let hidden = chunk.rows(after: 0, through: first), let shown = chunk.rows(after: first, through: .max) {
                if start >= chunks.count - pieceCount { pieceCount += 1 }
                chunks.replaceSubrange(start...start, with: [hidden, shown])
                start += 1
            }
        }
        var end = chunks.count
        while end > start, chunks[end - 1].zone.sequenceMin > last { end -= 1 }
        return Array(chunks[start..<end])
    }

    fileprivate mutating func drop(through sequence: UInt64) {
        let count = chunks.firstIndex { $0.zone.sequenceMax > sequence } ?? chunks.count
        chunks.removeFirst(count)
        pieceCount = min(pieceCount, chunks.count)
    }
}
