/// What the headers of our files have in common: the magic number and the version come first, the checksum of all
/// before it comes last, and a reserved word often stands before that.
extension ByteReader {
    /// A file of one kind, in the only version that is understood.
    package mutating func readMagic(_ magic: UInt32, version: UInt32, _ bytes: RawSpan) throws(FormatError) {
        let found = try uint32(bytes)
        guard found == magic else { throw .badMagic(found) }
        let foundVersion = try uint32(bytes)
        guard foundVersion == version else { throw .unsupportedVersion(foundVersion) }
    }

    /// A file of one kind, in a version that is understood; returns which.
    package mutating func readMagic(
        _ magic: UInt32, versions: ClosedRange<UInt32>, _ bytes: RawSpan
    ) throws(FormatError) -> UInt32 {
        let found = try uint32(bytes)
        guard found == magic else { throw .badMagic(found) }
        let version = try uint32(bytes)
        guard versions.contains(version) else { throw .unsupportedVersion(version) }
        return version
    }

    /// A word that is zero until a version gives it a meaning.
    package mutating func readReserved(_ field: StaticString, _ bytes: RawSpan) throws(FormatError) {
        guard try uint32(bytes) == 0 else { throw .invalid(field) }
    }

    /// The checksum of everything from the start of `bytes` to here.
    package mutating func readChecksum(_ bytes: RawSpan) throws(FormatError) {
        let covered = 0..<offset
        let expected = try uint32(bytes)
        let found = crc32c(bytes.extracting(covered))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
    }
}

extension RawSpan {
    /// Where everything before the checksum that ends a file is, after comparing it.
    /// - Parameter headerByteCount: the file is at least as long, and its checksum.
    package func verifiedBody(headerByteCount: Int) throws(FormatError) -> Range<Int> {
        guard byteCount >= headerByteCount + 4 else {
            throw .truncated(needed: headerByteCount + 4, found: byteCount)
        }
        var trailer = ByteReader(at: byteCount - 4)
        try trailer.readChecksum(self)
        return 0..<byteCount - 4
    }
}

extension [UInt8] {
    /// The beginning of a header that will be `byteCount` bytes long.
    package init(magic: UInt32, version: UInt32, byteCount: Int) {
        self = []
        reserveCapacity(byteCount)
        append(littleEndian: magic)
        append(littleEndian: version)
    }

    /// Appends the checksum of all that is there.
    package mutating func appendChecksum() { append(littleEndian: crc32c(self)) }
}
