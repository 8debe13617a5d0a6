/// What makes a directory a store: the file `identity.dbh`, written last when a store is made and never changed.
/// Spec: docs/format/manifest.md, "Store identity".
package struct StoreIdentity: Equatable, Sendable {
    package static let byteCount = 32
    package static let magic: UInt32 = 0x4842_4444  // "DDBH" in the file
    /// Version of the directory's layout as a whole; each file kind has its own beside it.
    package static let version: UInt32 = 1

    /// Random; every journal file repeats it, so that a file of another store is not taken for one of ours.
    package var storeID: UInt64
    package var createdAt: Timestamp

    package init(storeID: UInt64, createdAt: Timestamp) {
        self.storeID = storeID
        self.createdAt = createdAt
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: storeID)
        bytes.append(littleEndian: createdAt.microseconds)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    /// Reads a whole identity file.
    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let version = try reader.uint32(bytes)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        storeID = try reader.uint64(bytes)
        createdAt = Timestamp(microseconds: try reader.int64(bytes))
        guard try reader.uint32(bytes) == 0 else { throw .invalid("store identity reserved field") }
        let expected = try reader.uint32(bytes)
        let found = crc32c(bytes.extracting(0..<Self.byteCount - 4))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        guard reader.isAtEnd(bytes) else { throw .invalid("store identity length") }
    }
}
