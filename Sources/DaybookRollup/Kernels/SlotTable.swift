/// Turns the codes of rows into slots by a table that has an entry for every combination of codes: a load per row.
package struct SlotTable: Sendable {
    /// The entry of a combination that nobody asked for so far.
    private static let unknown: Int32 = -1
    /// That of one that is to get a slot now.
    private static let wanted: Int32 = -2
    /// Above that a table costs more than it saves.
    package static let combinationCountMax = 1 << 16

    private var entries: [Int32] = []
    /// The slot of each row that was translated.
    package private(set) var slots: [Int32] = []

    package init() {}

    /// Bytes in memory, about.
    package var byteCount: Int { 4 * (entries.capacity + slots.capacity) }

    /// Forgets all slots. Precondition: at least one combination.
    package mutating func reset(combinationCount: Int) {
        precondition(combinationCount > 0)
        entries.removeAll(keepingCapacity: true)
        entries.append(contentsOf: repeatElement(Self.unknown, count: combinationCount))
    }

    /// Names the slot of a combination. Precondition: neither is negative.
    package mutating func setSlot(_ slot: Int32, of combination: UInt32) {
        precondition(slot >= 0)
        entries[Int(combination)] = slot
    }

    /// The combinations of some rows that have no slot yet, each once; they rise where the table is not much larger than
    /// the rows are many. Each must get a slot before anything else is asked. A number beyond the table counts as its last
    /// combination: the missing value.
    package mutating func newCombinations(_ combinations: Span<UInt32>) -> [UInt32] {
        precondition(!entries.isEmpty)
        var found = mark(combinations)
        guard !found.isEmpty, entries.count <= 4 * combinations.count else { return found }
        found.removeAll(keepingCapacity: true)
        for combination in entries.indices where entries[combination] == Self.wanted {
            found.append(UInt32(combination))
        }
        return found
    }

    /// Marks what has no slot, and returns it in order of appearance.
    private mutating func mark(_ combinations: Span<UInt32>) -> [UInt32] {
        var found: [UInt32] = []
        let last = UInt32(entries.count - 1)
        unsafe entries.withUnsafeMutableBufferPointer { entries in
            unsafe combinations.withUnsafeBufferPointer { combinations in
                for row in 0..<combinations.count {
                    let combination = min(unsafe combinations[row], last)
                    if unsafe entries[Int(combination)] == Self.unknown {
                        unsafe entries[Int(combination)] = Self.wanted
                        found.append(combination)
                    }
                }
            }
        }
        return found
    }

    /// Fills `slots`. Precondition: `newCombinations` was asked about these rows, and what it told has slots now.
    package mutating func translate(_ combinations: Span<UInt32>) {
        precondition(!entries.isEmpty)
        if slots.count != combinations.count {
            slots.removeAll(keepingCapacity: true)
            slots.append(contentsOf: repeatElement(0, count: combinations.count))
        }
        let last = UInt32(entries.count - 1)
        var least: Int32 = 0
        unsafe entries.withUnsafeBufferPointer { entries in
            unsafe slots.withUnsafeMutableBufferPointer { slots in
                unsafe combinations.withUnsafeBufferPointer { combinations in
                    for row in 0..<combinations.count {
                        let slot = unsafe entries[Int(min(combinations[row], last))]
                        least = min(least, slot)
                        unsafe slots[row] = slot
                    }
                }
            }
        }
        precondition(least == 0, "a combination without a slot")
    }
}

/// Combinations of several codes as one number each, in a mixed radix.
package enum CodeCombinations {
    /// Multiplies every number by `cardinality` and adds the row's code, or for the missing value `cardinality` less one.
    /// Precondition: the products stay within 32 bits.
    package static func append(_ codes: Span<UInt32>, cardinality: Int, to combinations: inout [UInt32]) {
        precondition(codes.count == combinations.count && cardinality > 0)
        let radix = UInt32(cardinality)
        unsafe combinations.withUnsafeMutableBufferPointer { combinations in
            unsafe codes.withUnsafeBufferPointer { codes in
                for row in 0..<codes.count {
                    unsafe combinations[row] = combinations[row] &* radix &+ min(codes[row], radix &- 1)
                }
            }
        }
    }

    /// The same for narrow codes.
    package static func append(_ codes: Span<UInt8>, cardinality: Int, to combinations: inout [UInt32]) {
        precondition(codes.count == combinations.count && cardinality > 0)
        let radix = UInt32(cardinality)
        unsafe combinations.withUnsafeMutableBufferPointer { combinations in
            unsafe codes.withUnsafeBufferPointer { codes in
                for row in 0..<codes.count {
                    unsafe combinations[row] = combinations[row] &* radix &+ min(UInt32(codes[row]), radix &- 1)
                }
            }
        }
    }
}

/// Runs of rows whose times lie in one bucket.
package enum TimeRuns {
    /// The first row from `row` on whose time is not in `first..<end`.
    package static func end(_ times: Span<Int64>, from row: Int, first: Int64, end: Int64) -> Int {
        precondition(row >= 0 && row <= times.count && first <= end)
        let width = UInt64(bitPattern: end &- first)
        return unsafe times.withUnsafeBufferPointer { times in
            var row = row
            while row < times.count, UInt64(bitPattern: unsafe times[row] &- first) < width { row &+= 1 }
            return row
        }
    }
}

extension RowSelector {
    /// The values of the wanted rows. Precondition: `finish` said `some`, and `values` has an entry for every row.
    package func gathered(_ values: Span<UInt64>) -> [UInt64] { gather(values) }
    package func gathered(_ values: Span<Int64>) -> [Int64] { gather(values) }
    package func gathered(_ values: Span<UInt32>) -> [UInt32] { gather(values) }
    package func gathered(_ values: Span<UInt8>) -> [UInt8] { gather(values) }

    @inline(__always)
    private func gather<Value: BitwiseCopyable>(_ values: Span<Value>) -> [Value] {
        let positions = positions
        // Positions rise, so the last one answers for all.
        precondition(positions.isEmpty || Int(positions[positions.count - 1]) < values.count)
        return unsafe [Value](unsafeUninitializedCapacity: positions.count) { buffer, count in
            unsafe positions.withUnsafeBufferPointer { positions in
                unsafe values.withUnsafeBufferPointer { values in
                    for row in 0..<positions.count {
                        unsafe (buffer.baseAddress.unsafelyUnwrapped + row).initialize(to: values[Int(positions[row])])
                    }
                }
            }
            count = positions.count
        }
    }
}
