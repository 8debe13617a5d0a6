internal import DaybookFormat

/// Chooses and writes the cheapest encoding of a page of integers. Keeps its scratch memory between pages.
struct IntegerPageEncoder {
    private var scratch: [UInt64] = []
    private var codes: [UInt64] = []
    private var distinct = DistinctValues()
    var patched = PatchedBlock()
    var differences: [UInt64] = []

    /// What one pass over the values tells.
    private struct Shape {
        var min: UInt64
        var max: UInt64
        var deltaMin: Int64 = .max
        var deltaMax: Int64 = .min
        var runCount = 1
        var runLengthMax = 1
    }

    /// Appends the payload of a page. Precondition: 1 to `pageRowCountMax` values.
    /// - Parameter patches: whether to look for values that are better written apart. It takes a few passes more.
    mutating func append(
        _ values: UnsafeBufferPointer<UInt64>, signed: Bool, patches: Bool = false, to payload: inout [UInt8]
    ) -> (encoding: PageEncoding, zone: ColumnZone) {
        precondition(values.count >= 1)
        precondition(values.count <= SegmentLimits.pageRowCountMax)
        let shape = unsafe Self.measure(values, signed: signed)
        var zone = ColumnZone()
        zone.min = shape.min
        zone.max = shape.max
        if shape.min == shape.max {
            zone.distinctHint = 1
            payload.append(littleEndian: shape.min)
            return (.constant, zone)
        }
        let count = values.count
        let width = BitPacking.width(of: shape.max &- shape.min)
        let deltaWidth = BitPacking.width(of: UInt64(bitPattern: shape.deltaMax &- shape.deltaMin))
        var best = (encoding: PageEncoding.plain, byteCount: 8 * count)
        func consider(_ encoding: PageEncoding, _ byteCount: Int) {
            if byteCount < best.byteCount { best = (encoding, byteCount) }
        }
        let head = Self.blockHeadByteCount
        consider(.frameOfReference, head + BitPacking.byteCount(count, width: width))
        consider(.delta, 8 + head + BitPacking.byteCount(count - 1, width: deltaWidth))
        let lengthWidth = BitPacking.width(of: UInt64(shape.runLengthMax - 1))
        consider(
            .runLength,
            4 + 2 * head + BitPacking.byteCount(shape.runCount, width: width)
                + BitPacking.byteCount(shape.runCount, width: lengthWidth))
        zone.distinctHint = unsafe distinct.count(values, limit: 256) ?? 0
        if zone.distinctHint > 0 {
            let codeWidth = BitPacking.width(of: UInt64(zone.distinctHint - 1))
            consider(
                .dictionary,
                4 + 2 * head + BitPacking.byteCount(zone.distinctHint, width: width)
                    + BitPacking.byteCount(count, width: codeWidth))
        }
        // Where a value takes a byte there is not much left to win.
        guard best.byteCount > count else {
            unsafe write(values, as: best.encoding, shape, to: &payload)
            return (best.encoding, zone)
        }
        let steps = unsafe Self.secondDifferences(values)
        if let steps { consider(.deltaOfDelta, 16 + head + BitPacking.byteCount(count - 2, width: steps.width)) }
        if patches, let found = unsafe patchedChoice(values, below: best.byteCount) {
            unsafe writePatched(values, found, to: &payload)
            return (found.encoding, zone)
        }
        if best.encoding == .deltaOfDelta, let steps {
            unsafe writeSecondDifferences(values, steps, to: &payload)
        } else {
            unsafe write(values, as: best.encoding, shape, to: &payload)
        }
        return (best.encoding, zone)
    }

    /// Base and width.
    private static let blockHeadByteCount = 9

    private static func measure(_ values: UnsafeBufferPointer<UInt64>, signed: Bool) -> Shape {
        // Signed values are compared unsigned after their sign bit is turned over.
        let flip: UInt64 = signed ? 1 << 63 : 0
        var previous = unsafe values[0]
        var low = previous ^ flip
        var high = low
        var shape = Shape(min: 0, max: 0)
        var runLength = 1
        for index in 1..<max(1, values.count) {
            let value = unsafe values[index]
            low = Swift.min(low, value ^ flip)
            high = Swift.max(high, value ^ flip)
            let delta = Int64(bitPattern: value &- previous)
            shape.deltaMin = Swift.min(shape.deltaMin, delta)
            shape.deltaMax = Swift.max(shape.deltaMax, delta)
            if delta == 0 {
                runLength += 1
            } else {
                shape.runCount += 1
                shape.runLengthMax = Swift.max(shape.runLengthMax, runLength)
                runLength = 1
            }
            previous = value
        }
        shape.runLengthMax = Swift.max(shape.runLengthMax, runLength)
        shape.min = low ^ flip
        shape.max = high ^ flip
        return shape
    }

    private mutating func write(
        _ values: UnsafeBufferPointer<UInt64>, as encoding: PageEncoding, _ shape: Shape, to payload: inout [UInt8]
    ) {
        switch encoding {
        case .plain:
            unsafe BitPacking.append(values, base: 0, width: 64, to: &payload)
        case .frameOfReference:
            let width = BitPacking.width(of: shape.max &- shape.min)
            unsafe Self.appendBlock(values, base: shape.min, width: width, to: &payload)
        case .delta:
            payload.append(littleEndian: unsafe values[0])
            scratch.removeAll(keepingCapacity: true)
            for index in 1..<values.count { scratch.append(unsafe values[index] &- values[index - 1]) }
            let width = BitPacking.width(of: UInt64(bitPattern: shape.deltaMax &- shape.deltaMin))
            unsafe scratch.withUnsafeBufferPointer {
                unsafe Self.appendBlock($0, base: UInt64(bitPattern: shape.deltaMin), width: width, to: &payload)
            }
        case .runLength:
            unsafe writeRuns(values, shape, to: &payload)
        case .dictionary:
            unsafe writeDictionary(values, shape, to: &payload)
        case .constant, .optional, .decimal, .patched, .patchedDelta, .deltaOfDelta, .plainBytes, .dictionaryBytes,
            .footer,
            .directory:
            preconditionFailure("not a choice for integers")
        }
    }

    private mutating func writeRuns(_ values: UnsafeBufferPointer<UInt64>, _ shape: Shape, to payload: inout [UInt8]) {
        scratch.removeAll(keepingCapacity: true)
        codes.removeAll(keepingCapacity: true)
        var start = 0
        for index in 1...values.count {
            if index < values.count, unsafe values[index] == values[index - 1] { continue }
            scratch.append(unsafe values[start])
            codes.append(UInt64(index - start - 1))
            start = index
        }
        precondition(scratch.count == shape.runCount)
        payload.append(littleEndian: UInt32(shape.runCount))
        let width = BitPacking.width(of: shape.max &- shape.min)
        unsafe scratch.withUnsafeBufferPointer {
            unsafe Self.appendBlock($0, base: shape.min, width: width, to: &payload)
        }
        Self.appendBlock(codes, to: &payload)
    }

    private mutating func writeDictionary(
        _ values: UnsafeBufferPointer<UInt64>, _ shape: Shape, to payload: inout [UInt8]
    ) {
        unsafe distinct.codes(of: values, base: shape.min, sorted: &scratch, codes: &codes)
        payload.append(littleEndian: UInt32(scratch.count))
        let width = BitPacking.width(of: shape.max &- shape.min)
        unsafe scratch.withUnsafeBufferPointer {
            unsafe Self.appendBlock($0, base: shape.min, width: width, to: &payload)
        }
        Self.appendBlock(codes, to: &payload)
    }

    static func appendBlock(
        _ values: UnsafeBufferPointer<UInt64>, base: UInt64, width: Int, to payload: inout [UInt8]
    ) {
        payload.append(littleEndian: base)
        payload.append(UInt8(width))
        unsafe BitPacking.append(values, base: base, width: width, to: &payload)
    }

    /// A block of small numbers: base 0, as wide as the largest needs.
    static func appendBlock(_ values: [UInt64], to payload: inout [UInt8]) {
        let width = BitPacking.width(of: values.max() ?? 0)
        unsafe values.withUnsafeBufferPointer { unsafe appendBlock($0, base: 0, width: width, to: &payload) }
    }
}
