internal import DaybookFormat

/// Remembers which byte strings of one column of a page were met, without a copy of any. Forgets them all rather than
/// take much memory: then some are met as new ones again.
struct SeenStrings {
    private struct Entry {
        var hash: UInt32
        var start: UInt32
        var byteCount: UInt32
    }

    private static let countMax = 1 << 15
    /// Open table of positions plus one; 0 is empty.
    private var slots = [UInt32](repeating: 0, count: countMax * 2)
    private var entries: [Entry] = []

    mutating func removeAll() {
        guard !entries.isEmpty else { return }
        entries.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = 0 }
    }

    /// True for a string that was not met since it was last forgotten.
    /// - Parameter bytes: those of the column; always the same until `removeAll`.
    @inline(__always)
    mutating func insert(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> Bool {
        let string = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        let hash = UInt32(truncatingIfNeeded: unsafe FieldHash.ofProcess(string))
        let mask = slots.count &- 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let entry = entries[Int(slots[slot]) &- 1]
            if entry.hash == hash, Int(entry.byteCount) == range.count,
                unsafe equalBytes(bytes, at: Int(entry.start), string)
            {
                return false
            }
            slot = (slot &+ 1) & mask
        }
        if entries.count == Self.countMax {
            removeAll()
            slot = Int(hash) & mask
        }
        entries.append(
            Entry(hash: hash, start: UInt32(range.lowerBound), byteCount: UInt32(range.count)))
        slots[slot] = UInt32(entries.count)
        return true
    }
}
