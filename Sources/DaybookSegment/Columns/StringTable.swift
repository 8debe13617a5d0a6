internal import DaybookFormat
private import Synchronization

/// The distinct byte strings of a column, each with its code: its position. Immutable, so that batches share it; two
/// code columns with the same table (`===`) have comparable codes.
package final class StringTable: Sendable {
    package let bytes: [UInt8]
    /// `count + 1` ends: string `code` is `bytes[offsets[code]..<offsets[code + 1]]`.
    package let offsets: [UInt32]
    /// Nil until somebody asks.
    private let knownHashes: Mutex<[UInt32]?>

    package static let empty = StringTable(bytes: [], offsets: [0])

    /// Precondition: `offsets` begins with 0, never falls, and ends with `bytes.count`.
    package convenience init(bytes: [UInt8], offsets: [UInt32]) {
        self.init(bytes: bytes, offsets: offsets, hashes: nil)
    }

    /// - Parameter hashes: what `StringInterner.hash` says of each string, where that is known.
    init(bytes: [UInt8], offsets: [UInt32], hashes: [UInt32]?) {
        precondition(offsets.first == 0)
        precondition(Int(offsets[offsets.count - 1]) == bytes.count)
        precondition(hashes == nil || hashes?.count == offsets.count - 1)
        self.bytes = bytes
        self.offsets = offsets
        knownHashes = Mutex(hashes)
    }

    /// A hash of each string, for `StringInterner`: made once, because a dictionary is met again by question after
    /// question.
    package var hashes: [UInt32] {
        knownHashes.withLock { known in
            if let known { return known }
            var hashes: [UInt32] = []
            hashes.reserveCapacity(count)
            unsafe bytes.withUnsafeBytes { bytes in
                for code in 0..<UInt32(count) {
                    unsafe hashes.append(StringInterner.hash(UnsafeRawBufferPointer(rebasing: bytes[range(of: code)])))
                }
            }
            known = hashes
            return hashes
        }
    }

    package var count: Int { offsets.count - 1 }

    /// Precondition: `code < count`.
    package func range(of code: UInt32) -> Range<Int> {
        Int(offsets[Int(code)])..<Int(offsets[Int(code) + 1])
    }

    /// Lends the bytes of one string. Precondition: `code < count`.
    package func withBytes<R, E: Error>(of code: UInt32, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try bytes.withRawSpan { (all: RawSpan) throws(E) -> R in try body(all.extracting(range(of: code))) }
    }

    /// A copy as text. Precondition: `code < count`.
    package func text(_ code: UInt32) -> String {
        bytes.withRawSpan { $0.text(range(of: code)) }
    }

    /// The code of `wanted`, or nil. Complexity: O(n), n strings; ask once per batch, not once per row.
    package func code(of wanted: [UInt8]) -> UInt32? {
        for code in 0..<UInt32(count) where range(of: code).count == wanted.count {
            if bytes[range(of: code)].elementsEqual(wanted) { return code }
        }
        return nil
    }
}

/// One code per row into a table.
package struct CodeColumn: Sendable {
    /// The code of a row that has no value. Different from a row whose value is the empty string.
    package static let missing = UInt32.max

    package let table: StringTable
    /// Every code is below `table.count` or `missing`.
    package let codes: [UInt32]

    package init(table: StringTable, codes: [UInt32]) {
        self.table = table
        self.codes = codes
    }

    /// The value of a row as text; nil when it has none.
    package func text(_ row: Int) -> String? {
        codes[row] == Self.missing ? nil : table.text(codes[row])
    }
}
