internal import DaybookFormat
internal import DaybookSystem

/// A segment's bytes, with every failure turned into a `SegmentError` that names the place.
struct SegmentFile: Sendable {
    let path: String
    let byteCount: UInt64
    private let file: any DiskFile

    init(disk: any Disk, path: String) throws(SegmentError) {
        self.path = path
        do throws(DiskError) {
            file = try disk.open(path, .read)
            byteCount = try file.byteCount()
        } catch {
            throw .disk(error)
        }
    }

    /// A file that is open already.
    init(_ file: any DiskFile) throws(SegmentError) {
        self.file = file
        path = file.path
        do throws(DiskError) {
            byteCount = try file.byteCount()
        } catch {
            throw .disk(error)
        }
    }

    /// Exactly these bytes. A file that ends before is damaged.
    func read(_ wanted: Int, at offset: UInt64) throws(SegmentError) -> [UInt8] {
        precondition(wanted >= 0)
        let (end, overflow) = offset.addingReportingOverflow(UInt64(wanted))
        guard !overflow, end <= byteCount else {
            throw damage(
                at: offset, .truncated(needed: wanted, found: Int(clamping: byteCount - min(byteCount, offset))))
        }
        do throws(DiskError) {
            return try file.readExactly(wanted, at: offset)
        } catch {
            guard error.kind == .endOfFile else { throw .disk(error) }
            throw damage(at: offset, .truncated(needed: wanted, found: 0))
        }
    }

    func damage(at offset: UInt64, _ reason: FormatError) -> SegmentError {
        .corrupt(Corruption(file: path, offset: offset, reason: reason))
    }

    /// What `body` makes of bytes read at `offset`; its error becomes damage there.
    func decode<R>(
        _ bytes: [UInt8], at offset: UInt64, _ body: (RawSpan) throws(FormatError) -> R
    ) throws(SegmentError) -> R {
        do throws(FormatError) {
            return try bytes.withRawSpan(body)
        } catch {
            throw damage(at: offset, error)
        }
    }
}

extension PageHeader {
    /// Checks that the page which begins at `offset` is whole and the expected one, and returns its payload, expanded.
    static func payload(
        of bytes: RawSpan, at offset: Int = 0, column: UInt16, checksum: UInt32, encoding: PageEncoding
    ) throws(FormatError) -> [UInt8] {
        let header = try PageHeader(verifying: bytes, at: offset)
        guard header.checksum == checksum else { throw .checksum(expected: checksum, found: header.checksum) }
        guard header.encoding == encoding, header.column == column else { throw .invalid("page kind") }
        let stored = offset + byteCount..<offset + byteCount + Int(header.storedByteCount)
        guard header.isCompressed else { return bytes.toArray(stored) }
        var expanded: [UInt8] = []
        try unsafe bytes.extracting(stored).withUnsafeBytes { (source: UnsafeRawBufferPointer) throws(FormatError) in
            try unsafe Compression.expand(source, byteCount: Int(header.encodedByteCount), to: &expanded)
        }
        return expanded
    }
}
