internal import DaybookFormat

extension IntegerPageDecoder {
    /// Writes `count` values to `target`, 0 for rows without one, and appends to `present` which rows have one.
    mutating func decode(
        _ encoding: PageEncoding, _ payload: UnsafeRawBufferPointer, count: Int, shape: ColumnNumber.Shape,
        to target: UnsafeMutablePointer<UInt64>, present: inout [Bool]
    ) throws(FormatError) {
        guard encoding == .optional else {
            present.append(contentsOf: repeatElement(true, count: count))
            return unsafe try decodeAll(encoding, payload, count: count, shape: shape, to: target)
        }
        var reader = unsafe BlockReader(payload)
        let valueCount = Int(try reader.uint32())
        guard valueCount < count else { throw .invalid("value count") }
        guard valueCount > 0 else {
            guard reader.isAtEnd else { throw .invalid("page payload length") }
            present.append(contentsOf: repeatElement(false, count: count))
            for row in 0..<count { unsafe target[row] = 0 }
            return
        }
        let first = present.count
        var presentCount = 0
        for word in 0..<(count + 63) / 64 {
            let bits = try reader.uint64()
            let bitCount = min(64, count - 64 * word)
            guard bitCount == 64 || bits >> UInt64(bitCount) == 0 else { throw .invalid("presence") }
            presentCount += bits.nonzeroBitCount
            for bit in 0..<UInt64(bitCount) { present.append(bits &>> bit & 1 != 0) }
        }
        guard presentCount == valueCount else { throw .invalid("presence") }
        guard let inner = PageEncoding(rawValue: try reader.uint8()) else { throw .invalid("page encoding") }
        unsafe try decodeAll(inner, reader.takeRest(), count: valueCount, shape: shape, to: target)
        // From behind, so that no value is overwritten before it has moved.
        var value = valueCount
        for row in (0..<count).reversed() {
            if present[first + row] {
                value -= 1
                unsafe target[row] = target[value]
            } else {
                unsafe target[row] = 0
            }
        }
    }

    private mutating func decodeAll(
        _ encoding: PageEncoding, _ payload: UnsafeRawBufferPointer, count: Int, shape: ColumnNumber.Shape,
        to target: UnsafeMutablePointer<UInt64>
    ) throws(FormatError) {
        guard encoding == .decimal, shape == .number else {
            return unsafe try decode(encoding, payload, count: count, to: target)
        }
        var reader = unsafe BlockReader(payload)
        let scale = Int(try reader.uint8())
        guard scale < DecimalScale.count else { throw .invalid("decimal scale") }
        guard let inner = PageEncoding(rawValue: try reader.uint8()) else { throw .invalid("page encoding") }
        unsafe try decode(inner, reader.takeRest(), count: count, to: target)
        let power = DecimalScale.power(scale)
        for row in 0..<count {
            let number = Double(Int64(bitPattern: unsafe target[row])) / power
            unsafe target[row] = number.bitPattern
        }
    }
}
