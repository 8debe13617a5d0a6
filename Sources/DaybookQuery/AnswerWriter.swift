internal import DaybookEvent
internal import DaybookFormat

/// Appends JSON to bytes: the few forms that answers need.
struct AnswerWriter {
    var bytes: [UInt8]
    private var needsComma = false
    /// Where a bucket ends the next one begins, and groups share their buckets: the last two times are known.
    private var lastTime: (time: Timestamp, text: [UInt8]) = (Timestamp(microseconds: 0), [])
    private var timeBefore: (time: Timestamp, text: [UInt8]) = (Timestamp(microseconds: 0), [])

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func open(_ bracket: StaticString) {
        separate()
        append(bracket)
        needsComma = false
    }

    mutating func close(_ bracket: StaticString) {
        append(bracket)
        needsComma = true
    }

    mutating func key(_ key: AnswerKey) {
        bytes.append(contentsOf: needsComma ? key.bytesBehindComma : key.bytes)
        needsComma = false
    }

    mutating func string(_ text: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        if text.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            CanonicalScanner.appendEscaped(text, to: &bytes)
        } else {
            bytes.append(contentsOf: text)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func string(_ text: [UInt8]?) {
        if let text { string(text) } else { literal("null") }
    }

    mutating func literal(_ text: StaticString) {
        separate()
        append(text)
    }

    mutating func json(_ text: [UInt8]) {
        separate()
        bytes.append(contentsOf: text)
    }

    mutating func integer(_ value: some BinaryInteger) {
        separate()
        if let small = UInt64(exactly: value) {
            append(small, digitCountMin: 1)
        } else {
            bytes.append(contentsOf: String(value).utf8)
        }
    }

    mutating func time(_ time: Timestamp) {
        separate()
        if lastTime.time != time || lastTime.text.isEmpty { swap(&lastTime, &timeBefore) }
        if lastTime.time != time || lastTime.text.isEmpty {
            lastTime.time = time
            lastTime.text.removeAll(keepingCapacity: true)
            lastTime.text.append(UInt8(ascii: "\""))
            TimestampText.append(time, to: &lastTime.text)
            lastTime.text.append(UInt8(ascii: "\""))
        }
        bytes.append(contentsOf: lastTime.text)
    }

    mutating func number(_ value: EventNumber?) {
        guard let value else { return literal("null") }
        separate()
        value.appendText(to: &bytes)
    }

    /// The nearest double in its shortest form; null when it is not finite.
    mutating func number(_ value: Double) { number(EventNumber(value)) }

    /// `value` divided by ten to the power of `decimals`, exactly, without trailing zeros.
    mutating func decimal(_ value: UInt128, decimals: Int) {
        separate()
        guard let small = UInt64(exactly: value), decimals < 19 else { return appendLong(value, decimals) }
        var divisor: UInt64 = 1
        for _ in 0..<decimals { divisor *= 10 }
        let (whole, rest) = small.quotientAndRemainder(dividingBy: divisor)
        append(whole, digitCountMin: 1)
        guard rest > 0 else { return }
        var fraction = rest
        var digitCount = decimals
        while fraction % 10 == 0 {
            fraction /= 10
            digitCount -= 1
        }
        bytes.append(UInt8(ascii: "."))
        append(fraction, digitCountMin: digitCount)
    }

    private mutating func appendLong(_ value: UInt128, _ decimals: Int) {
        var digits = Array(String(value).utf8)
        if digits.count <= decimals {
            digits.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: decimals + 1 - digits.count), at: 0)
        }
        let point = digits.count - decimals
        bytes.append(contentsOf: digits[..<point])
        let fraction = digits[point...]
        guard let end = fraction.lastIndex(where: { $0 != UInt8(ascii: "0") }) else { return }
        bytes.append(UInt8(ascii: "."))
        bytes.append(contentsOf: fraction[...end])
    }

    /// Digits, with zeros in front up to a length of at most 20.
    private mutating func append(_ value: UInt64, digitCountMin: Int) {
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var position = digits.count
        var rest = value
        repeat {
            let quotient = rest / 10
            position -= 1
            digits[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
            rest = quotient
        } while rest > 0
        position = min(position, digits.count - digitCountMin)
        bytes.append(addingCapacity: digits.count - position) { target in
            while position < digits.count {
                target.append(digits[position])
                position += 1
            }
        }
    }

    private mutating func append(_ text: StaticString) { bytes.append(text) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

/// A key of an object with its quotes and its colon.
struct AnswerKey: ExpressibleByStringLiteral, Sendable {
    let bytes: [UInt8]
    let bytesBehindComma: [UInt8]

    init(_ text: String) {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        CanonicalScanner.appendEscaped(Array(text.utf8), to: &bytes)
        self.bytes = bytes + Array("\":".utf8)
        bytesBehindComma = [UInt8(ascii: ",")] + self.bytes
    }

    init(stringLiteral text: StaticString) {
        bytes = Array("\"\(text)\":".utf8)
        bytesBehindComma = [UInt8(ascii: ",")] + bytes
    }
}
