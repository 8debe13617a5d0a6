internal import DaybookEvent
internal import DaybookFormat

/// Wide columns, a page at a time: what a page of a list needs.
extension SegmentReader {
    /// The strings of single rows, of those wide columns that are selected.
    /// - Parameter flags: of these rows; they say who has a value.
    func sparseStrings(
        _ rows: [Int], _ flags: [UInt16], _ directory: RowGroupDirectory, _ selection: ColumnSelection
    ) throws(SegmentError) -> [ColumnNumber: ByteColumn] {
        var result: [ColumnNumber: ByteColumn] = [:]
        let columns = ColumnNumber.columns(of: family)
        for (column, flag) in Self.announcedStrings(of: family)
        where selection.contains(column.selection) && columns.contains(column) {
            result[column] =
                try objectLayout(of: column, directory).isEmpty
                ? try sparseStrings(rows, flags, directory, column, flag)
                : try sparseObjects(rows, flags, directory, column, flag)
        }
        return result
    }

    private static func announcedStrings(of family: Family) -> [(ColumnNumber, EventFlags)] {
        [
            (.errorMessage, .errorMessage), (.arguments, .commandArguments),
            (.object, family == .commandExecution ? .commandContext : .object),
        ]
    }

    /// - Parameter mayBeMissing: rows with the flag may have no value, as what is left of an object may be nothing.
    func sparseStrings(
        _ rows: [Int], _ flags: [UInt16], _ directory: RowGroupDirectory, _ column: ColumnNumber, _ flag: EventFlags,
        mayBeMissing: Bool = false
    ) throws(SegmentError) -> ByteColumn {
        guard let descriptor = directory.column(column) else {
            let offset = footer.rowGroups[directory.rowGroup].directoryOffset
            throw file.damage(at: offset, .invalid("directory without a column"))
        }
        var bytes: [UInt8] = []
        var offsets: [UInt32] = [0]
        var present: [Bool] = []
        offsets.reserveCapacity(rows.count + 1)
        present.reserveCapacity(rows.count)
        var number = 0
        var page: ByteColumn?
        for (index, row) in rows.enumerated() {
            let isPresent = flags[index] & flag.rawValue != 0
            present.append(isPresent)
            if isPresent {
                while descriptor.pages[number].rows.upperBound <= row {
                    number += 1
                    page = nil
                }
                let strings: ByteColumn
                if let page {
                    strings = page
                } else {
                    strings = try readStrings(number, descriptor, column, directory)
                    page = strings
                }
                let local = row - descriptor.pages[number].firstRow
                guard strings.isPresent(local) || mayBeMissing else {
                    throw file.damage(at: descriptor.offset, .invalid("missing value"))
                }
                present[index] = strings.isPresent(local)
                strings.withBytes(local) { bytes.append($0) }
                guard bytes.count <= SegmentLimits.columnByteCountMax else {
                    throw file.damage(at: descriptor.offset, .invalid("column length"))
                }
            }
            offsets.append(UInt32(bytes.count))
        }
        return ByteColumn(bytes: bytes, offsets: offsets, present: present.allSatisfy { $0 } ? nil : present)
    }

    /// One page of a wide column, out of the cache if it is there.
    private func readStrings(
        _ number: Int, _ descriptor: ColumnDescriptor, _ column: ColumnNumber, _ directory: RowGroupDirectory
    ) throws(SegmentError) -> ByteColumn {
        let key = PageCache.Key(
            owner: owner, rowGroup: directory.rowGroup, page: number, kind: PageCache.Key.strings(of: column))
        if case .strings(let known)? = pages?.find([key])[0] { return known }
        var reader = try RowGroupReader(self, directory, rows: descriptor.pages[number].rows, stringsOf: column)
        let strings = try reader.byteColumn(column)
        guard case .strings(let kept)? = pages?.insert(key, .strings(strings)) else { return strings }
        return kept
    }
}

extension ColumnBatch {
    /// Takes some rows of the columns of `other` that neither the cache nor `sparseStrings` knows.
    mutating func gatherRest(of other: ColumnBatch, at rows: [Int]) {
        if !other.commandsExecuted.isEmpty { commandsExecuted = rows.map { other.commandsExecuted[$0] } }
        agentsUsed = other.agentsUsed?.gathering(rows)
    }

    mutating func replace(_ column: ColumnNumber, _ codes: CodeColumn) {
        switch column {
        case .user: users = codes
        case .name: names = codes
        case .kind: kinds = codes
        case .session: sessions = codes
        case .team: teams = codes
        default: preconditionFailure("not a code column")
        }
    }
}

extension ByteColumn {
    func gathering(_ rows: [Int]) -> ByteColumn {
        var bytes: [UInt8] = []
        var offsets: [UInt32] = [0]
        for row in rows {
            bytes.append(contentsOf: self.bytes[range(row)])
            offsets.append(UInt32(bytes.count))
        }
        return ByteColumn(bytes: bytes, offsets: offsets, present: present.map { all in rows.map { all[$0] } })
    }
}
