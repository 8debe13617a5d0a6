internal import DaybookFormat

/// How numbers of a block are stored: less their smallest, either all in one width, or each in its own width with the
/// widths before them. Spec: docs/format/rollup.md, "Numbers".
enum NumberColumn {
    /// Heads from here on mean: each number has its own width.
    private static let ownWidths: UInt8 = 128
    /// Widths of a number: 0 to 64.
    private static let widthBitsMax = 7

    @inline(__always)
    static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

    /// Precondition: not empty.
    static func append(_ values: [UInt64], to bytes: inout [UInt8]) {
        let base = values.min() ?? 0
        var widthMax = 0
        var widthMin = 64
        var ownBitCount = 0
        for value in values {
            let width = width(of: value - base)
            widthMax = max(widthMax, width)
            widthMin = min(widthMin, width)
            ownBitCount += max(0, width - 1)
        }
        let lengthWidth = self.width(of: UInt64(widthMax - widthMin))
        let ownByteCount = (values.count * lengthWidth + ownBitCount + 7) / 8 + 1
        let frameByteCount = (values.count * widthMax + 7) / 8
        var writer = BitWriter()
        guard ownByteCount < frameByteCount else {
            bytes.append(UInt8(widthMax))
            bytes.append(varint: base)
            for value in values { writer.append(value - base, width: widthMax) }
            bytes.append(contentsOf: writer.finish())
            return
        }
        bytes.append(ownWidths | UInt8(lengthWidth))
        bytes.append(varint: base)
        bytes.append(UInt8(widthMin))
        for value in values { writer.append(UInt64(width(of: value - base) - widthMin), width: lengthWidth) }
        for value in values {
            // The highest bit is always 1.
            let width = width(of: value - base)
            if width > 1 { writer.append((value - base) & ((1 << UInt64(width - 1)) - 1), width: width - 1) }
        }
        bytes.append(contentsOf: writer.finish())
    }

    /// Replaces `target` by the next `count` numbers. `padded` holds what `bytes` shows and the padding behind it.
    static func read(
        _ reader: inout ByteReader, _ bytes: RawSpan, padded: [UInt8], count: Int, to target: inout [UInt64]
    ) throws(FormatError) {
        let head = try reader.uint8(bytes)
        let base = try reader.varint(bytes)
        resize(&target, to: count)
        guard head >= ownWidths else {
            guard head <= 64 else { throw .invalid("number width") }
            let range = try reader.range((count * Int(head) + 7) / 8, bytes)
            unsafe padded.withUnsafeBytes { source in
                unsafe readFrame(
                    BitSource(source, byteCount: range.upperBound), at: range.lowerBound * 8, width: Int(head),
                    base: base, to: &target)
            }
            return
        }
        let lengthWidth = Int(head & ~ownWidths)
        guard lengthWidth <= widthBitsMax else { throw .invalid("number width") }
        let widthMin = Int(try reader.uint8(bytes))
        guard widthMin <= 64 else { throw .invalid("number width") }
        let lengths = try reader.range((count * lengthWidth + 7) / 8, bytes)
        let bitCount = unsafe padded.withUnsafeBytes { source in
            unsafe readOwn(
                BitSource(source, byteCount: bytes.byteCount), at: lengths.lowerBound * 8, lengthWidth: lengthWidth,
                widthMin: widthMin, base: base, to: &target)
        }
        guard let bitCount else { throw .invalid("number width") }
        reader = ByteReader(at: lengths.lowerBound)
        _ = try reader.range((bitCount + 7) / 8, bytes)
    }

    /// Moves behind the next `count` numbers.
    static func skip(
        _ reader: inout ByteReader, _ bytes: RawSpan, padded: [UInt8], count: Int, scratch: inout [UInt64]
    ) throws(FormatError) {
        var next = reader
        let head = try next.uint8(bytes)
        guard head < ownWidths else {
            return try read(&reader, bytes, padded: padded, count: count, to: &scratch)
        }
        guard head <= 64 else { throw .invalid("number width") }
        _ = try next.varint(bytes)
        _ = try next.range((count * Int(head) + 7) / 8, bytes)
        reader = next
    }

    private static func resize(_ target: inout [UInt64], to count: Int) {
        if target.count > count {
            target.removeLast(target.count - count)
        } else if target.count < count {
            target.append(contentsOf: repeatElement(0, count: count - target.count))
        }
    }

    @inline(__always)
    private static func readFrame(
        _ source: BitSource, at start: Int, width: Int, base: UInt64, to target: inout [UInt64]
    ) {
        unsafe target.withUnsafeMutableBufferPointer { target in
            var position = start
            for index in 0..<target.count {
                unsafe target[index] = source.bits(at: position, width: width) &+ base
                position &+= width
            }
        }
    }

    /// Returns how many bits were used, or nil when a width is impossible or the source ends too early.
    private static func readOwn(
        _ source: BitSource, at start: Int, lengthWidth: Int, widthMin: Int, base: UInt64, to target: inout [UInt64]
    ) -> Int? {
        unsafe target.withUnsafeMutableBufferPointer { target -> Int? in
            let end = unsafe source.end
            var position = start &+ target.count &* lengthWidth
            var lengthPosition = start
            for index in 0..<target.count {
                let width = widthMin &+ Int(unsafe source.bits(at: lengthPosition, width: lengthWidth))
                lengthPosition &+= lengthWidth
                guard width <= 64 else { return nil }
                guard width > 0 else {
                    unsafe target[index] = base
                    continue
                }
                guard position &+ width &- 1 <= end else { return nil }
                let low = unsafe source.bits(at: position, width: width &- 1)
                unsafe target[index] = (low | (1 as UInt64) &<< UInt64(width &- 1)) &+ base
                position &+= width &- 1
            }
            return position &- start
        }
    }
}
