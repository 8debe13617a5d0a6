internal import DaybookFormat

/// Takes the free-form objects of a row group apart: first all leaves go to a tape, then the paths are chosen that
/// become columns, then what is left of each object is written. Keeps its scratch memory between row groups.
struct ObjectShredder {
    private(set) var table = PathTable()
    private(set) var tape = AttributeTape()
    /// Of each node, whether it has a value that no column could hold.
    private(set) var oddNodes: [Bool] = []
    /// Of each node, whether one of its whole numbers is below zero.
    private(set) var negativeNodes: [Bool] = []
    /// What becomes of each row's object.
    private var fates: [Fate] = []
    /// Rows whose object stays as it is because it cannot be taken apart.
    private(set) var wholeCount = 0
    /// The leaves of the row that is read.
    private var leaves: [(node: Int, leaf: AttributeLeaf)] = []
    /// By node and kind, whether that becomes a column; empty while the tape is written.
    private var isColumn: [Bool] = []
    private var rest = RestWriter()

    enum Fate {
        /// There is none, or every leaf of it is on the tape.
        case nothing
        /// Some of it stays.
        case part
        /// It stays as it is.
        case whole
    }

    /// Containers that lie deeper stay in the rest. As deep as canonical objects are.
    private static let depthMax = SegmentLimits.attributeDepthMax

    // MARK: Reading

    /// Reads all objects of a row group.
    mutating func read(_ column: ByteColumn) {
        table.removeAll()
        tape.removeAll()
        oddNodes.removeAll(keepingCapacity: true)
        negativeNodes.removeAll(keepingCapacity: true)
        fates.removeAll(keepingCapacity: true)
        isColumn.removeAll(keepingCapacity: true)
        wholeCount = 0
        makeRoom()
        unsafe column.bytes.withUnsafeBytes { bytes in
            for row in 0..<column.rowCount {
                guard column.isPresent(row) else {
                    fates.append(.nothing)
                    continue
                }
                fates.append(unsafe read(bytes, column.range(row), row: row))
            }
        }
        // An object that could not be taken apart has left nodes behind, too.
        makeRoom()
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, row: Int) -> Fate {
        guard let base = bytes.baseAddress, tape.count < AttributeTape.entryCountMax else { return whole() }
        var cursor = unsafe ObjectCursor(base, range)
        leaves.removeAll(keepingCapacity: true)
        guard let isComplete = walk(&cursor) else { return whole() }
        makeRoom()
        for (node, leaf) in leaves {
            if leaf.kind == .odd {
                oddNodes[node] = true
            } else {
                if leaf.kind == .small || leaf.kind == .large, Int64(bitPattern: leaf.word) < 0 {
                    negativeNodes[node] = true
                }
                tape.append(leaf, node: node, row: row)
            }
        }
        return isComplete ? .nothing : .part
    }

    private mutating func whole() -> Fate {
        wholeCount += 1
        return .whole
    }

    /// For the nodes that the table has gained.
    private mutating func makeRoom() {
        let missing = table.nodes.count - oddNodes.count
        guard missing > 0 else { return }
        oddNodes.append(contentsOf: repeatElement(false, count: missing))
        negativeNodes.append(contentsOf: repeatElement(false, count: missing))
        tape.reserve(nodeCount: table.nodes.count)
    }

    // MARK: Walking

    /// Reads one object. Returns whether every leaf of it is a typed one; nil when it cannot be taken apart.
    @inline(__always)
    private mutating func walk(_ cursor: inout ObjectCursor) -> Bool? {
        guard cursor.consume(UInt8(ascii: "{")) else { return nil }
        if cursor.consume(UInt8(ascii: "}")) { return cursor.isAtEnd ? true : nil }
        var container = PathTable.root
        var previous = PathTable.Previous.none
        var isComplete = true
        while true {
            switch table.readKey(&cursor, in: container, after: previous) {
            case .invalid:
                return nil
            case .unknown(let key):
                let start = cursor.position
                guard cursor.skipValue() else { return nil }
                isComplete = false
                previous = .text(key)
                if isWritingRest { keep(cursor, key: key, value: start..<cursor.position, in: container) }
            case .node(let node):
                if cursor.byte() == UInt8(ascii: "{"), cursor.byte(1) != UInt8(ascii: "}"),
                    table.nodes[node].depth < Self.depthMax
                {
                    cursor.position &+= 1
                    container = node
                    previous = .none
                    continue
                }
                let start = cursor.position
                guard let leaf = cursor.leaf() else { return nil }
                previous = .node(node)
                if isWritingRest {
                    keepUnlessColumn(cursor, leaf, node, value: start..<cursor.position)
                } else if leaf.kind == .opaque {
                    isComplete = false
                } else {
                    if leaf.kind == .odd { isComplete = false }
                    leaves.append((node, leaf))
                }
            }
            while !cursor.consume(UInt8(ascii: ",")) {
                guard cursor.consume(UInt8(ascii: "}")) else { return nil }
                if isWritingRest { rest.close(depth: table.nodes[container].depth) }
                if container == PathTable.root { return cursor.isAtEnd ? isComplete : nil }
                previous = .node(container)
                container = table.nodes[container].parent
            }
        }
    }

    // MARK: What is left

    private var isWritingRest: Bool { !isColumn.isEmpty }

    /// What is left of all objects when the leaves of `columns` are taken away. Precondition: `column` was read, and at
    /// least one column is made of it.
    mutating func rest(
        of column: ByteColumn, without columns: [(node: Int, kinds: [LeafKind])]
    ) -> ByteColumn {
        isColumn = [Bool](repeating: false, count: table.nodes.count * LeafKind.allCases.count)
        for (node, kinds) in columns {
            for kind in kinds { isColumn[node * LeafKind.allCases.count + kind.rawValue] = true }
        }
        for node in table.nodes.indices {
            for kind in LeafKind.allCases.prefix(LeafKind.typedCount)
            where tape.count(node, kind) > 0 && !isColumn[node * LeafKind.allCases.count + kind.rawValue] {
                tape.forEach(node, kind) { row, _ in fates[row] = .part }
            }
        }
        var result = ByteColumnRows(expectedRowCount: column.rowCount, expectedByteCount: 0)
        unsafe column.bytes.withUnsafeBytes { bytes in
            for row in 0..<column.rowCount {
                switch fates[row] {
                case .nothing:
                    unsafe append(nil, to: &result)
                case .whole:
                    unsafe append(UnsafeRawBufferPointer(rebasing: bytes[column.range(row)]), to: &result)
                case .part:
                    unsafe writeRest(bytes, column.range(row))
                    unsafe rest.bytes.withUnsafeBytes { unsafe append($0, to: &result) }
                }
            }
        }
        isColumn.removeAll(keepingCapacity: true)
        return result.column()
    }

    private func append(_ bytes: UnsafeRawBufferPointer?, to rows: inout ByteColumnRows) {
        do throws(FormatError) {
            unsafe try rows.append(bytes)
        } catch {
            preconditionFailure("the rest of a column is longer than the column")
        }
    }

    private mutating func writeRest(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        guard let base = bytes.baseAddress else { preconditionFailure("an object without text") }
        var cursor = unsafe ObjectCursor(base, range)
        rest.removeAll()
        guard walk(&cursor) != nil, !rest.bytes.isEmpty else { preconditionFailure("an object reads differently now") }
    }

    private mutating func keepUnlessColumn(
        _ cursor: ObjectCursor, _ leaf: AttributeLeaf, _ node: Int, value: Range<Int>
    ) {
        guard !isColumn[node * LeafKind.allCases.count + leaf.kind.rawValue] else { return }
        openContainers(to: table.nodes[node].parent)
        rest.beginMember()
        rest.append(table.literal(node))
        unsafe cursor.withBytes(value) { unsafe rest.append($0) }
    }

    /// A member whose key has no node.
    private mutating func keep(_ cursor: ObjectCursor, key: Range<Int>, value: Range<Int>, in container: Int) {
        openContainers(to: container)
        rest.beginMember()
        // From the quote before the key to the end of the value.
        unsafe cursor.withBytes(key.lowerBound - 1..<value.upperBound) { unsafe rest.append($0) }
    }

    private mutating func openContainers(to container: Int) {
        let depth = table.nodes[container].depth
        guard rest.openCount <= depth else { return }
        if container != PathTable.root {
            openContainers(to: table.nodes[container].parent)
            rest.beginMember()
            rest.append(table.literal(container))
        }
        rest.open()
    }
}

/// Writes what is left of one object. A container is opened when something in it stays, so those of which everything
/// went to columns leave no trace; rebuilding makes them again.
struct RestWriter {
    private(set) var bytes: [UInt8] = []
    /// Containers open now; the object itself counts.
    private(set) var openCount = 0
    private var needsComma = false

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        openCount = 0
        needsComma = false
    }

    mutating func open() {
        bytes.append(UInt8(ascii: "{"))
        openCount += 1
        needsComma = false
    }

    /// The container of that depth ends; 0 is the object itself.
    mutating func close(depth: Int) {
        guard openCount == depth + 1 else { return }
        bytes.append(UInt8(ascii: "}"))
        openCount -= 1
        needsComma = true
    }

    mutating func beginMember() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    mutating func append(_ text: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: text) }
}
