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
        var bytes = [UInt8](magic: Self.magic, version: Self.version, byteCount: Self.byteCount)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: UInt32(0))
        bytes.appendChecksum()
        return bytes
    }

    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        log = LogID(try reader.uint64(bytes))
        firstSequence = try reader.uint64(bytes)
        try reader.readReserved("log file header reserved field", bytes)
        try reader.readChecksum(bytes)
    }
}
