/// A checked position in bytes that the caller holds. All integers are little-endian. Every read throws
/// `FormatError.truncated` instead of reaching past the end, and moves forward only when it succeeds.
///
/// The bytes are passed to each call because a type of ours that stores a span needs an experimental feature.
package struct ByteReader: Sendable {
    package private(set) var offset: Int

    package init(at offset: Int = 0) { self.offset = offset }

    @inline(__always)
    private mutating func take(_ byteCount: Int, _ bytes: RawSpan) throws(FormatError) -> Int {
        let start = offset
        guard byteCount >= 0, byteCount <= bytes.byteCount &- start else {
            throw .truncated(needed: byteCount, found: max(0, bytes.byteCount &- start))
        }
        offset = start &+ byteCount
        return start
    }

    package mutating func uint8(_ bytes: RawSpan) throws(FormatError) -> UInt8 {
        let start = try take(1, bytes)
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt8.self)
    }

    package mutating func uint16(_ bytes: RawSpan) throws(FormatError) -> UInt16 {
        let start = try take(2, bytes)
        return UInt16(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt16.self))
    }

    package mutating func uint32(_ bytes: RawSpan) throws(FormatError) -> UInt32 {
        let start = try take(4, bytes)
        return UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self))
    }

    package mutating func uint64(_ bytes: RawSpan) throws(FormatError) -> UInt64 {
        let start = try take(8, bytes)
        return UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
    }

    package mutating func int64(_ bytes: RawSpan) throws(FormatError) -> Int64 {
        Int64(bitPattern: try uint64(bytes))
    }

    /// LEB128, at most ten bytes, shortest form only (one value has one encoding).
    package mutating func varint(_ bytes: RawSpan) throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var next = self
        while true {
            let byte = try next.uint8(bytes)
            guard shift < 63 || byte <= 1 else { throw .invalid("varint") }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else { throw .invalid("varint") }
                self = next
                return value
            }
            shift += 7
        }
    }

    /// The range of the next `byteCount` bytes.
    package mutating func range(_ byteCount: Int, _ bytes: RawSpan) throws(FormatError) -> Range<Int> {
        let start = try take(byteCount, bytes)
        return start..<start &+ byteCount
    }

    /// A varint length, then that many bytes.
    package mutating func lengthPrefixedRange(_ bytes: RawSpan) throws(FormatError) -> Range<Int> {
        var next = self
        let length = try next.varint(bytes)
        guard let byteCount = Int(exactly: length) else {
            throw .truncated(needed: .max, found: bytes.byteCount - offset)
        }
        let range = try next.range(byteCount, bytes)
        self = next
        return range
    }

    package func isAtEnd(_ bytes: RawSpan) -> Bool { offset == bytes.byteCount }
}

extension RawSpan {
    /// A copy as an array.
    package func toArray() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }

    package func toArray(_ range: Range<Int>) -> [UInt8] { extracting(range).toArray() }

    /// The bytes as text; ill-formed UTF-8 becomes U+FFFD, so use it where the bytes were validated on the way in.
    package func text(_ range: Range<Int>) -> String {
        unsafe extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
