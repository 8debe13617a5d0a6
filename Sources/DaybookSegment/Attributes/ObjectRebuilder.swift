internal import DaybookEvent
internal import DaybookFormat

/// Puts canonical objects together again from the columns of their attributes and what was left of them.
struct ObjectRebuilder: ~Copyable {
    private struct Part {
        var members: RenderedAttribute
        var literals: [[UInt8]]
        var places: [Int]

        /// Whether the path is one key.
        var isMember: Bool { literals.count == 1 }
    }

    private var parts: [Part] = []
    /// The parts that the row at hand has, in the order of the text.
    private var present: [Int] = []
    private var row = 0
    /// Of the object at hand.
    private var text = JSONWriter()

    /// - Parameters:
    ///   - columns: of the attributes of `layout`, in its order.
    ///   - rowCount: about how many rows of the columns are wanted.
    init(_ layout: ObjectLayout, _ columns: [AttributeColumn], rowCount: Int) {
        precondition(columns.count == layout.parts.count)
        parts.reserveCapacity(columns.count)
        for (part, column) in zip(layout.parts, columns) {
            let members = RenderedAttribute(
                column, rowCount: rowCount, literal: part.literals[part.literals.count - 1])
            parts.append(Part(members: members, literals: part.literals, places: part.places))
        }
    }

    /// Whether the row has a value in any column.
    func isPresent(_ row: Int) -> Bool { parts.contains { $0.members.isPresent(row) } }

    /// Appends the objects of some rows: those with the flag have one, others have none.
    /// - Parameters:
    ///   - rest: what was left of the objects; that of the first row stands at `firstRest`.
    ///   - flags: of the rows.
    ///   - positions: where the rows stand in the columns; nil for from 0 on.
    mutating func append(
        _ rest: ByteColumn, from firstRest: Int = 0, _ flags: ArraySlice<UInt16>, _ flag: EventFlags,
        positions: [Int]? = nil, to result: inout RebuiltObjects
    ) throws(FormatError) {
        for (offset, flags) in flags.enumerated() {
            let row = firstRest + offset
            let position = positions?[offset] ?? offset
            guard flags & flag.rawValue != 0 else {
                guard !rest.isPresent(row), !isPresent(position) else { throw .invalid("missing value") }
                try result.endRow(isPresent: false)
                continue
            }
            text.removeAll()
            if rest.isPresent(row) {
                try rest.withBytes(row) { (span: RawSpan) throws(FormatError) in
                    try unsafe span.withUnsafeBytes { (text: UnsafeRawBufferPointer) throws(FormatError) in
                        try unsafe append(row: position, rest: text)
                    }
                }
            } else {
                unsafe try append(row: position, rest: nil)
            }
            text.withBytes { result.bytes.append($0) }
            try result.endRow(isPresent: true)
        }
    }

    /// Writes the object of a row. Damage is what no writer leaves behind: a rest that is no object, or that has a value in
    /// the place of a part.
    /// - Parameter rest: nil when nothing was left.
    private mutating func append(row: Int, rest: UnsafeRawBufferPointer?) throws(FormatError) {
        present.removeAll(keepingCapacity: true)
        self.row = row
        var isFlat = unsafe rest == nil
        for index in parts.indices where parts[index].members.isPresent(row) {
            present.append(index)
            isFlat = isFlat && parts[index].isMember
        }
        guard !isFlat else { return appendMembers() }
        guard !present.isEmpty else {
            if let rest = unsafe rest { unsafe text.raw(rest.bytes) }
            return
        }
        guard let rest = unsafe rest else { return try appendParts(0..<present.count, depth: 0) }
        guard let base = rest.baseAddress else { throw .invalid("rest of an object") }
        var cursor = unsafe ObjectCursor(base, 0..<rest.count)
        try appendParts(0..<present.count, depth: 0, between: &cursor)
        guard cursor.isAtEnd else { throw .invalid("rest of an object") }
    }

    /// Writes an object whose parts are its members.
    private mutating func appendMembers() {
        text.raw("{")
        for (position, index) in present.enumerated() {
            if position > 0 { text.raw(",") }
            parts[index].members.append(row, to: &text)
        }
        text.raw("}")
    }

    /// How many of the parts from `first` on share its place at `depth`. Two values of one place are damage.
    private func groupEnd(_ first: Int, _ end: Int, depth: Int) throws(FormatError) -> Int {
        let place = parts[present[first]].places[depth]
        var next = first + 1
        while next < end, parts[present[next]].places[depth] == place { next += 1 }
        let isValue = parts[present[first]].literals.count == depth + 1
        guard next == first + 1 || !isValue else { throw .invalid("attribute twice") }
        return next
    }

    /// Writes an object made of parts alone.
    private mutating func appendParts(_ range: Range<Int>, depth: Int) throws(FormatError) {
        text.raw("{")
        var next = range.lowerBound
        while next < range.upperBound {
            if next > range.lowerBound { text.raw(",") }
            next = try appendMember(next, range.upperBound, depth: depth)
        }
        text.raw("}")
    }

    /// Writes the member to which the part at `first` belongs, and returns the first part behind it.
    private mutating func appendMember(_ first: Int, _ end: Int, depth: Int) throws(FormatError) -> Int {
        let groupEnd = try groupEnd(first, end, depth: depth)
        let part = present[first]
        if parts[part].literals.count == depth + 1 {
            parts[part].members.append(row, to: &text)
        } else {
            parts[part].literals[depth].withRawSpan { text.raw($0) }
            try appendParts(first..<groupEnd, depth: depth + 1)
        }
        return groupEnd
    }

    /// Writes an object made of parts and of the members at the cursor.
    private mutating func appendParts(
        _ range: Range<Int>, depth: Int, between cursor: inout ObjectCursor
    ) throws(FormatError) {
        guard cursor.consume(UInt8(ascii: "{")), cursor.byte() != UInt8(ascii: "}") else {
            throw .invalid("rest of an object")
        }
        text.raw("{")
        var next = range.lowerBound
        var isFirst = true
        repeat {
            guard let key = Self.key(&cursor) else { throw .invalid("rest of an object") }
            let escaped = unsafe cursor.withBytes(key) { unsafe Array($0) }
            var isTaken = false
            while next < range.upperBound, !isTaken {
                let literal = parts[present[next]].literals[depth]
                let order = EscapedKey.compare(literal[1..<literal.count - 2], escaped)
                guard order <= 0 else { break }
                if !isFirst { text.raw(",") }
                isFirst = false
                if order < 0 {
                    next = try appendMember(next, range.upperBound, depth: depth)
                } else {
                    let groupEnd = try groupEnd(next, range.upperBound, depth: depth)
                    guard parts[present[next]].literals.count > depth + 1 else { throw .invalid("attribute twice") }
                    literal.withRawSpan { text.raw($0) }
                    try appendParts(next..<groupEnd, depth: depth + 1, between: &cursor)
                    next = groupEnd
                    isTaken = true
                }
            }
            guard !isTaken else { continue }
            if !isFirst { text.raw(",") }
            isFirst = false
            let start = key.lowerBound - 1
            guard cursor.skipValue() else { throw .invalid("rest of an object") }
            unsafe cursor.withBytes(start..<cursor.position) { unsafe text.raw($0.bytes) }
        } while cursor.consume(UInt8(ascii: ","))
        guard cursor.consume(UInt8(ascii: "}")) else { throw .invalid("rest of an object") }
        while next < range.upperBound {
            text.raw(",")
            next = try appendMember(next, range.upperBound, depth: depth)
        }
        text.raw("}")
    }

    /// Steps over a key and its colon, and returns where the key stands between its quotes.
    private static func key(_ cursor: inout ObjectCursor) -> Range<Int>? {
        guard cursor.byte() == UInt8(ascii: "\"") else { return nil }
        let start = cursor.position + 1
        guard cursor.skipString() != nil else { return nil }
        let key = start..<cursor.position - 1
        return cursor.consume(UInt8(ascii: ":")) ? key : nil
    }
}

/// The objects of rows, while they are put together.
struct RebuiltObjects {
    var bytes: [UInt8] = []
    private var offsets: [UInt32] = [0]
    private var present: [Bool] = []

    init(rowCount: Int) {
        offsets.reserveCapacity(rowCount + 1)
        present.reserveCapacity(rowCount)
    }

    /// What was appended to `bytes` since the row before is the row's object.
    mutating func endRow(isPresent: Bool) throws(FormatError) {
        guard bytes.count <= SegmentLimits.columnByteCountMax else { throw .invalid("column length") }
        present.append(isPresent)
        offsets.append(UInt32(bytes.count))
    }

    consuming func column() -> ByteColumn {
        ByteColumn(bytes: bytes, offsets: offsets, present: present.contains(false) ? present : nil)
    }
}
