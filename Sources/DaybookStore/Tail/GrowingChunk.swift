internal import DaybookFormat
internal import DaybookSegment

/// The last rows of a family in a tail, while they are fewer than a chunk. Readers get them as copies in pieces: of 4,096,
/// 2,048, 1,024 and 512 rows, and the rest. A piece is copied again only when its rows become part of a larger one, so each
/// row is copied a few times, however often the tail is extended.
struct GrowingChunk: Sendable {
    /// Few enough that what grows, and is there twice, takes a small part of the budget.
    static let rowCountMax = 2_048
    private static let pieceRowCountMin = 512
    /// A chunk of long events ends early.
    private static let byteCountMax = 4 << 20

    private var builder: ColumnBatchBuilder
    private var pieces: [(rows: Range<Int>, chunk: TailChunk)] = []

    init(_ family: Family, schemaVersion: UInt8) {
        builder = ColumnBatchBuilder(family: family, schemaVersion: schemaVersion)
    }

    mutating func append(sequence: UInt64, arrival: Timestamp, encoding: RawSpan) throws(FormatError) {
        try builder.append(sequence: sequence, arrival: arrival, encoding: encoding)
    }

    /// Memory of the builder, whose arrays have room to grow: half as much again on average.
    var byteCount: Int { builder.byteCount / 2 * 3 }
    /// Memory of the builder and of the pieces that readers will get.
    var byteCountWithPieces: Int { builder.byteCount / 2 * 5 }
    var isLong: Bool { builder.byteCount >= Self.byteCountMax }

    /// All rows in one chunk, in arrays without room to grow. Precondition: at least one row.
    mutating func whole() -> TailChunk { TailChunk(builder.batch(rows: 0..<builder.rowCount)) }

    /// The rows so far, in pieces.
    mutating func publish() -> [TailChunk] {
        var next: [(rows: Range<Int>, chunk: TailChunk)] = []
        for rows in Self.pieceRows(builder.rowCount) {
            if let known = pieces.first(where: { $0.rows == rows }) {
                next.append(known)
            } else {
                next.append((rows, TailChunk(builder.batch(rows: rows))))
            }
        }
        pieces = next
        return next.map(\.chunk)
    }

    static func pieceRows(_ rowCount: Int) -> [Range<Int>] {
        var rows: [Range<Int>] = []
        var start = 0
        var size = rowCountMax
        while size >= pieceRowCountMin {
            while rowCount - start >= size {
                rows.append(start..<start + size)
                start += size
            }
            size /= 2
        }
        if start < rowCount { rows.append(start..<rowCount) }
        return rows
    }
}
