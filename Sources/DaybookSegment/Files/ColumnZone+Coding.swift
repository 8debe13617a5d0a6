internal import DaybookFormat

extension ColumnZone {
    /// Appends the zone; minima as the distance from `origin`, which is small for a page of a known column.
    func append(to bytes: inout [UInt8], from origin: UInt64 = 0) {
        bytes.append(varint: UInt64(missingCount))
        bytes.append(varint: UInt64(distinctHint))
        bytes.append(varint: min &- origin)
        bytes.append(varint: max &- min)
    }

    init(_ reader: inout ByteReader, _ bytes: RawSpan, from origin: UInt64 = 0) throws(FormatError) {
        missingCount = try reader.count(bytes, max: Int(Int32.max))
        distinctHint = try reader.count(bytes, max: Int(Int32.max))
        min = try reader.varint(bytes) &+ origin
        max = try reader.varint(bytes) &+ min
    }
}

extension ByteReader {
    /// A varint that is at most `max`.
    mutating func count(_ bytes: RawSpan, max: Int) throws(FormatError) -> Int {
        let value = try varint(bytes)
        guard let count = Int(exactly: value), count <= max else { throw .invalid("count") }
        return count
    }
}
