internal import DaybookFormat

/// The parts of a verified index. Spec: docs/format/index.md.
struct IndexLayout: Equatable, Sendable {
    static let headerByteCount = 40
    static let magic: UInt32 = 0x4942_4444  // "DDBI" in the file
    static let version: UInt32 = 2
    static let sectionCountMax = 64

    enum Content: Equatable, Sendable {
        case sets(SetSection)
        case filters(FilterSection)
    }

    struct Section: Equatable, Sendable {
        var subject: IndexSubject
        var content: Content
        /// Distinct values; of filters added up over the pages.
        var valueCount: Int
        /// With the description.
        var byteCount: Int
    }

    /// Of one subject none or one.
    var sections: [Section] = []

    /// Checks the whole index, and that it is of this segment.
    init(verifying bytes: RawSpan, of shape: IndexShape) throws(FormatError) {
        var reader = ByteReader()
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let version = try reader.uint32(bytes)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        guard try reader.uint64(bytes) == UInt64(bytes.byteCount) else { throw .invalid("index length") }
        guard try reader.uint64(bytes) == shape.segmentByteCount else { throw .invalid("segment length") }
        guard try reader.uint32(bytes) == shape.footerChecksum else { throw .invalid("segment checksum") }
        guard Int(try reader.uint32(bytes)) == shape.rowGroupCount else { throw .invalid("row group count") }
        let sectionCount = Int(try reader.uint32(bytes))
        guard sectionCount <= Self.sectionCountMax else { throw .invalid("section count") }
        let expected = try reader.uint32(bytes)
        let found = crc32c(
            bytes.extracting(Self.headerByteCount..<bytes.byteCount),
            continuing: crc32c(bytes.extracting(0..<Self.headerByteCount - 4)))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        var offset = Self.headerByteCount + sectionCount * IndexSection.descriptionByteCount
        for _ in 0..<sectionCount {
            try readSection(&reader, bytes, contentAt: &offset, shape)
        }
        guard offset == bytes.byteCount else { throw .invalid("index length") }
    }

    /// A subject or a kind that this code does not know is skipped.
    private mutating func readSection(
        _ reader: inout ByteReader, _ bytes: RawSpan, contentAt offset: inout Int, _ shape: IndexShape
    ) throws(FormatError) {
        let subject = IndexSubject(rawValue: try reader.uint16(bytes))
        let kind = IndexSection.Kind(rawValue: try reader.uint8(bytes))
        let setNumberByteCount = Int(try reader.uint8(bytes))
        let valueCount = Int(try reader.uint32(bytes))
        let unitCount = Int(try reader.uint32(bytes))
        let byteCount = Int(try reader.uint32(bytes))
        let unreadSet = Int(try reader.uint32(bytes)) - 1
        guard byteCount <= bytes.byteCount - offset else { throw .invalid("index section length") }
        let range = offset..<offset + byteCount
        offset = range.upperBound
        guard let subject, let kind else { return }
        guard section(subject) == nil else { throw .invalid("index subject") }
        let content: Content
        switch kind {
        case .sets:
            content = .sets(
                try SetSection(
                    hashCount: valueCount, setCount: unitCount, setNumberByteCount: setNumberByteCount,
                    unreadSet: unreadSet < 0 ? nil : unreadSet, range: range, in: bytes))
        case .filters:
            guard setNumberByteCount == 0, unreadSet < 0 else { throw .invalid("index reserved field") }
            content = .filters(
                try FilterSection(pageCount: shape.pageCount, blockCount: unitCount, range: range, in: bytes))
        }
        sections.append(
            Section(
                subject: subject, content: content, valueCount: valueCount,
                byteCount: byteCount + IndexSection.descriptionByteCount))
    }

    func section(_ subject: IndexSubject) -> Section? { sections.first { $0.subject == subject } }
}
