/// A JSON number as read: `significand` times ten to the `exponent`, exact unless `isTruncated`.
struct DecimalText {
    var isNegative = false
    /// The first 19 significant digits.
    var significand: UInt64 = 0
    var exponent = 0
    /// Digits other than zero follow the 19.
    var isTruncated = false
    /// Digits only: no point, no exponent.
    var isPlain = true
    var start = 0
    var end = 0

    var isZero: Bool { significand == 0 }
}

extension JSONCursor {
    /// Reads a number at the current byte.
    mutating func scanNumber() throws(JSONFault) -> DecimalText {
        var number = DecimalText()
        number.start = position
        if byte(at: position) == UInt8(ascii: "-") {
            number.isNegative = true
            position &+= 1
        }
        let first = byte(at: position) &- UInt8(ascii: "0")
        guard first < 10 else { throw unexpected("a value was expected") }
        if first == 0 {
            position &+= 1
            guard byte(at: position) &- UInt8(ascii: "0") > 9 else { throw fault("a number has leading zeros") }
        } else {
            scanDigits(&number, weight: 0)
        }
        if byte(at: position) == UInt8(ascii: ".") {
            number.isPlain = false
            position &+= 1
            guard byte(at: position) &- UInt8(ascii: "0") < 10 else { throw unexpected("a digit was expected") }
            scanDigits(&number, weight: -1)
        }
        if byte(at: position) | 0x20 == UInt8(ascii: "e") {
            number.isPlain = false
            position &+= 1
            try scanExponent(&number)
        }
        number.end = position
        return number
    }

    /// - Parameter weight: what a digit that fits adds to the exponent: 0 before the point, -1 after it.
    @inline(__always)
    private mutating func scanDigits(_ number: inout DecimalText, weight: Int) {
        while true {
            let digit = byte(at: position) &- UInt8(ascii: "0")
            guard digit < 10 else { return }
            // Below 10^18 there is room for one digit more.
            if number.significand < 1_000_000_000_000_000_000 {
                number.significand = number.significand &* 10 &+ UInt64(digit)
                number.exponent &+= weight
            } else {
                if digit != 0 { number.isTruncated = true }
                number.exponent &+= weight &+ 1
            }
            position &+= 1
        }
    }

    private mutating func scanExponent(_ number: inout DecimalText) throws(JSONFault) {
        var isNegative = false
        switch byte(at: position) {
        case UInt8(ascii: "-"):
            isNegative = true
            position &+= 1
        case UInt8(ascii: "+"):
            position &+= 1
        default: break
        }
        guard byte(at: position) &- UInt8(ascii: "0") < 10 else { throw unexpected("a digit was expected") }
        var exponent = 0
        while true {
            let digit = byte(at: position) &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            // Beyond any body's count of digits, so a longer exponent cannot change the answer.
            if exponent < 1_000_000_000 { exponent = exponent &* 10 &+ Int(digit) }
            position &+= 1
        }
        number.exponent &+= isNegative ? -exponent : exponent
    }
}

/// The size of a decimal after scaling, split at the point.
struct ScaledMagnitude {
    enum Remainder { case zero, belowHalf, half, aboveHalf }
    var whole: UInt64
    var remainder: Remainder

    /// Nil when that does not fit.
    var roundedHalfToEven: UInt64? {
        switch remainder {
        case .zero, .belowHalf: return whole
        case .half where whole & 1 == 0: return whole
        case .half, .aboveHalf: return whole == .max ? nil : whole + 1
        }
    }
}

extension DecimalText {
    /// The magnitude times ten to the `power`; nil from about 10^19 on.
    func scaled(by power: Int) -> ScaledMagnitude? {
        guard !isZero else { return ScaledMagnitude(whole: 0, remainder: .zero) }
        let shift = exponent &+ power
        if shift >= 0 {
            guard !isTruncated, shift <= 19 else { return nil }
            let (whole, overflow) = significand.multipliedReportingOverflow(by: Self.powerOfTen(shift))
            return overflow ? nil : ScaledMagnitude(whole: whole, remainder: .zero)
        }
        guard shift >= -19 else { return ScaledMagnitude(whole: 0, remainder: .belowHalf) }
        let divisor = Self.powerOfTen(-shift)
        let (whole, rest) = significand.quotientAndRemainder(dividingBy: divisor)
        let half = divisor / 2
        // Cut digits lie above zero and below one unit of `rest`.
        if rest == 0 { return ScaledMagnitude(whole: whole, remainder: isTruncated ? .belowHalf : .zero) }
        if rest < half { return ScaledMagnitude(whole: whole, remainder: .belowHalf) }
        return ScaledMagnitude(whole: whole, remainder: rest == half && !isTruncated ? .half : .aboveHalf)
    }

    /// Precondition: 0 to 19.
    static func powerOfTen(_ exponent: Int) -> UInt64 {
        precondition(0...19 ~= exponent)
        var power: UInt64 = 1
        for _ in 0..<exponent { power &*= 10 }
        return power
    }

    /// Integer if the decimal value is one in range, else the nearest double in its one form; nil when that is infinite.
    /// - Parameter cursor: the body this was read from.
    func number(in cursor: JSONCursor) -> EventNumber? {
        guard !isZero else { return .unsigned(0) }
        guard !isTruncated else { return DecimalDigits(self, in: cursor).number }
        var significand = significand
        var exponent = exponent
        while exponent < 0, significand % 10 == 0 {
            significand /= 10
            exponent += 1
        }
        if 0...19 ~= exponent {
            let (magnitude, overflow) = significand.multipliedReportingOverflow(by: Self.powerOfTen(exponent))
            if !overflow, let number = Self.integer(magnitude, isNegative: isNegative) { return number }
        }
        guard significand <= 1 << 53, -22...22 ~= exponent else { return DecimalDigits(self, in: cursor).number }
        // Both operands are exact, so one rounding gives the nearest double.
        var power = 1.0
        for _ in 0..<abs(exponent) { power *= 10 }
        let value = exponent < 0 ? Double(significand) / power : Double(significand) * power
        return EventNumber(isNegative ? -value : value)
    }

    static func integer(_ magnitude: UInt64, isNegative: Bool) -> EventNumber? {
        guard isNegative, magnitude > 0 else { return .unsigned(magnitude) }
        guard magnitude <= 1 << 63 else { return nil }
        return .negative(Int64(bitPattern: 0 &- magnitude))
    }
}

/// A number of any length: 0.DIGITS times ten to the `point`, without leading or trailing zeros. The slow way, for
/// numbers of more than 19 digits and for those that one floating-point operation cannot round.
struct DecimalDigits {
    /// More digits than decide between two doubles; beyond them only "something follows" counts.
    private static let digitCountMax = 800

    var digits: [UInt8] = []
    var point = 0
    var isNegative: Bool

    init(_ text: DecimalText, in cursor: JSONCursor) {
        isNegative = text.isNegative
        var hasMore = false
        var afterPoint = false
        var exponent = 0
        var position = text.start
        scan: while position < text.end {
            let byte = cursor.byte(at: position)
            position += 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits.isEmpty && byte == UInt8(ascii: "0") {
                    if afterPoint { point -= 1 }
                    continue
                }
                if !afterPoint { point += 1 }
                if digits.count < Self.digitCountMax {
                    digits.append(byte)
                } else {
                    hasMore = hasMore || byte != UInt8(ascii: "0")
                }
            case UInt8(ascii: "."): afterPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
            default: continue
            }
        }
        let isExponentNegative = cursor.byte(at: position) == UInt8(ascii: "-")
        while position < text.end {
            let digit = cursor.byte(at: position) &- UInt8(ascii: "0")
            if digit < 10, exponent < 1_000_000_000 { exponent = exponent * 10 + Int(digit) }
            position += 1
        }
        point += isExponentNegative ? -exponent : exponent
        if hasMore { digits.append(UInt8(ascii: "1")) }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    }

    /// Precondition: not zero.
    var number: EventNumber? {
        if digits.count <= 20, point >= digits.count, point <= 20, let magnitude = wholeMagnitude,
            let number = DecimalText.integer(magnitude, isNegative: isNegative)
        {
            return number
        }
        guard point <= 310 else { return nil }
        guard point >= -330 else { return .unsigned(0) }
        let text = (isNegative ? "-0." : "0.") + String(decoding: digits, as: UTF8.self) + "e\(point)"
        return Double(text).flatMap(EventNumber.init)
    }

    private var wholeMagnitude: UInt64? {
        var magnitude: UInt64 = 0
        for place in 0..<point {
            let digit = place < digits.count ? digits[place] - UInt8(ascii: "0") : 0
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            magnitude = sum
        }
        return magnitude
    }
}
