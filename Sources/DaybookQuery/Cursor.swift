internal import DaybookFormat

/// Where the next page of an answer begins, as opaque text.
///
/// A cursor carries the moment of the first page: the last sequence that was visible, the time range and the clock. Every
/// page is answered as of that moment. Events that arrive meanwhile, late ones included, are on no page, and sealing only
/// moves events from the tail into segments; so pages neither repeat nor skip anything.
struct Cursor: Equatable, Sendable {
    enum Kind: UInt8 {
        case aggregate = 1
        case list = 2
        case sessions = 3
    }

    var kind: Kind
    /// Of everything in the query but the page: a cursor of another query is refused.
    var queryHash: UInt64
    var range: TimeRange
    var asOfSequence: UInt64
    var now: Timestamp
    /// The last item of the page before: lists its time and sequence, aggregates the number of items so far and 0.
    var position: Position

    struct Position: Equatable, Comparable, Sendable {
        var primary: Int64
        var sequence: UInt64

        static func < (left: Position, right: Position) -> Bool {
            left.primary != right.primary ? left.primary < right.primary : left.sequence < right.sequence
        }
    }

    private static let version: UInt8 = 1
    private static let byteCount = 2 + 7 * 8 + 4

    var text: String {
        var bytes: [UInt8] = [Self.version, kind.rawValue]
        bytes.append(littleEndian: queryHash)
        bytes.append(littleEndian: range.start.microseconds)
        bytes.append(littleEndian: range.end.microseconds)
        bytes.append(littleEndian: asOfSequence)
        bytes.append(littleEndian: now.microseconds)
        bytes.append(littleEndian: position.primary)
        bytes.append(littleEndian: position.sequence)
        bytes.append(littleEndian: crc32c(bytes))
        return Base64URL.text(bytes)
    }

    /// Reads a cursor that must be of this kind and query.
    init(_ text: String, kind: Kind, queryHash: UInt64, lastSequence: UInt64) throws(QueryError) {
        guard let bytes = Base64URL.bytes(text), bytes.count == Self.byteCount,
            let cursor = bytes.withRawSpan({ (span: RawSpan) in try? Cursor(reading: span) }),
            cursor.kind == kind, cursor.queryHash == queryHash, cursor.asOfSequence <= lastSequence,
            // The checksum keeps out accidents only: a forged number of items must not reach an array.
            kind != .aggregate || (0...Int64(QueryLimits.groupCountMax)).contains(cursor.position.primary)
        else { throw .invalidCursor }
        self = cursor
    }

    init(
        kind: Kind, queryHash: UInt64, range: TimeRange, asOfSequence: UInt64, now: Timestamp, position: Position
    ) {
        self.kind = kind
        self.queryHash = queryHash
        self.range = range
        self.asOfSequence = asOfSequence
        self.now = now
        self.position = position
    }

    private init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        guard try reader.uint8(bytes) == Self.version, let kind = Kind(rawValue: try reader.uint8(bytes)) else {
            throw .invalid("cursor version")
        }
        self.kind = kind
        queryHash = try reader.uint64(bytes)
        let start = Timestamp(microseconds: try reader.int64(bytes))
        range = TimeRange(start: start, end: Timestamp(microseconds: try reader.int64(bytes)))
        asOfSequence = try reader.uint64(bytes)
        now = Timestamp(microseconds: try reader.int64(bytes))
        position = Position(primary: try reader.int64(bytes), sequence: try reader.uint64(bytes))
        let expected = try reader.uint32(bytes)
        let found = crc32c(bytes.extracting(0..<Self.byteCount - 4))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
    }
}

/// FNV-1a, 64 bits: tells queries apart, keeps nobody out.
func queryHash(of bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
}

/// RFC 4648 section 5, without padding.
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var buffer: UInt32 = 0
        var bitCount: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                text.append(alphabet[Int(buffer >> bitCount & 63)])
            }
        }
        if bitCount > 0 { text.append(alphabet[Int(buffer << (6 - bitCount) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for other characters, for an impossible length, and when unused bits are not zero.
    static func bytes(_ text: String) -> [UInt8]? {
        guard text.utf8.count % 4 != 1, text.utf8.count <= 1_024 else { return nil }
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bitCount: UInt32 = 0
        for character in text.utf8 {
            guard let value = value(of: character) else { return nil }
            buffer = buffer << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bitCount))
            }
        }
        return buffer & (1 << bitCount - 1) == 0 ? bytes : nil
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
