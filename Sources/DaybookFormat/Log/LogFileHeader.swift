/// The first bytes of a log file. Spec: docs/format/log.md.
package struct LogFileHeader: Equatable, Sendable {
    package static let byteCount = 32
    package static let magic: UInt32 = 0x4C42_4444  // "DDBL" in the file
    package static let version: UInt32 = 1

    package var log: LogID
    package var firstSequence: UInt64

    package init(log: LogID, firstSequence: UInt64) {
        self.log = log
        self.firstSequence = firstSequence
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let version = try reader.uint32(bytes)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        log = LogID(try reader.uint64(bytes))
        firstSequence = try reader.uint64(bytes)
        guard try reader.uint32(bytes) == 0 else { throw .invalid("log file header reserved field") }
        let expected = try reader.uint32(bytes)
        let found = crc32c(bytes.extracting(0..<Self.byteCount - 4))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
    }
}
