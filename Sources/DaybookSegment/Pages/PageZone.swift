/// What is known of the values of a page, a row group or a segment without reading them.
package struct ColumnZone: Equatable, Sendable {
    /// As bit patterns; compared as signed or unsigned, as the shape of the column says. Of code columns the codes plus
    /// one, 0 for missing. Of byte columns 0.
    package var min: UInt64 = 0
    package var max: UInt64 = 0
    /// Rows without a value, in code and byte columns.
    package var missingCount = 0
    /// Number of distinct values; 0 is "many, not counted".
    package var distinctHint = 0

    package init() {}

    /// Widens the zone to what `other` covers.
    mutating func merge(_ other: ColumnZone, signed: Bool) {
        if signed {
            min = UInt64(bitPattern: Swift.min(Int64(bitPattern: min), Int64(bitPattern: other.min)))
            max = UInt64(bitPattern: Swift.max(Int64(bitPattern: max), Int64(bitPattern: other.max)))
        } else {
            min = Swift.min(min, other.min)
            max = Swift.max(max, other.max)
        }
        missingCount += other.missingCount
        // Distinct values of two parts may be the same ones: the larger count is a lower bound, kept as a hint.
        distinctHint = distinctHint == 0 || other.distinctHint == 0 ? 0 : Swift.max(distinctHint, other.distinctHint)
    }
}
