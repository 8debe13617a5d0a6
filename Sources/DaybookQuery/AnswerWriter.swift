internal import DaybookEvent
internal import DaybookFormat

/// Appends JSON to bytes: the few forms that answers need.
struct AnswerWriter {
    var bytes: [UInt8]
    private var needsComma = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func open(_ bracket: Character) {
        separate()
        bytes.append(contentsOf: bracket.utf8)
        needsComma = false
    }

    mutating func close(_ bracket: Character) {
        bytes.append(contentsOf: bracket.utf8)
        needsComma = true
    }

    mutating func key(_ text: String) {
        string(Array(text.utf8))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func string(_ text: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        CanonicalScanner.appendEscaped(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func string(_ text: [UInt8]?) {
        if let text { string(text) } else { literal("null") }
    }

    mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    mutating func json(_ text: [UInt8]) {
        separate()
        bytes.append(contentsOf: text)
    }

    mutating func integer(_ value: some BinaryInteger) { literal(String(value)) }

    mutating func time(_ time: Timestamp) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        TimestampText.append(time, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
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

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}
