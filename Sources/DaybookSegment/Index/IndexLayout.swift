internal import DaybookFormat

/// The parts of a verified index. Spec: docs/format/index.md.
struct IndexLayout: Equatable, Sendable {
    static let headerByteCount = 40
    static let sectionByteCount = 12
    static let magic: UInt32 = 0x4942_4444  // "DDBI" in the file
    static let version: UInt32 = 1
    static let sectionCountMax = 64

    /// The strings of one column: sorted hashes, then for each as many bytes of row group bits.
    struct Section: Equatable, Sendable {
        var column: UInt16
        var entryCount: Int
        /// Bytes of the set of row groups of one entry; 0 when there is one row group only.
        var setByteCount: Int
        var offset: Int
    }

    var rowGroupCount: Int
    var sections: [Section]

    /// Checks the whole index, and that it is of this segment.
    init(verifying bytes: RawSpan, of segment: SegmentReader) throws(FormatError) {
        var reader = ByteReader()
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let version = try reader.uint32(bytes)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        guard try reader.uint64(bytes) == UInt64(bytes.byteCount) else { throw .invalid("index length") }
        guard try reader.uint64(bytes) == segment.byteCount else { throw .invalid("segment length") }
        guard try reader.uint32(bytes) == segment.footerChecksum else { throw .invalid("segment checksum") }
        rowGroupCount = Int(try reader.uint32(bytes))
        guard rowGroupCount == segment.rowGroupCount else { throw .invalid("row group count") }
        let sectionCount = Int(try reader.uint32(bytes))
        guard sectionCount <= Self.sectionCountMax else { throw .invalid("section count") }
        let expected = try reader.uint32(bytes)
        let found = crc32c(
            bytes.extracting(Self.headerByteCount..<bytes.byteCount),
            continuing: crc32c(bytes.extracting(0..<Self.headerByteCount - 4)))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        sections = []
        var offset = Self.headerByteCount + sectionCount * Self.sectionByteCount
        for _ in 0..<sectionCount {
            let column = try reader.uint16(bytes)
            let setByteCount = Int(try reader.uint16(bytes))
            let entryCount = Int(try reader.uint32(bytes))
            guard try reader.uint32(bytes) == 0 else { throw .invalid("index reserved field") }
            guard setByteCount == Self.setByteCount(rowGroupCount) else { throw .invalid("row group set") }
            sections.append(
                Section(column: column, entryCount: entryCount, setByteCount: setByteCount, offset: offset))
            offset += entryCount * (4 + setByteCount)
        }
        guard offset == bytes.byteCount else { throw .invalid("index length") }
    }

    static func setByteCount(_ rowGroupCount: Int) -> Int { rowGroupCount <= 1 ? 0 : (rowGroupCount + 7) / 8 }

    func section(_ column: ColumnNumber) -> Section? { sections.first { $0.column == column.rawValue } }
}

extension IndexLayout.Section {
    /// The row groups of `hash`. Precondition: the index was verified.
    func rowGroups(of hash: UInt32, in bytes: RawSpan, rowGroupCount: Int) -> [Int] {
        var low = 0
        var high = entryCount
        while low < high {
            let middle = (low + high) / 2
            if entry(middle, bytes) < hash { low = middle + 1 } else { high = middle }
        }
        guard low < entryCount, entry(low, bytes) == hash else { return [] }
        guard setByteCount > 0 else { return [0] }
        let set = offset + 4 * entryCount + low * setByteCount
        return (0..<rowGroupCount).filter { bytes.byte(at: set + $0 / 8) & 1 << UInt8($0 % 8) != 0 }
    }

    private func entry(_ position: Int, _ bytes: RawSpan) -> UInt32 {
        let start = offset + 4 * position
        precondition(start >= 0 && start <= bytes.byteCount - 4)
        return UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self))
    }
}
