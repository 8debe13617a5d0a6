/// Whether bytes are UTF-8 (RFC 3629). Most of a body is ASCII, which is seen 32 bytes at a time.
enum UTF8Text {
    /// Offset of the first sequence that is not UTF-8; nil when all are.
    static func firstInvalidByte(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        let bytes = unsafe UnsafeRawPointer(start)
        var offset = 0
        while offset < count {
            while offset &+ 32 <= count {
                let words = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
                guard (words[0] | words[1] | words[2] | words[3]) & 0x8080_8080_8080_8080 == 0 else { break }
                offset &+= 32
            }
            // The stretch of which one byte at least is not ASCII, or the last one.
            let end = min(offset &+ 32, count)
            while offset < end {
                if unsafe start[offset] < 0x80 {
                    offset &+= 1
                } else {
                    let length = unsafe sequenceByteCount(start + offset, available: count &- offset)
                    guard length > 0 else { return offset }
                    offset &+= length
                }
            }
        }
        return nil
    }

    /// Bytes of a sequence that does not begin with an ASCII byte; 0 when it is none: cut, too long for what it says, a
    /// surrogate, or beyond U+10FFFF. Table 3-7 of the Unicode Standard.
    private static func sequenceByteCount(_ bytes: UnsafePointer<UInt8>, available: Int) -> Int {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch unsafe bytes[0] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard length <= available, unsafe second.contains(bytes[1]) else { return 0 }
        for index in 2..<max(2, length) where unsafe bytes[index] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
