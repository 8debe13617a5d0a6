package import DaybookFormat

/// A number of an event: exact as an integer from -2^63 to 2^64-1, else the nearest double.
///
/// One value has one form: `negative` is below zero, and `double` is finite and never an integer in that range. Make
/// one from a double with `init(_: Double)`, which keeps the rule.
package enum EventNumber: Equatable, Sendable {
    case unsigned(UInt64)
    case negative(Int64)
    case double(Double)

    /// Bytes of the encoded form: a tag, then eight bytes little-endian.
    package static let byteCount = 9

    /// The nearest double; exact below 2^53.
    package var doubleValue: Double {
        switch self {
        case .unsigned(let value): Double(value)
        case .negative(let value): Double(value)
        case .double(let value): value
        }
    }

    /// The one form of `value`, -0 being 0; nil for infinities and NaN.
    package init?(_ value: Double) {
        guard value.isFinite else { return nil }
        if let integer = UInt64(exactly: value) {
            self = .unsigned(integer)
        } else if let integer = Int64(exactly: value) {
            self = .negative(integer)
        } else {
            self = .double(value)
        }
    }

    package init(_ value: Int64) {
        self = value < 0 ? .negative(value) : .unsigned(UInt64(value))
    }

    /// Reads the encoded form; throws unless it is the one form of its value.
    package init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        let tag = try reader.uint8(bytes)
        let word = try reader.uint64(bytes)
        switch tag {
        case 0:
            self = .unsigned(word)
        case 1:
            let value = Int64(bitPattern: word)
            guard value < 0 else { throw .invalid("number") }
            self = .negative(value)
        case 2:
            let value = Double(bitPattern: word)
            guard let number = EventNumber(value), case .double = number else { throw .invalid("number") }
            self = number
        default:
            throw .invalid("number")
        }
    }

    package var tag: UInt8 {
        switch self {
        case .unsigned: 0
        case .negative: 1
        case .double: 2
        }
    }

    /// The eight bytes after the tag, as a word.
    package var bitPattern: UInt64 {
        switch self {
        case .unsigned(let value): value
        case .negative(let value): UInt64(bitPattern: value)
        case .double(let value): value.bitPattern
        }
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(tag)
        bytes.append(littleEndian: bitPattern)
    }
}
