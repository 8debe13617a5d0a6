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
        var bytes = [UInt8](magic: Self.magic, version: Self.version, byteCount: Self.byteCount)
        bytes.append(littleEndian: storeID)
        bytes.append(littleEndian: createdAt.microseconds)
        bytes.append(littleEndian: UInt32(0))
        bytes.appendChecksum()
        return bytes
    }

    /// Reads a whole identity file.
    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        storeID = try reader.uint64(bytes)
        createdAt = Timestamp(microseconds: try reader.int64(bytes))
        try reader.readReserved("store identity reserved field", bytes)
        try reader.readChecksum(bytes)
        guard reader.isAtEnd(bytes) else { throw .invalid("store identity length") }
    }
}
