private import Synchronization

/// Decoded pages of sealed segments, for the whole store. Bounded by bytes; what is asked for again and again outlives
/// what is asked for once. Narrow pieces and wide ones (byte strings) have budgets of their own, so that a page of a list
/// never costs the columns of a scan.
///
/// Pages belong to an owner: the content of one file, not its name and not one opening of it. Only pages of an owner that
/// was admitted are kept, and a dropped one is never admitted again, so a file that is gone is never answered from.
package final class PageCache: Sendable {
    struct Key: Hashable, Sendable {
        var owner: UInt64
        var rowGroup: UInt32
        /// Number of the unit, or of the page of a wide column; 0 for a dictionary.
        var page: UInt32
        /// A part, a dictionary or a wide column.
        var kind: UInt16

        init(owner: UInt64, rowGroup: Int, page: Int, kind: UInt16) {
            self.owner = owner
            self.rowGroup = UInt32(rowGroup)
            self.page = UInt32(page)
            self.kind = kind
        }

        static func kind(_ part: PagePart) -> UInt16 { part.rawValue }
        static func table(of column: ColumnNumber) -> UInt16 { 0x4000 | column.rawValue }
        static func table(ofAttribute number: UInt16) -> UInt16 { 0x4000 | number }
        /// An attribute of strings that nearly all differ is as wide as a column of strings.
        static func attribute(_ descriptor: ColumnDescriptor) -> UInt16 {
            (descriptor.shape == ColumnNumber.Shape.bytes.rawValue ? 0xA000 : 0x2000) | descriptor.number
        }
        static func strings(of column: ColumnNumber) -> UInt16 { 0x8000 | column.rawValue }

        var isWide: Bool { kind & 0x8000 != 0 }
    }

    private struct State {
        var owners: Set<UInt64> = []
        var lastOwner: UInt64 = 0
        var narrow: ClockRing
        var wide: ClockRing
        var hitCount: UInt64 = 0
        var missCount: UInt64 = 0
    }

    private let state: Mutex<State>

    package init(byteCountMax: Int) {
        state = Mutex(
            State(
                narrow: ClockRing(byteCountMax: Self.narrowByteCount(of: byteCountMax)),
                wide: ClockRing(byteCountMax: byteCountMax - Self.narrowByteCount(of: byteCountMax))))
    }

    private static func narrowByteCount(of byteCount: Int) -> Int { byteCount / 8 * 5 }

    /// A number for the content of a file, under which its pages are kept until `drop`.
    package func admit() -> UInt64 {
        state.withLock { state in
            state.lastOwner += 1
            state.owners.insert(state.lastOwner)
            return state.lastOwner
        }
    }

    /// Forgets all pages of an owner, and keeps none that comes later.
    package func drop(_ owner: UInt64) {
        state.withLock { state in
            guard state.owners.remove(owner) != nil else { return }
            state.narrow.removeAll(of: owner)
            state.wide.removeAll(of: owner)
        }
    }

    /// Changes the budget; what no longer fits goes at once.
    package func setByteCountMax(_ byteCount: Int) {
        state.withLock { state in
            state.narrow.setByteCountMax(Self.narrowByteCount(of: byteCount))
            state.wide.setByteCountMax(byteCount - Self.narrowByteCount(of: byteCount))
        }
    }

    /// What is there of the wanted pieces.
    func find(_ keys: [Key]) -> [PagePiece?] {
        state.withLock { state in
            var found: [PagePiece?] = []
            found.reserveCapacity(keys.count)
            for key in keys {
                let piece = key.isWide ? state.wide.find(key) : state.narrow.find(key)
                if piece == nil { state.missCount += 1 } else { state.hitCount += 1 }
                found.append(piece)
            }
            return found
        }
    }

    /// Keeps a piece, and returns it, or the one that another thread has put there in the meantime.
    func insert(_ key: Key, _ piece: PagePiece) -> PagePiece {
        state.withLock { state in
            guard state.owners.contains(key.owner) else { return piece }
            return key.isWide ? state.wide.insert(key, piece) : state.narrow.insert(key, piece)
        }
    }

    package struct Status: Sendable, Equatable {
        package var hitCount: UInt64 = 0
        package var missCount: UInt64 = 0
        package var pieceCount = 0
        package var byteCount = 0
    }

    package var status: Status {
        state.withLock { state in
            Status(
                hitCount: state.hitCount, missCount: state.missCount,
                pieceCount: state.narrow.count + state.wide.count,
                byteCount: state.narrow.byteCount + state.wide.byteCount)
        }
    }
}

/// Pieces in a ring. A hand goes round and takes what has no credit left; each look-up gives credit, a new piece has
/// none. So a scan over everything pushes out other scans before it pushes out what is asked for often.
struct ClockRing {
    private struct Slot {
        var key: PageCache.Key
        /// Nil where the slot is free.
        var piece: PagePiece?
        var byteCount: Int
        var credit: UInt8
    }

    private static let creditMax: UInt8 = 3

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var positions: [PageCache.Key: Int] = [:]
    private var hand = 0
    private var byteCountMax: Int
    private(set) var byteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    var count: Int { positions.count }

    mutating func find(_ key: PageCache.Key) -> PagePiece? {
        guard let position = positions[key] else { return nil }
        slots[position].credit = min(slots[position].credit + 1, Self.creditMax)
        return slots[position].piece
    }

    mutating func insert(_ key: PageCache.Key, _ piece: PagePiece) -> PagePiece {
        if let known = find(key) { return known }
        let added = piece.byteCount
        // A piece that would take much of the ring for itself is not worth what it pushes out.
        guard added <= byteCountMax / 4 else { return piece }
        makeRoom(for: added)
        let slot = Slot(key: key, piece: piece, byteCount: added, credit: 0)
        if let position = freeSlots.popLast() {
            slots[position] = slot
            positions[key] = position
        } else {
            positions[key] = slots.count
            slots.append(slot)
        }
        byteCount += added
        return piece
    }

    mutating func setByteCountMax(_ byteCount: Int) {
        byteCountMax = byteCount
        makeRoom(for: 0)
    }

    private mutating func makeRoom(for added: Int) {
        while byteCount + added > byteCountMax, !positions.isEmpty {
            if hand >= slots.count { hand = 0 }
            if slots[hand].piece != nil {
                if slots[hand].credit == 0 { remove(hand) } else { slots[hand].credit -= 1 }
            }
            hand += 1
        }
    }

    private mutating func remove(_ position: Int) {
        positions[slots[position].key] = nil
        byteCount -= slots[position].byteCount
        slots[position].piece = nil
        freeSlots.append(position)
    }

    /// Complexity: O(n), n the pieces of all owners.
    mutating func removeAll(of owner: UInt64) {
        for position in slots.indices where slots[position].piece != nil && slots[position].key.owner == owner {
            remove(position)
        }
    }
}
