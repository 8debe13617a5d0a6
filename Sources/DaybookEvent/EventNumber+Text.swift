extension EventNumber {
    /// Appends the canonical text: integers as digits, doubles with the fewest digits that read back, in the form of
    /// RFC 8785.
    package func appendText(to bytes: inout [UInt8]) { write(to: &bytes) }

    func write<Output: ByteAppending & ~Copyable>(to output: inout Output) {
        switch self {
        case .unsigned(let value):
            output.append(decimal: value)
        case .negative(let value):
            output.append(UInt8(ascii: "-"))
            output.append(decimal: value.magnitude)
        case .double(let value) where value > 0x1p-10 && value < 1:
            // In this range Swift's description and ECMAScript's text are the same.
            for byte in value.description.utf8 { output.append(byte) }
        case .double(let value):
            ShortestDecimal(value).write(to: &output)
        }
    }
}

/// 0.DIGITS times ten to the `point`, as digits of an integer without leading or trailing zeros.
struct ShortestDecimal {
    var isNegative: Bool
    /// At most 17 digits, not a multiple of ten.
    var digits: UInt64
    var point: Int

    init(isNegative: Bool, digits: UInt64, point: Int) {
        self.isNegative = isNegative
        self.digits = digits
        self.point = point
    }

    /// Takes the digits from Swift's description, which has the fewest that read back. Precondition: finite, not zero.
    init(_ value: Double) {
        isNegative = value < 0
        digits = 0
        point = 0
        var afterPoint = false
        var exponent = 0
        var isExponentNegative = false
        var inExponent = false
        for byte in value.magnitude.description.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int(byte - UInt8(ascii: "0"))
                if inExponent {
                    exponent = exponent * 10 + digit
                } else {
                    digits = digits &* 10 &+ UInt64(digit)
                    // Until a digit counts, zeros after the point move it to the left.
                    if digits == 0 { point -= afterPoint ? 1 : 0 } else { point += afterPoint ? 0 : 1 }
                }
            case UInt8(ascii: "."): afterPoint = true
            case UInt8(ascii: "-"): isExponentNegative = true
            case UInt8(ascii: "e"): inExponent = true
            default: continue
            }
        }
        point += isExponentNegative ? -exponent : exponent
        while digits > 0, digits % 10 == 0 { digits /= 10 }
    }

    /// ECMAScript's `Number::toString`.
    func write<Output: ByteAppending & ~Copyable>(to output: inout Output) {
        if isNegative { output.append(UInt8(ascii: "-")) }
        var count = 1
        var top: UInt64 = 1
        while digits / top >= 10 {
            top *= 10
            count += 1
        }
        switch point {
        case count...21 where count <= 21:
            output.append(decimal: digits)
            for _ in count..<point { output.append(UInt8(ascii: "0")) }
        case 1...21:
            let divisor = DecimalText.powerOfTen(count - point)
            output.append(decimal: digits / divisor)
            writeFraction(digits % divisor, digitCount: count - point, to: &output)
        case -5...0:
            output.append(UInt8(ascii: "0"))
            writeFraction(digits, digitCount: count - point, to: &output)
        default:
            output.append(decimal: digits / top)
            if count > 1 { writeFraction(digits % top, digitCount: count - 1, to: &output) }
            output.append(UInt8(ascii: "e"))
            output.append(point > 0 ? UInt8(ascii: "+") : UInt8(ascii: "-"))
            output.append(decimal: (point - 1).magnitude.asWord)
        }
    }

    /// The point, then `digits` with leading zeros to `digitCount`.
    private func writeFraction<Output: ByteAppending & ~Copyable>(
        _ digits: UInt64, digitCount: Int, to output: inout Output
    ) {
        output.append(UInt8(ascii: "."))
        var count = 1
        var top: UInt64 = 1
        while digits / top >= 10 {
            top *= 10
            count += 1
        }
        for _ in 0..<max(0, digitCount - count) { output.append(UInt8(ascii: "0")) }
        output.append(decimal: digits)
    }
}

extension UInt {
    fileprivate var asWord: UInt64 { UInt64(self) }
}
