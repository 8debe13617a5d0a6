internal import DaybookFormat

/// Text with gaps for numbers, put together once and filled in for each of many values that look alike. What stands
/// between the gaps is copied, not printed anew.
package struct JSONForm: Sendable {
    /// The pieces, one behind the other. A gap is behind each of them but the last.
    private(set) var bytes: [UInt8] = []
    private(set) var pieceEnds: [Int] = []

    package init() {}

    package var gapCount: Int { pieceEnds.count }

    /// Text that stands in every filled form, as it is.
    package mutating func text(_ text: StaticString) {
        for offset in 0..<text.utf8CodeUnitCount { bytes.append(unsafe text.utf8Start[offset]) }
    }

    /// The name of a member, behind another one unless it is the first.
    package mutating func key(_ name: [UInt8], isFirst: Bool = false) {
        var writer = JSONWriter(byteCapacity: name.count + 16)
        if !isFirst { writer.raw(",") }
        writer.key(name)
        writer.withBytes { bytes.append($0) }
    }

    package mutating func gap() { pieceEnds.append(bytes.count) }
}

/// What fills a gap.
package struct JSONNumber: Sendable {
    fileprivate let value: UInt128
    /// Below 0 for null.
    fileprivate let decimals: Int

    private init(_ value: UInt128, _ decimals: Int) {
        self.value = value
        self.decimals = decimals
    }

    package static let null = JSONNumber(0, -1)

    package static func integer(_ value: UInt64) -> JSONNumber { JSONNumber(UInt128(value), 0) }
    package static func integer(_ value: UInt128) -> JSONNumber { JSONNumber(value, 0) }

    /// `value` divided by ten to the power of `decimals`, exactly, without trailing zeros.
    package static func decimal(_ value: UInt128, decimals: Int) -> JSONNumber {
        precondition(decimals >= 0)
        return JSONNumber(value, decimals)
    }
}

extension JSONNumber {
    /// Whether it is null or fits `ByteSink.write` in `writtenByteCountMax` bytes.
    @inline(__always)
    fileprivate var isShort: Bool {
        value >> 64 == 0 && (decimals == 0 || decimals == 6 || decimals == 9 || decimals < 0)
    }

    /// 20 digits and a point.
    fileprivate static let writtenByteCountMax = 24
}

extension JSONWriter {
    /// Appends the text of the form with a number in each gap. A comma is not written before it, but before the next value.
    /// Precondition: as many numbers as gaps.
    package mutating func fill(_ form: JSONForm, _ numbers: [JSONNumber]) {
        precondition(numbers.count == form.gapCount)
        if numbers.allSatisfy({ $0.isShort }) { fillShort(form, numbers) } else { fillLong(form, numbers) }
        needsComma = true
    }

    /// Appends the text before one gap; the value is the next thing to append. Precondition: there is such a gap.
    package mutating func piece(_ gap: Int, of form: JSONForm) {
        let start = gap == 0 ? 0 : form.pieceEnds[gap - 1]
        let byteCount = form.pieceEnds[gap] - start
        unsafe sink.append(upTo: byteCount) { target in
            unsafe form.bytes.withUnsafeBufferPointer { text in
                guard let text = text.baseAddress else { return 0 }
                unsafe copyApart(from: text + start, to: target, byteCount)
                return byteCount
            }
        }
        needsComma = false
    }

    private mutating func fillLong(_ form: JSONForm, _ numbers: [JSONNumber]) {
        form.bytes.withRawSpan { text in
            var start = 0
            for (position, number) in numbers.enumerated() {
                let end = form.pieceEnds[position]
                raw(text.extracting(start..<end))
                start = end
                if number.decimals < 0 { literal("null") } else { decimal(number.value, decimals: number.decimals) }
            }
            raw(text.extracting(start..<text.byteCount))
        }
    }

    /// Room is made once for all of it.
    private mutating func fillShort(_ form: JSONForm, _ numbers: [JSONNumber]) {
        let byteCountMax = form.bytes.count + numbers.count * JSONNumber.writtenByteCountMax
        unsafe sink.append(upTo: byteCountMax) { target in
            unsafe form.bytes.withUnsafeBufferPointer { text in
                guard let text = text.baseAddress else { return 0 }
                var start = 0
                var written = 0
                for position in numbers.indices {
                    let end = form.pieceEnds[position]
                    unsafe copyApart(from: text + start, to: target + written, end - start)
                    written &+= end - start
                    start = end
                    let number = numbers[position]
                    let value = UInt64(truncatingIfNeeded: number.value)
                    written &+= unsafe ByteSink.write(value, decimals: number.decimals, to: target + written)
                }
                unsafe copyApart(from: text + start, to: target + written, form.bytes.count - start)
                return written &+ form.bytes.count - start
            }
        }
    }
}
