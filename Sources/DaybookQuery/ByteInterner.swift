internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment

/// Gives every distinct value of a dimension a code, in order of appearance, as far as a query may go.
struct ByteInterner: Sendable {
    private var strings = StringInterner()

    var bytes: [UInt8] { strings.bytes }
    var count: Int { strings.count }

    /// Bytes in memory, about.
    var byteCount: Int { strings.byteCount }

    func range(of code: UInt32) -> Range<Int> { strings.range(of: code) }

    /// The code of `source[range]`. Throws, as all below, when all strings together become too many bytes.
    mutating func code(of source: [UInt8], _ range: Range<Int>) throws(QueryError) -> UInt32 {
        let code = source.withRawSpan { strings.code(of: $0.extracting(range)) }
        try check()
        return code
    }

    /// The code of a string of a dictionary, whose hashes are at hand.
    mutating func code(
        of string: UInt32, in table: StringTable, _ hashes: [UInt32]
    ) throws(QueryError) -> UInt32 {
        let code = strings.code(of: string, in: table, hashes)
        try check()
        return code
    }

    /// The code of what another part of a scan calls `string`.
    mutating func code(of string: UInt32, in other: ByteInterner) throws(QueryError) -> UInt32 {
        let code = strings.code(of: string, in: other.strings)
        try check()
        return code
    }

    private func check() throws(QueryError) {
        guard strings.bytes.count <= QueryLimits.dimensionByteCountMax else {
            throw .outOfMemory(limit: QueryLimits.dimensionByteCountMax)
        }
    }

    /// Appends a string as JSON.
    func append(_ code: UInt32, to writer: inout JSONWriter) {
        strings.withBytes(of: code) { writer.string($0) }
    }

    /// For every code its place in the order of the strings' bytes.
    func ranks() -> [UInt32] { strings.ranks() }
}
