/// Appends that answers are made of. None of them creates a `String`.
extension [UInt8] {
    /// The decimal digits of a number.
    mutating func append(decimal value: UInt64) {
        if value < 10 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
            return
        }
        let start = count
        var rest = value
        while rest > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        var low = start
        var high = count - 1
        while low < high {
            swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    /// Milliseconds with three digits behind the point: microseconds are as exact as an answer needs to be.
    mutating func append(millisecondsOf nanoseconds: UInt64) {
        let microseconds = nanoseconds / 1_000
        append(decimal: microseconds / 1_000)
        append(UInt8(ascii: "."))
        let fraction = microseconds % 1_000
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 100))
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 10 % 10))
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction % 10))
    }
}
