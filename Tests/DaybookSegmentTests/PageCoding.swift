import DaybookFormat

@testable import DaybookSegment

/// Encodes and decodes single pages, for tests.
enum PageCoding {
    static func encode(
        _ values: [UInt64], signed: Bool = false, patches: Bool = false
    ) -> (PageEncoding, [UInt8], ColumnZone) {
        var encoder = IntegerPageEncoder()
        var payload: [UInt8] = []
        let (encoding, zone) = values.withUnsafeBufferPointer {
            encoder.append($0, signed: signed, patches: patches, to: &payload)
        }
        return (encoding, payload, zone)
    }

    static func decode(_ encoding: PageEncoding, _ payload: [UInt8], count: Int) throws(FormatError) -> [UInt64] {
        var decoder = IntegerPageDecoder()
        // Exactly as long as needed, so that a store past the end is a store into the guard value.
        var values = [UInt64](repeating: 0xDEAD, count: count + 1)
        var failure: FormatError?
        payload.withUnsafeBytes { source in
            values.withUnsafeMutableBufferPointer { target in
                do throws(FormatError) {
                    try decoder.decode(encoding, source, count: count, to: target.baseAddress!)
                } catch { failure = error }
            }
        }
        precondition(values[count] == 0xDEAD)
        if let failure { throw failure }
        return Array(values.dropLast())
    }

    static func encode(_ strings: [[UInt8]?]) -> (PageEncoding, [UInt8], ColumnZone) {
        var encoder = BytePageEncoder()
        var payload: [UInt8] = []
        let (encoding, zone) = encoder.append(column(strings), rows: 0..<strings.count, to: &payload)
        return (encoding, payload, zone)
    }

    static func column(_ strings: [[UInt8]?]) -> ByteColumn {
        var offsets: [UInt32] = [0]
        var bytes: [UInt8] = []
        for string in strings {
            bytes += string ?? []
            offsets.append(UInt32(bytes.count))
        }
        return ByteColumn(
            bytes: bytes, offsets: offsets, present: strings.contains(nil) ? strings.map { $0 != nil } : nil)
    }

    static func decodeStrings(
        _ encoding: PageEncoding, _ payload: [UInt8], count: Int, wanted: Range<Int>? = nil
    ) throws(FormatError) -> [[UInt8]?] {
        var decoder = BytePageDecoder()
        var rows = ByteColumnRows(expectedRowCount: count, expectedByteCount: 0)
        var failure: FormatError?
        payload.withUnsafeBytes { source in
            do throws(FormatError) {
                try decoder.decode(encoding, source, count: count, wanted: wanted ?? 0..<count, to: &rows)
            } catch { failure = error }
        }
        if let failure { throw failure }
        let column = rows.column()
        return (0..<column.rowCount).map { column[$0] }
    }
}
