internal import DaybookSegment

/// What the codes of one dimension mean on one page: keys of `GroupSlots`. Looked up when a code is first met, and
/// remembered for as long as pages share their dictionary.
struct DimensionCodes: Sendable {
    private(set) var table: StringTable?
    private var hashes: [UInt32] = []
    private var keys: [UInt32] = []
    /// One more than there are strings: the last code is the missing value.
    private(set) var cardinality = 1

    /// Keys that nobody asked for yet.
    private static let unknown = UInt32.max

    /// Codes are those of a column's table.
    mutating func begin(_ table: StringTable) {
        guard self.table !== table else { return }
        self.table = table
        hashes = table.hashes
        cardinality = table.count + 1
        keys.removeAll(keepingCapacity: true)
        keys.append(contentsOf: repeatElement(Self.unknown, count: cardinality))
        keys[cardinality - 1] = 0
    }

    /// Codes are those of the interner already.
    mutating func begin(keyCount: Int) {
        table = nil
        cardinality = keyCount + 1
    }

    /// What each of some codes means. Precondition: all are below `cardinality`.
    mutating func keys(
        of codes: some Sequence<UInt32>, _ interner: inout ByteInterner
    ) throws(QueryError) -> [UInt32] {
        var found: [UInt32] = []
        found.reserveCapacity(codes.underestimatedCount)
        for code in codes {
            guard let table else {
                found.append(Int(code) == cardinality - 1 ? 0 : code + 1)
                continue
            }
            var key = keys[Int(code)]
            if key == Self.unknown {
                key = try interner.code(of: code, in: table, hashes) + 1
                keys[Int(code)] = key
            }
            found.append(key)
        }
        return found
    }
}

/// What the combinations of codes on one page stand for. While it stays the same, so do the slots of combinations.
struct SlotShape: Equatable, Sendable {
    private struct Codes: Sendable {
        /// Held, so that no other table can take its place in memory.
        var table: StringTable?
        var cardinality: Int
    }

    private(set) var buckets: ClosedRange<Int64> = 0...0
    private var codes: [Codes] = []

    /// Of nothing: differs from that of every page.
    init() {}

    init(buckets: ClosedRange<Int64>, _ dictionaries: [DimensionCodes]) {
        self.buckets = buckets
        codes = dictionaries.map { Codes(table: $0.table, cardinality: $0.cardinality) }
    }

    var dimensionCount: Int { codes.count }

    func cardinality(_ dimension: Int) -> Int { codes[dimension].cardinality }

    /// Nil when the number of all combinations overflows.
    var combinationCount: Int? {
        let (span, overflow) = buckets.upperBound.subtractingReportingOverflow(buckets.lowerBound)
        guard !overflow, var count = Int(exactly: span), count < .max else { return nil }
        count += 1
        for codes in codes {
            let (product, overflow) = count.multipliedReportingOverflow(by: codes.cardinality)
            if overflow { return nil }
            count = product
        }
        return count
    }

    static func == (left: SlotShape, right: SlotShape) -> Bool {
        left.buckets == right.buckets && left.codes.count == right.codes.count
            && zip(left.codes, right.codes).allSatisfy { $0.table === $1.table && $0.cardinality == $1.cardinality }
    }
}
