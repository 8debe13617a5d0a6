internal import DaybookEvent
internal import DaybookFormat

/// Puts canonical objects together again from the columns of their attributes and what was left of them.
struct ObjectRebuilder {
    private struct Part {
        var members: RenderedAttribute
        /// Whether the path is one key.
        var isMember: Bool
        /// Of each key on the path, from the outermost: as it stands in the text, with quotes and colon.
        var literals: [[UInt8]]
        /// Of each key, a number that two parts share when the path so far is the same.
        var places: [Int]
    }

    private var parts: [Part] = []
    /// The parts that the row at hand has, in the order of the text.
    private var present: [Int] = []
    private var row = 0

    init(_ columns: [(name: AttributeName, column: AttributeColumn)], rowCount: Int) {
        var placeCount = 0
        for (name, column) in columns.sorted(by: { $0.name.precedes($1.name) }) {
            let literals = name.keys.map(EscapedKey.literal)
            let members = RenderedAttribute(column, rowCount: rowCount, literal: literals[literals.count - 1])
            var part = Part(members: members, isMember: literals.count == 1, literals: literals, places: [])
            var isShared = true
            for (depth, literal) in part.literals.enumerated() {
                if let last = parts.last, isShared, depth < last.literals.count, last.literals[depth] == literal {
                    part.places.append(last.places[depth])
                } else {
                    isShared = false
                    part.places.append(placeCount)
                    placeCount += 1
                }
            }
            parts.append(part)
        }
    }

    /// Whether the row has a value in any column.
    func isPresent(_ row: Int) -> Bool { parts.contains { $0.members.isPresent(row) } }

    /// Appends the objects of all rows: those with the flag have one, others have none.
    mutating func append(
        _ rest: ByteColumn, _ flags: ArraySlice<UInt16>, _ flag: EventFlags, to result: inout RebuiltObjects
    ) throws(FormatError) {
        for (row, flags) in flags.enumerated() {
            guard flags & flag.rawValue != 0 else {
                guard !rest.isPresent(row), !isPresent(row) else { throw .invalid("missing value") }
                try result.endRow(isPresent: false)
                continue
            }
            if rest.isPresent(row) {
                try rest.withBytes(row) { (span: RawSpan) throws(FormatError) in
                    try unsafe span.withUnsafeBytes { (text: UnsafeRawBufferPointer) throws(FormatError) in
                        try unsafe append(row: row, rest: text, to: &result.bytes)
                    }
                }
            } else {
                unsafe try append(row: row, rest: nil, to: &result.bytes)
            }
            try result.endRow(isPresent: true)
        }
    }

    /// Appends the object of a row. Damage is what no writer leaves behind: a rest that is no object, or that has a
    /// value in the place of a part.
    /// - Parameter rest: nil when nothing was left.
    mutating func append(
        row: Int, rest: UnsafeRawBufferPointer?, to bytes: inout [UInt8]
    ) throws(FormatError) {
        present.removeAll(keepingCapacity: true)
        var isFlat = unsafe rest == nil
        for index in parts.indices where parts[index].members.isPresent(row) {
            present.append(index)
            isFlat = isFlat && parts[index].isMember
        }
        guard !isFlat else { return appendMembers(row, to: &bytes) }
        guard !present.isEmpty else {
            if let rest = unsafe rest { unsafe bytes.append(contentsOf: rest) }
            return
        }
        self.row = row
        guard let rest = unsafe rest else { return try appendParts(0..<present.count, depth: 0, to: &bytes) }
        guard let base = rest.baseAddress else { throw .invalid("rest of an object") }
        var cursor = unsafe ObjectCursor(base, 0..<rest.count)
        try appendParts(0..<present.count, depth: 0, between: &cursor, to: &bytes)
        guard cursor.isAtEnd else { throw .invalid("rest of an object") }
    }

    /// Appends an object whose parts are its members.
    private func appendMembers(_ row: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (position, index) in present.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            parts[index].members.append(row, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
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

    /// Appends an object made of parts alone.
    private func appendParts(
        _ range: Range<Int>, depth: Int, to bytes: inout [UInt8]
    ) throws(FormatError) {
        bytes.append(UInt8(ascii: "{"))
        var next = range.lowerBound
        while next < range.upperBound {
            if next > range.lowerBound { bytes.append(UInt8(ascii: ",")) }
            next = try appendMember(next, range.upperBound, depth: depth, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends the member to which the part at `first` belongs, and returns the first part behind it.
    private func appendMember(
        _ first: Int, _ end: Int, depth: Int, to bytes: inout [UInt8]
    ) throws(FormatError) -> Int {
        let groupEnd = try groupEnd(first, end, depth: depth)
        let part = present[first]
        if parts[part].literals.count == depth + 1 {
            parts[part].members.append(row, to: &bytes)
        } else {
            bytes.append(contentsOf: parts[part].literals[depth])
            try appendParts(first..<groupEnd, depth: depth + 1, to: &bytes)
        }
        return groupEnd
    }

    /// Appends an object made of parts and of the members at the cursor.
    private func appendParts(
        _ range: Range<Int>, depth: Int, between cursor: inout ObjectCursor, to bytes: inout [UInt8]
    ) throws(FormatError) {
        guard cursor.consume(UInt8(ascii: "{")), cursor.byte() != UInt8(ascii: "}") else {
            throw .invalid("rest of an object")
        }
        bytes.append(UInt8(ascii: "{"))
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
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                if order < 0 {
                    next = try appendMember(next, range.upperBound, depth: depth, to: &bytes)
                } else {
                    let groupEnd = try groupEnd(next, range.upperBound, depth: depth)
                    guard parts[present[next]].literals.count > depth + 1 else { throw .invalid("attribute twice") }
                    bytes.append(contentsOf: literal)
                    try appendParts(next..<groupEnd, depth: depth + 1, between: &cursor, to: &bytes)
                    next = groupEnd
                    isTaken = true
                }
            }
            guard !isTaken else { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            let start = key.lowerBound - 1
            guard cursor.skipValue() else { throw .invalid("rest of an object") }
            unsafe cursor.withBytes(start..<cursor.position) { unsafe bytes.append(contentsOf: $0) }
        } while cursor.consume(UInt8(ascii: ","))
        guard cursor.consume(UInt8(ascii: "}")) else { throw .invalid("rest of an object") }
        while next < range.upperBound {
            bytes.append(UInt8(ascii: ","))
            next = try appendMember(next, range.upperBound, depth: depth, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
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
