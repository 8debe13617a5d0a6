internal import DaybookFormat

/// Writes pages of attributes: values that some rows lack, and doubles that are short decimal fractions.
struct AttributePageEncoder {
    private var integers = IntegerPageEncoder()
    private var scaled: [UInt64] = []
    private var plain: [UInt8] = []
    private var decimal: [UInt8] = []

    /// Appends the payload of a page.
    /// - Parameters:
    ///   - values: those that are there.
    ///   - present: of each row, whether it has one.
    mutating func append(
        _ values: [UInt64], present: ArraySlice<Bool>, shape: ColumnNumber.Shape, to payload: inout [UInt8]
    ) -> (encoding: PageEncoding, zone: ColumnZone) {
        precondition(!present.isEmpty && present.count <= SegmentLimits.pageRowCountMax)
        guard values.count < present.count else { return append(values, shape: shape, to: &payload) }
        payload.append(littleEndian: UInt32(values.count))
        var zone = ColumnZone()
        if !values.isEmpty {
            Self.appendBitmap(present, to: &payload)
            let place = payload.count
            payload.append(0)
            let (encoding, found) = append(values, shape: shape, to: &payload)
            payload[place] = encoding.rawValue
            zone = found
        }
        zone.missingCount = present.count - values.count
        return (.optional, zone)
    }

    private static func appendBitmap(_ present: ArraySlice<Bool>, to payload: inout [UInt8]) {
        var word: UInt64 = 0
        var bit: UInt64 = 0
        for isPresent in present {
            if isPresent { word |= 1 &<< bit }
            bit += 1
            if bit == 64 {
                payload.append(littleEndian: word)
                word = 0
                bit = 0
            }
        }
        if bit > 0 { payload.append(littleEndian: word) }
    }

    private mutating func append(
        _ values: [UInt64], shape: ColumnNumber.Shape, to payload: inout [UInt8]
    ) -> (encoding: PageEncoding, zone: ColumnZone) {
        guard shape == .number else {
            return unsafe values.withUnsafeBufferPointer {
                unsafe integers.append($0, signed: shape == .signed, to: &payload)
            }
        }
        plain.removeAll(keepingCapacity: true)
        var (encoding, zone) = unsafe values.withUnsafeBufferPointer {
            unsafe integers.append($0, signed: false, to: &plain)
        }
        zone.setNumbers(values)
        guard encoding != .constant, let scale = scale(of: values) else {
            payload.append(contentsOf: plain)
            return (encoding, zone)
        }
        decimal.removeAll(keepingCapacity: true)
        let (inner, _) = unsafe scaled.withUnsafeBufferPointer {
            unsafe integers.append($0, signed: true, to: &decimal)
        }
        guard decimal.count + 2 < plain.count else {
            payload.append(contentsOf: plain)
            return (encoding, zone)
        }
        payload.append(UInt8(scale))
        payload.append(inner.rawValue)
        payload.append(contentsOf: decimal)
        encoding = .decimal
        return (encoding, zone)
    }

    /// The decimal places that all values have at most, and in `scaled` the values without the point; nil when some
    /// value is no short fraction.
    private mutating func scale(of values: [UInt64]) -> Int? {
        var scale = 0
        for value in values {
            let number = Double(bitPattern: value)
            while DecimalScale.scaled(number, by: DecimalScale.power(scale)) == nil {
                scale += 1
                guard scale <= Self.scaleMax else { return nil }
            }
        }
        scaled.removeAll(keepingCapacity: true)
        let power = DecimalScale.power(scale)
        for value in values {
            guard let whole = DecimalScale.scaled(Double(bitPattern: value), by: power) else { return nil }
            scaled.append(UInt64(bitPattern: whole))
        }
        return scale
    }

    private static let scaleMax = 15
}

extension ColumnZone {
    /// Sets both ends to the least and the greatest of the doubles of which `values` are the bit patterns.
    fileprivate mutating func setNumbers(_ values: [UInt64]) {
        var low = Double(bitPattern: values[0])
        var high = low
        for value in values {
            low = Swift.min(low, Double(bitPattern: value))
            high = Swift.max(high, Double(bitPattern: value))
        }
        min = low.bitPattern
        max = high.bitPattern
    }

    /// Widens the zone of an attribute by that of a page with `rowCount` rows. Precondition: `self` is of `doneCount`
    /// rows.
    mutating func merge(_ other: ColumnZone, rowCount: Int, doneCount: Int, shape: ColumnNumber.Shape) {
        let missing = missingCount + other.missingCount
        if other.missingCount < rowCount {
            if missingCount == doneCount {
                self = other
            } else if shape == .number {
                let low = Swift.min(Double(bitPattern: min), Double(bitPattern: other.min))
                let high = Swift.max(Double(bitPattern: max), Double(bitPattern: other.max))
                merge(other, signed: false)
                min = low.bitPattern
                max = high.bitPattern
            } else {
                merge(other, signed: shape == .signed)
            }
        }
        missingCount = missing
    }
}
