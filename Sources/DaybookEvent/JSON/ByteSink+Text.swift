internal import DaybookFormat

/// Numbers, times and strings as text, written in their place without a detour.
extension ByteSink {
    /// "00", "01" and so on: two digits are looked up at once.
    private static var digitPairs: StaticString {
        """
        0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
        5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """
    }

    /// The digits of a number, without leading zeros.
    mutating func append(digits value: UInt64) {
        unsafe append(upTo: 20) { unsafe Self.write(digits: value, to: $0) }
    }

    /// The digits of a number, without leading zeros, and how many they are.
    @inline(__always)
    private static func write(digits value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        if value < 10 {
            unsafe target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)
            return 1
        }
        var count = 2
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        count &+= rest < 100 ? (rest < 10 ? -1 : 0) : (rest < 1_000 ? 1 : 2)
        unsafe write(value, count, to: target)
        return count
    }

    /// The last `digitCount` digits of a number, leading zeros included.
    @inline(__always)
    mutating func append(digits value: UInt64, digitCount: Int) {
        reserve(digitCount)
        unsafe Self.write(value, digitCount, to: base + count)
        advance(by: digitCount)
    }

    @inline(__always)
    private static func write(_ value: UInt64, _ digitCount: Int, to target: UnsafeMutablePointer<UInt8>) {
        let pairs = unsafe digitPairs.utf8Start
        var rest = value
        var position = digitCount
        while position >= 2 {
            let pair = Int(truncatingIfNeeded: rest % 100) &* 2
            rest /= 100
            position &-= 2
            unsafe target[position] = pairs[pair]
            unsafe target[position &+ 1] = pairs[pair &+ 1]
        }
        if position == 1 { unsafe target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10) }
    }

    /// `value` divided by ten to the power of `decimals`, without trailing zeros. Precondition: `decimals` is 0 to 18.
    mutating func append(_ value: UInt64, decimals: Int) {
        guard decimals != 0, decimals != 6, decimals != 9 else {
            return unsafe append(upTo: 24) { unsafe Self.write(value, decimals: decimals, to: $0) }
        }
        let (whole, rest) = value.quotientAndRemainder(dividingBy: DecimalText.powerOfTen(decimals))
        unsafe append(upTo: 40) { unsafe Self.write(whole, rest, decimals, to: $0) }
    }

    /// The same for nothing, six and nine decimals, and null for less than none; at most 24 bytes, and how many they are.
    @inline(__always)
    static func write(_ value: UInt64, decimals: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        // Division by what is known to the compiler is a multiplication.
        switch decimals {
        case 0: return unsafe write(digits: value, to: target)
        case 6: return unsafe write(value / 1_000_000, value % 1_000_000, 6, to: target)
        case 9: return unsafe write(value / 1_000_000_000, value % 1_000_000_000, 9, to: target)
        default:
            unsafe UnsafeMutableRawPointer(target).storeBytes(of: nullText, as: UInt32.self)
            return 4
        }
    }

    /// `null`.
    private static var nullText: UInt32 { (0x6C6C_756E as UInt32).littleEndian }

    @inline(__always)
    private static func write(
        _ whole: UInt64, _ fraction: UInt64, _ decimals: Int, to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var count = unsafe write(digits: whole, to: target)
        guard fraction > 0 else { return count }
        unsafe target[count] = UInt8(ascii: ".")
        unsafe write(fraction, decimals, to: target + count + 1)
        count &+= decimals &+ 1
        // One digit is not 0, so the point stays.
        while unsafe target[count &- 1] == UInt8(ascii: "0") { count &-= 1 }
        return count
    }

    /// RFC 3339 in UTC with microseconds, without quotes.
    mutating func append(_ time: Timestamp) {
        reserve(TimestampText.byteCount)
        unsafe Self.write(time, to: base + count)
        advance(by: TimestampText.byteCount)
    }

    /// - Parameter target: room for `TimestampText.byteCount` bytes.
    static func write(_ time: Timestamp, to target: UnsafeMutablePointer<UInt8>) {
        let parts = TimestampText.Parts(time)
        unsafe Self.write(UInt64(parts.year), 4, to: target)
        unsafe target[4] = UInt8(ascii: "-")
        unsafe Self.write(UInt64(parts.month), 2, to: target + 5)
        unsafe target[7] = UInt8(ascii: "-")
        unsafe Self.write(UInt64(parts.day), 2, to: target + 8)
        unsafe target[10] = UInt8(ascii: "T")
        unsafe Self.write(UInt64(parts.second / 3_600), 2, to: target + 11)
        unsafe target[13] = UInt8(ascii: ":")
        unsafe Self.write(UInt64(parts.second / 60 % 60), 2, to: target + 14)
        unsafe target[16] = UInt8(ascii: ":")
        unsafe Self.write(UInt64(parts.second % 60), 2, to: target + 17)
        unsafe target[19] = UInt8(ascii: ".")
        unsafe Self.write(UInt64(parts.microsecond), 6, to: target + 20)
        unsafe target[26] = UInt8(ascii: "Z")
    }

    /// The 36 characters of RFC 9562, without quotes.
    mutating func append(_ id: EventID) {
        reserve(36)
        let digits = unsafe ("0123456789abcdef" as StaticString).utf8Start
        var target = unsafe base + count
        for position in 0..<32 {
            if position == 8 || position == 12 || position == 16 || position == 20 {
                unsafe target.pointee = UInt8(ascii: "-")
                unsafe target += 1
            }
            let word = position < 16 ? id.high : id.low
            unsafe target.pointee = digits[Int(truncatingIfNeeded: word >> UInt64(60 &- 4 &* (position & 15))) & 15]
            unsafe target += 1
        }
        advance(by: 36)
    }

    /// A string with its quotes, escaped as in canonical JSON.
    mutating func append(escaping text: RawSpan) {
        reserve(text.byteCount &+ 2)
        append(UInt8(ascii: "\""))
        unsafe text.withUnsafeBytes { buffer in
            guard let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            var done = 0
            while let position = unsafe Self.firstToEscape(start, done, buffer.count) {
                unsafe append(start + done, position - done)
                unsafe JSONCursor.appendEscaped(start[position], to: &self)
                done = position + 1
            }
            unsafe append(start + done, buffer.count - done)
        }
        append(UInt8(ascii: "\""))
    }

    /// The first byte from `first` on that must be escaped, found eight at a time.
    @inline(__always)
    private static func firstToEscape(_ text: UnsafePointer<UInt8>, _ first: Int, _ end: Int) -> Int? {
        var position = first
        while position &+ 8 <= end {
            let word = unsafe UnsafeRawPointer(text + position).loadUnaligned(as: UInt64.self)
            let hits = JSONCursor.stops(in: UInt64(littleEndian: word))
            if hits != 0 { return position &+ hits.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            if unsafe JSONCursor.mustBeEscaped(text[position]) { return position }
            position &+= 1
        }
        return nil
    }

    mutating func append(_ text: RawSpan) {
        unsafe text.withUnsafeBytes { buffer in
            guard let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            unsafe append(start, buffer.count)
        }
    }
}
