internal import DaybookFormat
internal import DaybookSystem

/// Free-form objects as columns: those of the attributes, then what is left of the objects.
extension RowGroupWriter {
    mutating func appendObjects(
        _ column: ByteColumn, _ root: AttributeName.Root, _ rowGroup: Int, _ policy: AttributePolicy,
        _ directory: inout RowGroupDirectory, _ output: inout PageOutput
    ) throws(DiskError) -> ByteColumn {
        guard let threshold = policy.threshold(rowCount: column.rowCount) else { return column }
        // A writer waits long for its next row group: what it holds meanwhile is not to be the tape.
        defer { shredder = ObjectShredder() }
        shredder.read(column)
        var plan = shredder.plan(root, threshold: threshold)
        var isNumbered: [PlannedAttribute] = []
        for index in plan.indices {
            guard let number = schema.number(of: plan[index].attribute) else { continue }
            plan[index].columnNumber = number
            isNumbered.append(plan[index])
        }
        guard !isNumbered.isEmpty else { return column }
        isNumbered.sort { $0.columnNumber < $1.columnNumber }
        for planned in isNumbered {
            let start = output.offset
            var descriptor = ColumnDescriptor(
                number: planned.columnNumber, shape: planned.shape.rawValue, offset: start, byteCount: 0,
                zone: ColumnZone(), dictionaryPages: [], pages: [], isAlsoInRest: planned.isAlsoInRest)
            if planned.attribute.kind == .string {
                try appendAttributeStrings(planned, column, rowGroup, &descriptor, &output)
            } else {
                try appendAttributeValues(planned, column.rowCount, rowGroup, &descriptor, &output)
            }
            descriptor.byteCount = Int(output.offset - start)
            directory.columns.append(descriptor)
        }
        return shredder.rest(of: column, without: isNumbered.map { ($0.node, $0.leaves) })
    }

    private mutating func appendAttributeValues(
        _ planned: PlannedAttribute, _ rowCount: Int, _ rowGroup: Int, _ descriptor: inout ColumnDescriptor,
        _ output: inout PageOutput
    ) throws(DiskError) {
        var words = [UInt64](repeating: 0, count: rowCount)
        var present = [Bool](repeating: false, count: rowCount)
        for leaf in planned.leaves {
            let isWhole = planned.shape == .number && leaf == .small
            shredder.tape.forEach(planned.node, leaf) { row, word in
                words[row] = isWhole ? Double(Int64(bitPattern: word)).bitPattern : word
                present[row] = true
            }
        }
        for rows in Self.pageRows(rowCount) {
            values.removeAll(keepingCapacity: true)
            for row in rows where present[row] { values.append(words[row]) }
            payload.removeAll(keepingCapacity: true)
            let (encoding, zone) = attributes.append(
                values, present: present[rows], shape: planned.shape, to: &payload)
            let page = try output.appendPage(
                encoding, column: descriptor.number, rowGroup: rowGroup, rows: rows, payload: payload, zone: zone,
                savingDivisor: Self.integerSavingDivisor)
            if descriptor.pages.isEmpty {
                descriptor.zone = zone
            } else {
                descriptor.zone.merge(
                    zone, rowCount: rows.count, doneCount: rows.lowerBound, shape: planned.shape)
            }
            descriptor.pages.append(page)
        }
    }

    private mutating func appendAttributeStrings(
        _ planned: PlannedAttribute, _ source: ByteColumn, _ rowGroup: Int, _ descriptor: inout ColumnDescriptor,
        _ output: inout PageOutput
    ) throws(DiskError) {
        if let column = attributeCodes(planned, source) {
            return try appendCodes(column, rowGroup, &descriptor, &output)
        }
        descriptor.shape = ColumnNumber.Shape.bytes.rawValue
        try appendStrings(attributeStrings(planned, source), rowGroup, &descriptor, &output)
    }

    /// Nil when nearly all strings are distinct: a dictionary would be a detour.
    private func attributeCodes(_ planned: PlannedAttribute, _ source: ByteColumn) -> CodeColumn? {
        var interner = StringInterner()
        var codes = [UInt32](repeating: CodeColumn.missing, count: source.rowCount)
        var count = 0
        var isDistinct = false
        var unescaped: [UInt8] = []
        source.bytes.withRawSpan { bytes in
            shredder.tape.forEach(planned.node, .string) { row, word in
                guard !isDistinct else { return }
                let range = AttributeLeaf.stringRange(word)
                if AttributeLeaf.isEscaped(word) {
                    unescaped = EscapedKey.unescaped(bytes.toArray(range))
                    codes[row] = unescaped.withRawSpan { interner.code(of: $0) }
                } else {
                    codes[row] = interner.code(of: bytes.extracting(range))
                }
                count += 1
                if count & 1_023 == 0 { isDistinct = Self.isNearlyDistinct(interner.count, of: count) }
            }
        }
        guard !isDistinct, !Self.isNearlyDistinct(interner.count, of: count) else { return nil }
        return CodeColumn(table: interner.table(), codes: codes)
    }

    private static func isNearlyDistinct(_ distinctCount: Int, of count: Int) -> Bool {
        distinctCount * 4 > count * 3
    }

    private func attributeStrings(_ planned: PlannedAttribute, _ source: ByteColumn) -> ByteColumn {
        var bytes: [UInt8] = []
        var offsets: [UInt32] = [0]
        var present = [Bool](repeating: false, count: source.rowCount)
        source.bytes.withRawSpan { all in
            shredder.tape.forEach(planned.node, .string) { row, word in
                while offsets.count <= row { offsets.append(UInt32(bytes.count)) }
                let text = all.extracting(AttributeLeaf.stringRange(word))
                if AttributeLeaf.isEscaped(word) {
                    bytes += EscapedKey.unescaped(text.toArray())
                } else {
                    bytes.append(text)
                }
                present[row] = true
            }
        }
        while offsets.count <= source.rowCount { offsets.append(UInt32(bytes.count)) }
        return ByteColumn(bytes: bytes, offsets: offsets, present: present)
    }
}
