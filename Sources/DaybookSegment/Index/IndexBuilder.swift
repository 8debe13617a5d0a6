internal import DaybookFormat

/// Builds the bytes of an index from the dictionaries of a segment: the same segment gives the same bytes.
enum IndexBuilder {
    /// Complexity: O(n log n), n the sum of the distinct strings of all row groups.
    static func build(_ segment: SegmentReader) throws(SegmentError) -> [UInt8] {
        let columns = SegmentIndex.columns.filter { ColumnNumber.columns(of: segment.family).contains($0) }
        let setByteCount = IndexLayout.setByteCount(segment.rowGroupCount)
        var descriptions: [UInt8] = []
        var content: [UInt8] = []
        for column in columns {
            let entryCount = try append(column, of: segment, setByteCount: setByteCount, to: &content)
            descriptions.append(littleEndian: column.rawValue)
            descriptions.append(littleEndian: UInt16(setByteCount))
            descriptions.append(littleEndian: UInt32(entryCount))
            descriptions.append(littleEndian: UInt32(0))
        }
        var bytes: [UInt8] = []
        bytes.append(littleEndian: IndexLayout.magic)
        bytes.append(littleEndian: IndexLayout.version)
        bytes.append(littleEndian: UInt64(IndexLayout.headerByteCount + descriptions.count + content.count))
        bytes.append(littleEndian: segment.byteCount)
        bytes.append(littleEndian: segment.footerChecksum)
        bytes.append(littleEndian: UInt32(segment.rowGroupCount))
        bytes.append(littleEndian: UInt32(columns.count))
        let checksum = crc32c(content, continuing: crc32c(descriptions, continuing: crc32c(bytes)))
        bytes.append(littleEndian: checksum)
        return bytes + descriptions + content
    }

    /// Appends the sorted hashes and the sets of one column, and returns how many there are.
    private static func append(
        _ column: ColumnNumber, of segment: SegmentReader, setByteCount: Int, to content: inout [UInt8]
    ) throws(SegmentError) -> Int {
        // Hash in the upper half, row group in the lower: sorting brings the row groups of a string together.
        var pairs: [UInt64] = []
        for rowGroup in 0..<segment.rowGroupCount {
            let directory = try segment.directory(rowGroup: rowGroup)
            var reader = try RowGroupReader(segment, directory, dictionaryOf: column)
            let table = try reader.table(try reader.descriptor(column))
            for code in 0..<UInt32(table.count) {
                let hash = table.withBytes(of: code) { FieldHash.ofIndex($0) }
                pairs.append(hash << 32 | UInt64(rowGroup))
            }
        }
        pairs.sort()
        var sets: [UInt8] = []
        var entryCount = 0
        var previous: UInt32?
        for pair in pairs {
            let hash = UInt32(truncatingIfNeeded: pair >> 32)
            let rowGroup = Int(UInt32(truncatingIfNeeded: pair))
            if hash != previous {
                content.append(littleEndian: hash)
                sets.append(contentsOf: repeatElement(0, count: setByteCount))
                entryCount += 1
                previous = hash
            }
            if setByteCount > 0 { sets[sets.count - setByteCount + rowGroup / 8] |= 1 << UInt8(rowGroup % 8) }
        }
        content.append(contentsOf: sets)
        return entryCount
    }
}
