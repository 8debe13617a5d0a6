/// A 64-bit hash of a byte string under two keys: fast over short strings, and with secret keys hard to make collide.
/// With the fixed keys of docs/format/index.md it is what the index stores.
package struct FieldHash: Sendable {
    package let first: UInt64
    package let second: UInt64

    /// The keys on the format page.
    package static let ofIndex = FieldHash(first: 0x2D35_8DCC_AA6C_78A5, second: 0x8BB8_4B93_962E_ACC9)

    /// Keys that no client knows: drawn from the process's own hashing seed, so that nobody can send strings which
    /// all land in one slot. Results never depend on them.
    package static let ofProcess: FieldHash = {
        var hasher = Hasher()
        hasher.combine(1)
        let first = UInt64(bitPattern: Int64(hasher.finalize()))
        hasher = Hasher()
        hasher.combine(2)
        return FieldHash(first: first | 1, second: UInt64(bitPattern: Int64(hasher.finalize())) | 1)
    }()

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// Words of eight bytes, little-endian, the last one filled up with zeros; the length goes in first.
    package func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = Self.fold(first ^ UInt64(bytes.count), second)
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            state = Self.fold(state ^ word ^ first, second ^ state)
            offset &+= 8
        }
        if offset < bytes.count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while offset < bytes.count {
                word |= UInt64(unsafe bytes[offset]) &<< shift
                shift &+= 8
                offset &+= 1
            }
            state = Self.fold(state ^ word ^ first, second ^ state)
        }
        return Self.fold(state ^ first, second)
    }

    package func callAsFunction(_ bytes: RawSpan) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe self($0) }
    }
}
