internal import DaybookFormat

/// The paths of the free-form objects of a row group, as a tree of keys: node 0 is the object itself, every other node
/// a key of the object that its parent is.
///
/// Rows of one client have the same keys in the same order, so a node remembers which nodes came after it: most keys
/// are then found by comparing them with the remembered text, without looking for their end.
struct PathTable {
    /// Paths beyond it stay in the rest.
    static let nodeCountMax = 4_096

    struct Node {
        var parent: Int
        /// How many keys lead here.
        var depth: Int
        /// Where `"key":` stands in `literals`.
        var literalOffset: Int
        var literalByteCount: Int
        /// All keys on the way here, unescaped.
        var pathByteCount: Int
    }

    static let root = 0

    private(set) var nodes: [Node] = []
    private(set) var literals: [UInt8] = []
    /// Open table of nodes; 0 is empty. At least twice as many places as nodes.
    private var places: [UInt16] = []
    private var hashes: [UInt32] = []
    /// Of every node two nodes seen behind it, in the lower and the upper half; 0 is none. At `2 * node` those that
    /// begin the object which the node is, at `2 * node + 1` those that follow its value.
    private var successors: [UInt32] = []

    init() { removeAll() }

    mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        literals.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        successors.removeAll(keepingCapacity: true)
        places = [UInt16](repeating: 0, count: 256)
        nodes.append(Node(parent: 0, depth: 0, literalOffset: 0, literalByteCount: 0, pathByteCount: 0))
        hashes.append(0)
        successors.append(contentsOf: [0, 0])
    }

    /// The member before the one that is read.
    enum Previous {
        case none
        case node(Int)
        /// A key without a node, where it stands in the text.
        case text(Range<Int>)
    }

    enum Found {
        case node(Int)
        /// The table is full, or the key too long. Where the key stands between its quotes.
        case unknown(Range<Int>)
        /// Not canonical: the object cannot be taken apart.
        case invalid
    }

    /// Reads a key with its colon. Keys that do not rise, and those that are not escaped canonically, are invalid.
    @inline(__always)
    mutating func readKey(_ cursor: inout ObjectCursor, in container: Int, after previous: Previous) -> Found {
        let memory: Int
        switch previous {
        case .none: memory = 2 &* container
        case .node(let node): memory = 2 &* node &+ 1
        case .text: return readUnknownKey(&cursor, in: container, after: previous, memory: nil)
        }
        let remembered = successors[memory]
        let first = Int(remembered & 0xFFFF)
        if first != 0, consume(first, &cursor) { return .node(first) }
        let second = Int(remembered &>> 16)
        if second != 0, consume(second, &cursor) { return .node(second) }
        return readUnknownKey(&cursor, in: container, after: previous, memory: memory)
    }

    @inline(__always)
    private func consume(_ node: Int, _ cursor: inout ObjectCursor) -> Bool {
        let offset = nodes[node].literalOffset
        let byteCount = nodes[node].literalByteCount
        return unsafe literals.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe cursor.consume(start, offset, byteCount)
        }
    }

    @inline(never)
    private mutating func readUnknownKey(
        _ cursor: inout ObjectCursor, in container: Int, after previous: Previous, memory: Int?
    ) -> Found {
        guard cursor.byte() == UInt8(ascii: "\"") else { return .invalid }
        let start = cursor.position + 1
        guard let isPlain = cursor.skipString() else { return .invalid }
        let key = start..<cursor.position - 1
        guard cursor.consume(UInt8(ascii: ":")) else { return .invalid }
        guard rises(from: previous, to: key, cursor) else { return .invalid }
        guard let node = node(of: key, in: container, cursor) ?? added(key, isPlain, to: container, cursor) else {
            return isPlain || cursor.isCanonicallyEscaped(key) ? .unknown(key) : .invalid
        }
        guard node != Self.root else { return .invalid }
        if let memory { successors[memory] = successors[memory] << 16 | UInt32(node) }
        return .node(node)
    }

    private func rises(from previous: Previous, to key: Range<Int>, _ cursor: ObjectCursor) -> Bool {
        switch previous {
        case .none:
            return true
        case .node(let node):
            let before = escapedKey(node)
            return unsafe cursor.withBytes(key) { unsafe EscapedKey.compare(before, Array($0)) < 0 }
        case .text(let range):
            let before = unsafe cursor.withBytes(range) { unsafe Array($0) }
            return unsafe cursor.withBytes(key) { unsafe EscapedKey.compare(before, Array($0)) < 0 }
        }
    }

    /// The key of a node as it stands between its quotes.
    func escapedKey(_ node: Int) -> [UInt8] {
        let start = nodes[node].literalOffset + 1
        return Array(literals[start..<start + nodes[node].literalByteCount - 3])
    }

    /// The key of a node in quotes, with its colon.
    func literal(_ node: Int) -> [UInt8] {
        let start = nodes[node].literalOffset
        return Array(literals[start..<start + nodes[node].literalByteCount])
    }

    /// The unescaped keys on the way to a node.
    func keys(_ node: Int) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        var next = node
        while next != Self.root {
            keys.append(EscapedKey.unescaped(escapedKey(next)))
            next = nodes[next].parent
        }
        return keys.reversed()
    }

    private static func hash(_ key: UnsafeRawBufferPointer, in container: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: unsafe FieldHash.ofProcess(key) ^ UInt64(container) &* 0x9E37_79B9_7F4A_7C15)
    }

    func node(of key: Range<Int>, in container: Int, _ cursor: ObjectCursor) -> Int? {
        unsafe cursor.withBytes(key) { wanted in
            let hash = unsafe Self.hash(wanted, in: container)
            let mask = places.count - 1
            var place = Int(hash) & mask
            while places[place] != 0 {
                let node = Int(places[place])
                if hashes[node] == hash, nodes[node].parent == container,
                    nodes[node].literalByteCount == wanted.count + 3
                {
                    let start = nodes[node].literalOffset + 1
                    if unsafe literals[start..<start + wanted.count].elementsEqual(wanted) { return node }
                }
                place = (place + 1) & mask
            }
            return nil
        }
    }

    /// A new node; the root, which no key leads to, when the key is not escaped canonically; nil when the table
    /// is full, or the key too long.
    private mutating func added(
        _ key: Range<Int>, _ isPlain: Bool, to container: Int, _ cursor: ObjectCursor
    ) -> Int? {
        guard nodes.count < Self.nodeCountMax, key.count <= SegmentLimits.attributePathByteCountMax else { return nil }
        guard isPlain || cursor.isCanonicallyEscaped(key) else { return Self.root }
        let offset = literals.count
        let hash = unsafe cursor.withBytes(key) { text in
            literals.append(UInt8(ascii: "\""))
            unsafe literals.append(contentsOf: text)
            literals.append(UInt8(ascii: "\""))
            literals.append(UInt8(ascii: ":"))
            return unsafe Self.hash(text, in: container)
        }
        let parent = nodes[container]
        nodes.append(
            Node(
                parent: container, depth: parent.depth + 1, literalOffset: offset, literalByteCount: key.count + 3,
                pathByteCount: parent.pathByteCount + key.count))
        hashes.append(hash)
        successors.append(contentsOf: [0, 0])
        if nodes.count * 2 > places.count {
            places = [UInt16](repeating: 0, count: places.count * 4)
            for node in 1..<nodes.count - 1 { place(node) }
        }
        place(nodes.count - 1)
        return nodes.count - 1
    }

    private mutating func place(_ node: Int) {
        let mask = places.count - 1
        var place = Int(hashes[node]) & mask
        while places[place] != 0 { place = (place + 1) & mask }
        places[place] = UInt16(node)
    }
}
