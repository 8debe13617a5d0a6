package import DaybookFormat

/// Times as text: RFC 3339, in with any offset, out in UTC with microseconds.
package enum TimestampText {
    /// Year 1 to year 9999, the times that RFC 3339 can name. An event holds no other.
    package static let printable =
        Timestamp(microseconds: -62_135_596_800_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)

    private static let microsecondsPerSecond: Int64 = 1_000_000
    private static let secondsPerDay: Int64 = 86_400

    /// Reads `2025-09-08T10:30:15.25+02:00`: `T` and `Z` in either case, a fraction of any length, cut (not rounded) to
    /// microseconds. A leap second (`23:59:60` UTC) is the first second of the next day, as in POSIX. Nil for anything
    /// else, and for times outside `printable`.
    package static func parse(_ text: RawSpan) -> Timestamp? {
        unsafe text.withUnsafeBytes { unsafe parse(UnsafeRawBufferPointer($0)) }
    }

    package static func parse(_ text: String) -> Timestamp? {
        Array(text.utf8).withRawSpan { parse($0) }
    }

    static func parse(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        guard text.count >= 20,
            let year = unsafe digits(text, 0, 4), unsafe text[4] == UInt8(ascii: "-"),
            let month = unsafe digits(text, 5, 2), unsafe text[7] == UInt8(ascii: "-"),
            let day = unsafe digits(text, 8, 2), unsafe text[10] | 0x20 == UInt8(ascii: "t"),
            let hour = unsafe digits(text, 11, 2), unsafe text[13] == UInt8(ascii: ":"),
            let minute = unsafe digits(text, 14, 2), unsafe text[16] == UInt8(ascii: ":"),
            let second = unsafe digits(text, 17, 2),
            year >= 1, (1...12).contains(month), day >= 1, day <= dayCount(month: month, year: year),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        guard let fraction = unsafe fractionMicroseconds(text, &position),
            let offset = unsafe offsetSeconds(text, &position), position == text.count
        else { return nil }
        let minutes = Int64(hour * 60 + minute) * 60 - offset
        if second == 60 {
            guard (minutes + secondsPerDay) % secondsPerDay == secondsPerDay - 60 else { return nil }
        }
        let seconds = daysSinceEpoch(year: year, month: month, day: day) * secondsPerDay + minutes + Int64(second)
        let time = Timestamp(microseconds: seconds * microsecondsPerSecond + fraction)
        return printable.contains(time) ? time : nil
    }

    @inline(__always)
    private static func digits(_ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for position in start..<start + count {
            let digit = unsafe text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// Zero without a fraction; nil for a point without digits.
    private static func fractionMicroseconds(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int64? {
        guard unsafe text[position] == UInt8(ascii: ".") else { return 0 }
        position += 1
        let start = position
        var fraction: Int64 = 0
        var weight: Int64 = 100_000
        while position < text.count {
            let digit = unsafe text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            fraction += Int64(digit) * weight
            weight /= 10
            position += 1
        }
        return position > start ? fraction : nil
    }

    private static func offsetSeconds(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int64? {
        guard position < text.count else { return nil }
        let sign = unsafe text[position]
        if sign | 0x20 == UInt8(ascii: "z") {
            position += 1
            return 0
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), text.count - position >= 6,
            let hour = unsafe digits(text, position + 1, 2), unsafe text[position + 3] == UInt8(ascii: ":"),
            let minute = unsafe digits(text, position + 4, 2), hour < 24, minute < 60
        else { return nil }
        position += 6
        let seconds = Int64(hour * 60 + minute) * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    private static func dayCount(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar. A year counts from March, so that the leap day is last.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return Int64(shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468)
    }

    /// Of every printed time.
    static let byteCount = 27

    /// A time in the numbers that its text is made of. A time outside `printable` counts as its nearest end.
    struct Parts {
        var year: Int
        var month: Int
        var day: Int
        /// Of the day.
        var second: Int
        var microsecond: Int

        init(_ time: Timestamp) {
            let clamped = min(max(time, printable.lowerBound), printable.upperBound).microseconds
            let perDay = secondsPerDay * microsecondsPerSecond
            var dayNumber = clamped / perDay
            var rest = clamped % perDay
            if rest < 0 {
                rest += perDay
                dayNumber -= 1
            }
            // Days from 0000-03-01, split into eras of 400 years.
            let days = Int(dayNumber) + 719_468
            let era = days / 146_097
            let dayOfEra = days % 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let monthFromMarch = (5 * dayOfYear + 2) / 153
            month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
            year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
            day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
            second = Int(rest / microsecondsPerSecond)
            microsecond = Int(rest % microsecondsPerSecond)
        }
    }

    /// Appends `2025-09-08T10:30:15.250000Z`, 27 bytes. A time outside `printable` is printed as its nearest end.
    package static func append(_ time: Timestamp, to bytes: inout [UInt8]) {
        bytes.append(addingCapacity: byteCount) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                guard let start = buffer.baseAddress else { return }
                unsafe ByteSink.write(time, to: start + count)
                count += byteCount
            }
        }
    }
}
