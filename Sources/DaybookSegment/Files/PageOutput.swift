internal import DaybookFormat
internal import DaybookSystem

/// Writes pages one behind the other, in large pieces.
struct PageOutput {
    private static let bufferByteCount = 256 << 10

    private let file: any DiskFile
    private var buffer: [UInt8] = []
    /// Where the buffer will stand in the file.
    private var bufferOffset: UInt64 = 0
    private let effort: Compression.Effort
    private var compressed: [UInt8] = []
    /// CRC-32C of the checksums of all pages so far.
    private(set) var rootChecksum: UInt32 = 0
    private(set) var pageCount: UInt64 = 0

    init(file: any DiskFile, effort: Compression.Effort) {
        self.file = file
        self.effort = effort
        buffer.reserveCapacity(Self.bufferByteCount)
    }

    var offset: UInt64 { bufferOffset + UInt64(buffer.count) }

    mutating func append(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }

    /// Appends one page, compressed when that saves at least one byte in `savingDivisor`.
    mutating func appendPage(
        _ encoding: PageEncoding, column: UInt16, rowGroup: Int, rows: Range<Int>, payload: [UInt8], zone: ColumnZone,
        savingDivisor: Int
    ) throws(DiskError) -> PageDescriptor {
        compressed.removeAll(keepingCapacity: true)
        // Tiny pages are not worth the attempt.
        let limit = payload.count < 64 ? 0 : payload.count - max(1, payload.count / savingDivisor)
        let isCompressed = Compression.append(payload, effort: effort, limit: limit, to: &compressed)
        let stored = isCompressed ? compressed : payload
        let header = PageHeader(
            encoding: encoding, isCompressed: isCompressed, column: column, rowGroup: UInt32(rowGroup),
            firstRow: UInt32(rows.lowerBound), rowCount: rows.count, encodedByteCount: payload.count,
            storedByteCount: stored.count)
        let start = offset
        let checksum = header.append(to: &buffer, payload: stored)
        rootChecksum = Self.continueRoot(rootChecksum, with: checksum)
        pageCount += 1
        if buffer.count >= Self.bufferByteCount { try flush() }
        return PageDescriptor(
            offset: start, firstRow: rows.lowerBound, rowCount: rows.count, storedByteCount: stored.count,
            checksum: checksum, zone: zone)
    }

    static func continueRoot(_ root: UInt32, with checksum: UInt32) -> UInt32 {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: checksum)
        return crc32c(bytes, continuing: root)
    }

    /// The first four bytes of the root field, little-endian 1. A root of another algorithm is not ours to compare.
    static let rootAlgorithm: [UInt8] = [1, 0, 0, 0]

    /// The root field of the footer: the algorithm, the checksum, how many pages it covers, zeros.
    static func rootField(_ checksum: UInt32, pageCount: UInt64) -> [UInt8] {
        var bytes = rootAlgorithm
        bytes.append(littleEndian: checksum)
        bytes.append(littleEndian: pageCount)
        bytes.append(contentsOf: repeatElement(0, count: SegmentFooter.rootByteCount - bytes.count))
        return bytes
    }

    mutating func flush() throws(DiskError) {
        guard !buffer.isEmpty else { return }
        try buffer.withRawSpan { (bytes: RawSpan) throws(DiskError) in try file.write(bytes, at: bufferOffset) }
        file.startWriting(Int(bufferOffset)..<Int(bufferOffset) + buffer.count)
        bufferOffset += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Everything to the disk.
    mutating func synchronize() throws(DiskError) {
        try flush()
        try file.synchronize()
    }

    func close() { file.close() }
}
