/// Little-endian appends to a byte array; the mirror image of `ByteReader`.
extension [UInt8] {
    /// Lends the bytes as a span. Above floor 2, where nothing may be marked unsafe, this is the way to one.
    package func withRawSpan<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try unsafe body(span.bytes)
    }

    package mutating func append(littleEndian value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// LEB128, shortest form.
    package mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    package mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// A literal's bytes, without a `String` between.
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }

    package mutating func append(lengthPrefixed bytes: RawSpan) {
        append(varint: UInt64(bytes.byteCount))
        append(bytes)
    }

    package mutating func append(lengthPrefixed text: String) {
        append(varint: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Overwrites bytes already there. Precondition: they are.
    package mutating func store(littleEndian value: some FixedWidthInteger, at offset: Int) {
        let byteCount = value.bitWidth / 8
        precondition(offset >= 0 && offset <= count - byteCount)
        var rest = value.littleEndian
        unsafe Swift.withUnsafeBytes(of: &rest) { source in
            unsafe withUnsafeMutableBytes { target in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + byteCount]).copyMemory(
                    from: source)
            }
        }
    }
}
