internal import DaybookEvent
internal import DaybookFormat

/// The groups of an answer: each is a bucket and a value, or none, of every dimension.
struct GroupSlots: Sendable {
    struct Key: Equatable {
        var bucket: Int64
        /// A code of the dimension's interner plus one; 0 is no value, and stands for dimensions that are not there.
        var first: UInt32 = 0
        var second: UInt32 = 0
        var third: UInt32 = 0
        var fourth: UInt32 = 0

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
    private var table = KeyTable()

    init(dimensionCount: Int) {
        precondition(dimensionCount <= QueryLimits.groupDimensionCountMax)
        interners = Array(repeating: ByteInterner(), count: dimensionCount)
    }

    var count: Int { keys.count }

    mutating func slot(of key: Key) throws(QueryError) -> Int32 {
        let place = table.place(of: key, keys)
        if let known = table.position(at: place) { return known }
        guard keys.count < QueryLimits.groupCountMax else { throw .tooLarge(limit: QueryLimits.groupCountMax) }
        keys.append(key)
        table.insertLast(at: place, keys)
        return Int32(keys.count - 1)
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
                keys.append(try interners[dimension].code(of: code, in: added) + 1)
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
        keys.capacity * 3 * MemoryLayout<Key>.stride + table.byteCount
            + interners.reduce(0) { $0 + $1.byteCount }
    }

    /// The value of a dimension in a group; nil when it has none.
    func value(of dimension: Int, in key: Key) -> [UInt8]? {
        guard key[dimension] > 0 else { return nil }
        return Array(interners[dimension].bytes[interners[dimension].range(of: key[dimension] - 1)])
    }

    /// Appends the value of every dimension in a group, behind the dimension's name; null where it has none.
    /// - Parameter names: with a gap for each value.
    func appendValues(of slot: Int32, _ names: JSONForm, to writer: inout JSONWriter) {
        let key = keys[Int(slot)]
        for dimension in interners.indices {
            writer.piece(dimension, of: names)
            if key[dimension] > 0 {
                interners[dimension].append(key[dimension] - 1, to: &writer)
            } else {
                writer.literal("null")
            }
        }
    }

    /// All slots by bucket, then by the values' bytes, no value first.
    func sorted() -> [Int32] {
        let ranks = interners.map { [0] + $0.ranks().map { $0 + 1 } }
        let places = keys.map { key in
            var place = key
            for dimension in ranks.indices { place[dimension] = ranks[dimension][Int(key[dimension])] }
            return place
        }
        let order = 0..<Int32(keys.count)
        // Time goes on while rows come in, so the groups of a question without dimensions are in order as a rule.
        if zip(places, places.dropFirst()).allSatisfy({ Self.precedes($0, $1) }) { return Array(order) }
        return laidOut(places)
            ?? order.sorted { left, right in Self.precedes(places[Int(left)], places[Int(right)]) }
    }

    /// All slots in the order of `places`, without comparing: each is put where it belongs among all groups that there
    /// could be. Nil when these are many more than there are.
    private func laidOut(_ places: [Key]) -> [Int32]? {
        let possibleCountMax = 8 * places.count
        guard let first = places.lazy.map(\.bucket).min(), let last = places.lazy.map(\.bucket).max() else { return [] }
        var possibleCount = UInt(bitPattern: Int(last &- first))
        guard possibleCount < possibleCountMax else { return nil }
        possibleCount += 1
        let keyCounts = interners.map { $0.count + 1 }
        for keyCount in keyCounts {
            possibleCount *= UInt(keyCount)
            guard possibleCount <= possibleCountMax else { return nil }
        }
        var slots = [Int32](repeating: -1, count: Int(possibleCount))
        for (slot, place) in places.enumerated() {
            var number = Int(place.bucket - first)
            for dimension in keyCounts.indices { number = number * keyCounts[dimension] + Int(place[dimension]) }
            slots[number] = Int32(slot)
        }
        return slots.filter { $0 >= 0 }
    }

    @inline(__always)
    private static func precedes(_ left: Key, _ right: Key) -> Bool {
        (left.bucket, left.first, left.second, left.third, left.fourth)
            < (right.bucket, right.first, right.second, right.third, right.fourth)
    }
}

/// Where a key stands among the keys: every new group of an answer comes here, and most of a question's groups are new.
private struct KeyTable: Sendable {
    /// Drawn from the process's own hashing, so that nobody can ask for groups that all land in one place.
    private let seed: UInt64 = {
        var hasher = Hasher()
        hasher.combine(1)
        return UInt64(bitPattern: Int64(hasher.finalize())) | 1
    }()
    /// Positions plus one, 0 for free; a power of two, at most half full.
    private var places = [UInt32](repeating: 0, count: 64)

    var byteCount: Int { places.capacity * 4 }

    /// Where a key is, or where there is room for it.
    func place(of key: GroupSlots.Key, _ keys: [GroupSlots.Key]) -> Int {
        let mask = places.count - 1
        var place = hash(key) & mask
        while places[place] != 0, keys[Int(places[place]) - 1] != key { place = (place + 1) & mask }
        return place
    }

    /// The position of the key at a place; nil where there is room.
    func position(at place: Int) -> Int32? {
        places[place] == 0 ? nil : Int32(bitPattern: places[place] - 1)
    }

    /// Takes in the last key. Precondition: `place` is what was said of it while it was not there.
    mutating func insertLast(at place: Int, _ keys: [GroupSlots.Key]) {
        guard keys.count * 2 <= places.count else {
            places = [UInt32](repeating: 0, count: places.count * 4)
            for position in keys.indices { places[self.place(of: keys[position], keys)] = UInt32(position) + 1 }
            return
        }
        places[place] = UInt32(keys.count)
    }

    private func hash(_ key: GroupSlots.Key) -> Int {
        var hash = (UInt64(bitPattern: key.bucket) ^ seed) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ hash >> 29 ^ (UInt64(key.first) << 32 | UInt64(key.second))) &* seed
        hash = (hash ^ hash >> 32 ^ (UInt64(key.third) << 32 | UInt64(key.fourth))) &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: hash ^ hash >> 31)
    }
}
