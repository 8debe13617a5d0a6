/// The typed leaves of the objects of a row group, in the order in which they stand there. Those of one path and kind
/// are linked, so that a column can be made of them without looking at the others.
struct AttributeTape {
    /// Objects beyond it are not taken apart: what the tape holds in memory has a bound.
    static let entryCountMax = 1 << 20

    private struct Entry {
        var word: UInt64
        var row: UInt32
        /// The entry of the same list that follows, plus one; 0 at the end.
        var next: UInt32
    }

    /// The leaves of one node and kind.
    private struct List {
        /// Positions plus one; 0 while empty.
        var first: UInt32 = 0
        var last: UInt32 = 0
        var count: UInt32 = 0
    }

    private var entries: [Entry] = []
    private var lists: [List] = []

    var count: Int { entries.count }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        lists.removeAll(keepingCapacity: true)
    }

    private static func list(_ node: Int, _ kind: LeafKind) -> Int { node &* LeafKind.typedCount &+ kind.rawValue }

    /// Makes room for the lists of nodes that are new.
    mutating func reserve(nodeCount: Int) {
        let missing = nodeCount * LeafKind.typedCount - lists.count
        if missing > 0 { lists.append(contentsOf: repeatElement(List(), count: missing)) }
    }

    /// Precondition: a typed leaf of a node that room was made for. Rows come in order.
    mutating func append(_ leaf: AttributeLeaf, node: Int, row: Int) {
        let list = Self.list(node, leaf.kind)
        entries.append(Entry(word: leaf.word, row: UInt32(row), next: 0))
        let position = UInt32(entries.count)
        let last = lists[list].last
        if last == 0 { lists[list].first = position } else { entries[Int(last) - 1].next = position }
        lists[list].last = position
        lists[list].count += 1
    }

    func count(_ node: Int, _ kind: LeafKind) -> Int { Int(lists[Self.list(node, kind)].count) }

    func forEach(_ node: Int, _ kind: LeafKind, _ body: (_ row: Int, _ word: UInt64) -> Void) {
        var next = lists[Self.list(node, kind)].first
        while next != 0 {
            let entry = entries[Int(next) - 1]
            body(Int(entry.row), entry.word)
            next = entry.next
        }
    }
}
