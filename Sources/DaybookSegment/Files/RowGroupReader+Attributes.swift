internal import DaybookEvent
internal import DaybookFormat

/// Columns of attributes, and whole objects made of them.
extension RowGroupReader {
    /// Whether an answer about `name` needs what is left of the objects.
    private func needsRest(_ name: AttributeName) -> Bool {
        segment.descriptor(name, directory)?.isAlsoInRest ?? true
    }

    /// The object columns of which the rest is wanted as it is.
    private var wantedRests: [AttributeName.Root] {
        AttributeName.Root.allCases.filter { root in
            ColumnNumber.columns(of: segment.family).contains(root.restColumn)
                && attributes.contains { $0.root == root && needsRest($0) }
        }
    }

    /// What whole objects need beside their own columns, where they are selected.
    func objectDescriptors() -> [ColumnDescriptor] {
        AttributeName.Root.allCases.filter { has($0.restColumn) }.flatMap { segment.attributes(of: $0, directory) }
    }

    /// What the wanted attributes need.
    func attributeDescriptors() throws(SegmentError) -> [ColumnDescriptor] {
        var wanted = attributes.compactMap { segment.descriptor($0, directory) }
        for root in wantedRests { wanted.append(try descriptor(root.restColumn)) }
        return wanted
    }

    mutating func attributeBatch() throws(SegmentError) -> AttributeBatch {
        var columns: [AttributeColumn] = []
        for name in attributes {
            guard let descriptor = segment.descriptor(name, directory) else {
                columns.append(.none)
                continue
            }
            columns.append(try attributeColumn(descriptor))
        }
        var rests: [AttributeName.Root: ByteColumn] = [:]
        for root in wantedRests { rests[root] = try byteColumn(root.restColumn) }
        return AttributeBatch(columns: columns, objectRest: rests[.object], argumentsRest: rests[.arguments])
    }

    /// Whole canonical objects. Rows with the flag have one, others have none.
    mutating func objects(
        _ column: ColumnNumber, _ flags: [UInt16], announcedBy flag: EventFlags
    ) throws(SegmentError) -> ByteColumn? {
        guard has(column) else { return nil }
        let layout = try segment.objectLayout(of: column, directory)
        guard !layout.isEmpty else { return try strings(column, flags, announcedBy: flag) }
        var result = RebuiltObjects(rowCount: rows.count)
        // Many columns at once take much memory; few rows of them do not.
        let chunkRowCount = max(SegmentLimits.pageRowCountMax, Self.cellCountMax / layout.parts.count)
        if rows.count <= chunkRowCount {
            try rebuild(column, layout, flags[...], flag, into: &result)
            return result.column()
        }
        let all = rows
        defer { rows = all }
        for first in stride(from: all.lowerBound, to: all.upperBound, by: chunkRowCount) {
            rows = first..<min(first + chunkRowCount, all.upperBound)
            let local = rows.lowerBound - all.lowerBound..<rows.upperBound - all.lowerBound
            try rebuild(column, layout, flags[local], flag, into: &result)
        }
        return result.column()
    }

    private static let cellCountMax = 1 << 18

    private mutating func rebuild(
        _ column: ColumnNumber, _ layout: ObjectLayout, _ flags: ArraySlice<UInt16>, _ flag: EventFlags,
        into result: inout RebuiltObjects
    ) throws(SegmentError) {
        let rest = try byteColumn(column)
        var columns: [AttributeColumn] = []
        for part in layout.parts { columns.append(try attributeColumn(part.descriptor)) }
        var rebuilder = ObjectRebuilder(layout, columns, rowCount: rows.count)
        do throws(FormatError) {
            try rebuilder.append(rest, flags, flag, to: &result)
        } catch {
            throw segment.file.damage(at: try descriptor(column).offset, error)
        }
    }

    // MARK: One column

    /// The values of one attribute. Precondition: they were loaded.
    mutating func attributeColumn(_ descriptor: ColumnDescriptor) throws(SegmentError) -> AttributeColumn {
        let shape = ColumnNumber.Shape(rawValue: descriptor.shape)
        let kind = segment.attribute(descriptor).kind
        switch shape {
        case .code:
            return AttributeColumn(
                values: .codes(try codes(descriptor)), present: nil, mayBeInRest: descriptor.isAlsoInRest)
        case .bytes:
            return AttributeColumn(
                values: .strings(try byteColumn(descriptor)), present: nil, mayBeInRest: descriptor.isAlsoInRest)
        case .signed, .unsigned, .number, nil:
            var words: [UInt64] = []
            let present = try attributeWords(descriptor, shape ?? .unsigned, to: &words)
            let values: AttributeColumn.Values
            switch (kind, shape) {
            case (.boolean, _):
                guard words.allSatisfy({ $0 <= 1 }) else { throw damage(descriptor, "boolean") }
                values = .booleans(words.map { $0 != 0 })
            case (.number, _):
                let numbers = words.map { Double(bitPattern: $0) }
                guard numbers.allSatisfy(\.isFinite) else { throw damage(descriptor, "number") }
                values = .numbers(numbers)
            case (_, .signed): values = .signed(words.map { Int64(bitPattern: $0) })
            default: values = .unsigned(words)
            }
            return AttributeColumn(
                values: values, present: present.contains(false) ? present : nil,
                mayBeInRest: descriptor.isAlsoInRest)
        }
    }

    private func damage(_ descriptor: ColumnDescriptor, _ reason: StaticString) -> SegmentError {
        segment.file.damage(at: descriptor.offset, .invalid(reason))
    }

    /// Appends the values of the wanted rows, 0 where there is none, and returns which rows have one.
    private mutating func attributeWords(
        _ descriptor: ColumnDescriptor, _ shape: ColumnNumber.Shape, to words: inout [UInt64]
    ) throws(SegmentError) -> [Bool] {
        var present: [Bool] = []
        words.reserveCapacity(rows.count)
        present.reserveCapacity(rows.count)
        let rows = rows
        for page in descriptor.pages where page.rows.overlaps(rows) {
            let wanted = page.rows.clamped(to: rows)
            let local = wanted.lowerBound - page.firstRow..<wanted.upperBound - page.firstRow
            try unsafe withPayload(page, column: descriptor.number) {
                (self: inout Self, encoding, payload: UnsafeRawBufferPointer) throws(FormatError) in
                var pagePresent: [Bool] = []
                var values: [UInt64] = []
                swap(&values, &self.values)
                defer { swap(&values, &self.values) }
                try unsafe self.decode(encoding, payload, page.rowCount, shape, to: &values, &pagePresent)
                words.append(contentsOf: values[local])
                present.append(contentsOf: pagePresent[local])
            }
        }
        return present
    }

    private mutating func decode(
        _ encoding: PageEncoding, _ payload: UnsafeRawBufferPointer, _ count: Int, _ shape: ColumnNumber.Shape,
        to values: inout [UInt64], _ present: inout [Bool]
    ) throws(FormatError) {
        if values.isEmpty { values = [UInt64](repeating: 0, count: SegmentLimits.pageRowCountMax) }
        var target = values.mutableSpan
        try unsafe target.withUnsafeMutableBufferPointer {
            (buffer: UnsafeMutableBufferPointer<UInt64>) throws(FormatError) in
            guard let start = buffer.baseAddress else { return }
            try unsafe integers.decode(encoding, payload, count: count, shape: shape, to: start, present: &present)
        }
    }
}
