internal import DaybookEvent
internal import DaybookFormat

/// A number of an event in as few bytes as it has digits. Spec: docs/format/rollup.md, "Values".
enum CompactNumber {
    /// Heads; a decimal adds the number of its places after the point.
    private static let unsigned: UInt8 = 0
    private static let negative: UInt8 = 1
    private static let double: UInt8 = 2
    private static let decimal: UInt8 = 16
    private static let negativeDecimal: UInt8 = 32
    private static let placeCountMax: UInt8 = 15
    /// Whole numbers up to here are doubles, and so are the powers of ten below: dividing one by the other rounds once.
    private static let digitsMax: UInt64 = 1 << 53

    static func append(_ number: EventNumber, to bytes: inout [UInt8]) {
        switch number {
        case .unsigned(let value):
            bytes.append(unsigned)
            bytes.append(varint: value)
        case .negative(let value):
            bytes.append(negative)
            bytes.append(varint: value.magnitude)
        case .double(let value):
            if let (digits, placeCount) = decimal(value.magnitude) {
                bytes.append((value < 0 ? negativeDecimal : decimal) + placeCount)
                bytes.append(varint: digits)
            } else {
                bytes.append(double)
                bytes.append(littleEndian: value.bitPattern)
            }
        }
    }

    private static func decimal(_ magnitude: Double) -> (digits: UInt64, placeCount: UInt8)? {
        for placeCount in 1...placeCountMax {
            let scaled = (magnitude * power(placeCount)).rounded()
            guard scaled <= Double(digitsMax) else { return nil }
            if scaled / power(placeCount) == magnitude { return (UInt64(scaled), placeCount) }
        }
        return nil
    }

    private static func power(_ exponent: UInt8) -> Double {
        var result: UInt64 = 1
        for _ in 0..<exponent { result *= 10 }
        return Double(result)
    }

    static func read(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> EventNumber {
        let head = try reader.uint8(bytes)
        switch head {
        case unsigned: return .unsigned(try reader.varint(bytes))
        case negative:
            let magnitude = try reader.varint(bytes)
            guard magnitude > 0, magnitude <= 1 << 63 else { throw .invalid("number") }
            return .negative(Int64(truncatingIfNeeded: 0 &- magnitude))
        case double: return try number(Double(bitPattern: try reader.uint64(bytes)))
        case decimal + 1...decimal + placeCountMax:
            return try number(try digits(&reader, bytes) / power(head - decimal))
        case negativeDecimal + 1...negativeDecimal + placeCountMax:
            return try number(-(try digits(&reader, bytes)) / power(head - negativeDecimal))
        default: throw .invalid("number")
        }
    }

    private static func digits(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> Double {
        let digits = try reader.varint(bytes)
        guard digits <= digitsMax else { throw .invalid("number") }
        return Double(digits)
    }

    private static func number(_ value: Double) throws(FormatError) -> EventNumber {
        guard let number = EventNumber(value), case .double = number else { throw .invalid("number") }
        return number
    }
}
