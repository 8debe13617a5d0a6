internal import DaybookFormat

/// The team of each user of an organization at one moment. Immutable; looked up with every event, by the bytes of the
/// body that name the user, so that no key has to be made for it.
package final class TeamIndex: Sendable {
    private struct Entry {
        var user: [UInt8]
        var team: [UInt8]
    }

    private let entries: [Entry]
    /// Numbers of entries from 1 on, 0 where there is none; a power of two, at most half full.
    private let slots: [UInt32]

    /// Precondition: no user twice.
    package init(_ pairs: [(user: [UInt8], team: [UInt8])]) {
        var slotCount = 8
        while slotCount < 2 * pairs.count { slotCount *= 2 }
        var slots = [UInt32](repeating: 0, count: slotCount)
        for (number, pair) in pairs.enumerated() {
            var slot = Self.hash(pair.user) & (slotCount - 1)
            while slots[slot] != 0 {
                precondition(pairs[Int(slots[slot]) - 1].user != pair.user)
                slot = (slot + 1) & (slotCount - 1)
            }
            slots[slot] = UInt32(number + 1)
        }
        self.slots = slots
        entries = pairs.map { Entry(user: $0.user, team: $0.team) }
    }

    /// Nil for a user who is in no team. Complexity: O(bytes), without an allocation.
    package func team(of user: [UInt8]) -> [UInt8]? {
        unsafe user.withUnsafeBytes { unsafe team(ofBytes: $0) }
    }

    func team(ofBytes user: UnsafeRawBufferPointer) -> [UInt8]? {
        let mask = slots.count - 1
        var slot = unsafe Int(truncatingIfNeeded: FieldHash.ofProcess(user)) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if unsafe user.elementsEqual(entries[number].user) { return entries[number].team }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private static func hash(_ user: [UInt8]) -> Int {
        unsafe user.withUnsafeBytes { unsafe Int(truncatingIfNeeded: FieldHash.ofProcess($0)) }
    }
}
