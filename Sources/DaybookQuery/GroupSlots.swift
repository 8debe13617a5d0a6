internal import DaybookEvent
internal import DaybookFormat

/// The groups of an answer: each is a bucket and a value, or none, of every dimension.
struct GroupSlots: Sendable {
    struct Key: Hashable {
        var bucket: Int64
        /// A code of the dimension's interner plus one; 0 is no value, and stands for dimensions that are not there.
        var first: UInt32 = 0
        var second: UInt32 = 0
        var third: UInt32 = 0
        var fourth: UInt32 = 0

        /// In few and wide pieces: every new group of an answer comes here.
        func hash(into hasher: inout Hasher) {
            hasher.combine(bucket)
            hasher.combine(UInt64(first) << 32 | UInt64(second))
            if third | fourth != 0 { hasher.combine(UInt64(third) << 32 | UInt64(fourth)) }
        }

        subscript(dimension: Int) -> UInt32 {
            get {
                switch dimension {
                case 0: first
                case 1: second
                case 2: third
                default: fourth
                }
            }
            set {
                switch dimension {
                case 0: first = newValue
                case 1: second = newValue
                case 2: third = newValue
                default: fourth = newValue
                }
            }
        }
    }

    private(set) var keys: [Key] = []
    var interners: [ByteInterner]
    private var slots: [Key: Int32] = [:]

    init(dimensionCount: Int) {
        precondition(dimensionCount <= QueryLimits.groupDimensionCountMax)
        interners = Array(repeating: ByteInterner(), count: dimensionCount)
    }

    var count: Int { keys.count }

    mutating func slot(of key: Key) throws(QueryError) -> Int32 {
        if let known = slots[key] { return known }
        guard keys.count < QueryLimits.groupCountMax else { throw .tooLarge(limit: QueryLimits.groupCountMax) }
        let slot = Int32(keys.count)
        slots[key] = slot
        keys.append(key)
        return slot
    }

    /// Makes the codes of a dimension those of the statuses. Precondition: it has no value yet.
    mutating func internStatuses(_ dimension: Int) {
        precondition(interners[dimension].count == 0)
        for status in EventStatus.allCases {
            let name = Array(status.name.utf8)
            let code = try? interners[dimension].code(of: name, 0..<name.count)
            precondition(code == UInt32(status.rawValue))
        }
    }

    /// Takes in the groups of `other`, and returns the slot of each.
    mutating func merge(_ other: GroupSlots) throws(QueryError) -> [Int32] {
        var codes: [[UInt32]] = []
        for dimension in interners.indices {
            let added = other.interners[dimension]
            var keys: [UInt32] = [0]
            for code in 0..<UInt32(added.count) {
                keys.append(try interners[dimension].code(of: added.bytes, added.range(of: code)) + 1)
            }
            codes.append(keys)
        }
        var slots: [Int32] = []
        slots.reserveCapacity(other.count)
        for var key in other.keys {
            for dimension in codes.indices { key[dimension] = codes[dimension][Int(key[dimension])] }
            slots.append(try slot(of: key))
        }
        return slots
    }

    /// Bytes in memory, about; those that sorting takes are in it.
    var byteCount: Int {
        keys.capacity * 2 * MemoryLayout<Key>.stride + slots.capacity * (MemoryLayout<Key>.stride + 8)
            + interners.reduce(0) { $0 + $1.byteCount }
    }

    /// The value of a dimension in a group; nil when it has none.
    func value(of dimension: Int, in key: Key) -> [UInt8]? {
        guard key[dimension] > 0 else { return nil }
        return Array(interners[dimension].bytes[interners[dimension].range(of: key[dimension] - 1)])
    }

    /// All slots by bucket, then by the values' bytes, no value first.
    func sorted() -> [Int32] {
        let ranks = interners.map { [0] + $0.ranks().map { $0 + 1 } }
        let places = keys.map { key in
            var place = key
            for dimension in ranks.indices { place[dimension] = ranks[dimension][Int(key[dimension])] }
            return place
        }
        return (0..<Int32(keys.count)).sorted { left, right in
            Self.precedes(places[Int(left)], places[Int(right)])
        }
    }

    private static func precedes(_ left: Key, _ right: Key) -> Bool {
        (left.bucket, left.first, left.second, left.third, left.fourth)
            < (right.bucket, right.first, right.second, right.third, right.fourth)
    }
}
