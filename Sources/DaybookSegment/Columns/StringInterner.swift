private import DaybookFormat

/// Gives every distinct byte string a code, in order of first appearance, without making a `String` of any.
package struct StringInterner: Sendable {
    package private(set) var bytes: [UInt8] = []
    private(set) var offsets: [UInt32] = [0]
    /// Open table of codes plus one; 0 is empty. Its size is a power of two, at least twice the number of codes.
    private var slots = [UInt32](repeating: 0, count: 64)
    /// The low half of each code's hash, to compare before the bytes are and to grow without hashing again.
    private var hashes: [UInt32] = []
    private var latest: UInt32 = 0
    /// The table that was last shared; good as long as no string has come in since.
    private var shared: StringTable?

    package init() {}

    package var count: Int { hashes.count }

    /// Memory in use, about.
    package var byteCount: Int { bytes.count + 8 * hashes.count + 4 * slots.count }

    /// Where string `code` stands in `bytes`. Precondition: `code < count`.
    package func range(of code: UInt32) -> Range<Int> { Int(offsets[Int(code)])..<Int(offsets[Int(code) + 1]) }

    /// Lends the bytes of one string. Precondition: `code < count`.
    package func withBytes(of code: UInt32, _ body: (RawSpan) -> Void) {
        bytes.withRawSpan { body($0.extracting(range(of: code))) }
    }

    /// The code of `string`.
    package mutating func code(of string: RawSpan) -> UInt32 {
        unsafe string.withUnsafeBytes { unsafe code(of: $0) }
    }

    /// The code of a string whose hash is known already. Precondition: `table` has it, and `hashes` are its own.
    package mutating func code(of string: UInt32, in table: StringTable, _ hashes: [UInt32]) -> UInt32 {
        code(at: table.range(of: string), of: table.bytes, hash: hashes[Int(string)])
    }

    /// The code of a string of another interner. Precondition: it has it.
    package mutating func code(of string: UInt32, in other: StringInterner) -> UInt32 {
        code(at: other.range(of: string), of: other.bytes, hash: other.hashes[Int(string)])
    }

    private mutating func code(at range: Range<Int>, of source: [UInt8], hash: UInt32) -> UInt32 {
        precondition(range.upperBound <= source.count)
        return unsafe source.withUnsafeBytes {
            unsafe code(of: UnsafeRawBufferPointer(rebasing: $0[range]), hash: hash)
        }
    }

    /// What strings are told apart by before their bytes are compared.
    static func hash(_ string: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: unsafe FieldHash.ofProcess(string))
    }

    /// The code of `wanted`.
    mutating func code(of wanted: UnsafeRawBufferPointer) -> UInt32 {
        // Rows of one client come together: the string before is the best guess.
        if count > 0, unsafe equals(latest, wanted) { return latest }
        return unsafe code(of: wanted, hash: Self.hash(wanted))
    }

    private mutating func code(of wanted: UnsafeRawBufferPointer, hash: UInt32) -> UInt32 {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let code = slots[slot] - 1
            if hashes[Int(code)] == hash, unsafe equals(code, wanted) {
                latest = code
                return code
            }
            slot = (slot + 1) & mask
        }
        latest = UInt32(count)
        slots[slot] = latest + 1
        hashes.append(hash)
        unsafe bytes.append(contentsOf: wanted)
        offsets.append(UInt32(bytes.count))
        if count * 2 > slots.count { grow() }
        return latest
    }

    @inline(__always)
    private func equals(_ code: UInt32, _ wanted: UnsafeRawBufferPointer) -> Bool {
        let start = Int(offsets[Int(code)])
        guard Int(offsets[Int(code) + 1]) - start == wanted.count else { return false }
        return unsafe bytes.withUnsafeBytes { unsafe equalBytes($0, at: start, wanted) }
    }

    private mutating func grow() {
        let mask = slots.count * 4 - 1
        slots = [UInt32](repeating: 0, count: mask + 1)
        for (code, hash) in hashes.enumerated() {
            var slot = Int(hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(code) + 1
        }
    }

    func table() -> StringTable {
        if let shared, shared.count == count { return shared }
        return StringTable(bytes: bytes, offsets: offsets, hashes: hashes)
    }

    /// Makes `table()` give the same object until a new string comes in.
    mutating func share() { shared = table() }
}

/// Whether `wanted` stands in `bytes` at `start`. Precondition: `bytes` reaches that far.
@inline(__always)
func equalBytes(_ bytes: UnsafeRawBufferPointer, at start: Int, _ wanted: UnsafeRawBufferPointer) -> Bool {
    precondition(start >= 0 && wanted.count <= bytes.count - start)
    var offset = 0
    while offset &+ 8 <= wanted.count {
        let left = unsafe bytes.loadUnaligned(fromByteOffset: start &+ offset, as: UInt64.self)
        if unsafe wanted.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != left { return false }
        offset &+= 8
    }
    if wanted.count >= 8 {
        // The last word overlaps the one before.
        let last = wanted.count &- 8
        let left = unsafe bytes.loadUnaligned(fromByteOffset: start &+ last, as: UInt64.self)
        return unsafe wanted.loadUnaligned(fromByteOffset: last, as: UInt64.self) == left
    }
    while offset < wanted.count {
        if unsafe wanted[offset] != bytes[start &+ offset] { return false }
        offset &+= 1
    }
    return true
}
