/// A percentile that was asked for, such as 99 or 99.9, exact as a decimal fraction.
package struct Percentile: Hashable, Comparable, Sendable {
    /// Millionths of a percent: 1 to 100,000,000.
    package let millionths: UInt64

    package static let p50 = Percentile(wholePercent: 50)
    package static let p95 = Percentile(wholePercent: 95)
    package static let p99 = Percentile(wholePercent: 99)

    /// Precondition: 1 to 100.
    package init(wholePercent: UInt64) {
        precondition((1...100).contains(wholePercent))
        millionths = wholePercent * 1_000_000
    }

    /// Parses `50`, `99.9`, `99.9999`: above 0, at most 100, at most six decimals; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), (1...3).contains(parts[0].count) else { return nil }
        var value: UInt64 = 0
        var decimals = 0
        if parts.count == 2 {
            decimals = parts[1].count
            guard (1...6).contains(decimals) else { return nil }
        }
        for part in parts {
            for byte in part {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value * 10 + UInt64(digit)
            }
        }
        for _ in decimals..<6 { value *= 10 }
        guard (1...100_000_000).contains(value) else { return nil }
        millionths = value
    }

    /// The nearest rank among `count` values, from 1. Precondition: `count` is not zero.
    package func rank(in count: UInt64) -> UInt64 {
        precondition(count > 0)
        let (high, low) = count.multipliedFullWidth(by: millionths)
        let (quotient, remainder) = UInt64(100_000_000).dividingFullWidth((high, low))
        return max(1, remainder == 0 ? quotient : quotient + 1)
    }

    /// The key of an answer: `p50`, `p99.9`.
    package var key: String {
        var fraction = String(millionths % 1_000_000)
        guard fraction != "0" else { return "p\(millionths / 1_000_000)" }
        fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return "p\(millionths / 1_000_000).\(fraction)"
    }

    package static func < (left: Percentile, right: Percentile) -> Bool { left.millionths < right.millionths }
}
