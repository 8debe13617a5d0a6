/// The first bytes of a journal file. Spec: docs/format/journal.md.
package struct JournalFileHeader: Equatable, Sendable {
    /// One sector, so that a torn header never reaches a frame.
    package static let byteCount = 512
    package static let magic: UInt32 = 0x4A42_4444  // "DDBJ" in the file
    package static let version: UInt32 = 2
    /// Positions behind it can be added up.
    private static let basePositionMax = UInt64(Int64.max)

    package var storeID: UInt64
    /// Position in the endless journal of the first byte after this header.
    package var basePosition: UInt64
    /// Made anew for every use of the file: frames of an earlier use do not parse.
    package var nonce: UInt64
    /// Rises by one at each use of any file, from 1; the files in this order are the journal. 0 marks a file that was
    /// zeroed completely and waits for its use.
    package var ordinal: UInt64

    package init(storeID: UInt64, basePosition: UInt64, nonce: UInt64, ordinal: UInt64) {
        self.storeID = storeID
        self.basePosition = basePosition
        self.nonce = nonce
        self.ordinal = ordinal
    }

    /// The header of a file that is zero behind it.
    package static func clean(storeID: UInt64) -> JournalFileHeader {
        JournalFileHeader(storeID: storeID, basePosition: 0, nonce: 0, ordinal: 0)
    }

    package func encoded() -> [UInt8] {
        var bytes = [UInt8](magic: Self.magic, version: Self.version, byteCount: Self.byteCount)
        bytes.append(littleEndian: storeID)
        bytes.append(littleEndian: basePosition)
        bytes.append(littleEndian: nonce)
        bytes.append(littleEndian: ordinal)
        bytes.appendChecksum()
        bytes.append(contentsOf: repeatElement(0, count: Self.byteCount - bytes.count))
        return bytes
    }

    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        storeID = try reader.uint64(bytes)
        basePosition = try reader.uint64(bytes)
        guard basePosition <= Self.basePositionMax else { throw .invalid("journal file position") }
        nonce = try reader.uint64(bytes)
        ordinal = try reader.uint64(bytes)
        try reader.readChecksum(bytes)
        for index in reader.offset..<min(bytes.byteCount, Self.byteCount) where bytes.byte(at: index) != 0 {
            throw .invalid("journal file header padding")
        }
    }
}

/// The header of one frame of the commit journal. Spec: docs/format/journal.md.
package struct JournalFrame: Equatable, Sendable {
    package static let headerByteCount = 48
    package static let magic: UInt32 = 0x4642_4444  // "DDBF" in the file

    package enum Kind: UInt8, Sendable {
        /// The payload is one group record.
        case group = 1
        /// No payload: says how far everything before it is durable. Written when the store goes idle.
        case watermark = 2
    }

    package var kind: Kind
    package var payloadByteCount: Int
    package var payloadChecksum: UInt32
    /// Position in the endless journal of this frame's first byte.
    package var position: UInt64
    package var log: LogID
    /// Everything before this position was durable when the frame was written: damage below it is corruption.
    package var durablePosition: UInt64

    package init(
        kind: Kind, payloadByteCount: Int, payloadChecksum: UInt32, position: UInt64, log: LogID,
        durablePosition: UInt64
    ) {
        self.kind = kind
        self.payloadByteCount = payloadByteCount
        self.payloadChecksum = payloadChecksum
        self.position = position
        self.log = log
        self.durablePosition = durablePosition
    }

    /// Of the whole frame with its end.
    package var byteCount: Int { Self.byteCount(payloadByteCount: payloadByteCount) }

    /// Frames start at multiples of eight, and at least one byte of end stands behind the payload.
    package static func byteCount(payloadByteCount: Int) -> Int { (headerByteCount + payloadByteCount + 8) & ~7 }

    /// The last byte of a frame: not zero, so that a write which stopped anywhere before it is told from one that was
    /// whole. A payload may end with zeroes of its own.
    package static let endMark: UInt8 = 0xDB

    /// Appends what stands behind the payload: zeroes, then the mark.
    package func appendEnd(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: repeatElement(0, count: byteCount - Self.headerByteCount - payloadByteCount - 1))
        bytes.append(Self.endMark)
    }

    /// Appends the header; its checksum is bound to the nonce of the file, so a frame of another use never fits.
    package func append(to bytes: inout [UInt8], nonce: UInt64) {
        let start = bytes.count
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: UInt32(kind.rawValue))  // and three bytes of zero
        bytes.append(littleEndian: UInt32(payloadByteCount))
        bytes.append(littleEndian: payloadChecksum)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: position)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: durablePosition)
        let seed = Self.seed(nonce)
        let checksum = unsafe crc32c(bytes.span.bytes.extracting(start + 4..<bytes.count), continuing: seed)
        bytes.store(littleEndian: checksum, at: start)
    }

    package init(reading bytes: RawSpan, at offset: Int, nonce: UInt64) throws(FormatError) {
        var reader = ByteReader(at: offset)
        let expected = try reader.uint32(bytes)
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        guard let kind = Kind(rawValue: try reader.uint8(bytes)) else { throw .invalid("journal frame kind") }
        let padding = try reader.range(3, bytes)
        for index in padding where bytes.byte(at: index) != 0 { throw .invalid("journal frame padding") }
        self.kind = kind
        payloadByteCount = Int(try reader.uint32(bytes))
        payloadChecksum = try reader.uint32(bytes)
        guard try reader.uint32(bytes) == 0 else { throw .invalid("journal frame reserved field") }
        position = try reader.uint64(bytes)
        log = LogID(try reader.uint64(bytes))
        durablePosition = try reader.uint64(bytes)
        let found = crc32c(
            bytes.extracting(offset + 4..<offset + Self.headerByteCount), continuing: Self.seed(nonce))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        guard payloadByteCount <= (kind == .group ? Limits.groupByteCountMax : 0) else {
            throw .invalid("journal frame length")
        }
    }

    private static func seed(_ nonce: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: nonce) ^ UInt32(truncatingIfNeeded: nonce >> 32)
    }
}

extension RawSpan {
    /// One byte, bounds-checked.
    package func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
