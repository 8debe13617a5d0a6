/// Powers of ten that are exact as doubles, and what follows from it: a whole number of at most 2^53 divided by one of
/// them is the double nearest to that decimal fraction.
enum DecimalScale {
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    static let count = powers.count

    @inline(__always)
    static func power(_ scale: Int) -> Double { powers[scale] }

    /// Precondition: below 10^15.
    static func isAtLeastAMillionth(_ magnitude: UInt64, scale: Int) -> Bool {
        scale <= 6 ? magnitude >= 1 : scale < count && Double(magnitude) >= powers[scale - 6]
    }

    /// The whole number that `scale` places of the decimal point make of `value`, if that is exact: divided again it
    /// gives the very same double. At most 2^53.
    @inline(__always)
    static func scaled(_ value: Double, by power: Double) -> Int64? {
        let product = (value * power).rounded(.toNearestOrEven)
        guard abs(product) <= 0x1p53, product / power == value else { return nil }
        return Int64(product)
    }
}
