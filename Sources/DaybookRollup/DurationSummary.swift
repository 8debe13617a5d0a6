package import DaybookFormat

/// Count, exact sum and extremes of durations in nanoseconds.
package struct DurationTotals: Equatable, Sendable {
    package var count: UInt64 = 0
    package var sum: UInt128 = 0
    /// `UInt64.max` while there is none.
    package var minimum = UInt64.max
    /// 0 while there is none.
    package var maximum: UInt64 = 0

    package init() {}

    package init(count: UInt64, sum: UInt128, minimum: UInt64, maximum: UInt64) {
        self.count = count
        self.sum = sum
        self.minimum = minimum
        self.maximum = maximum
    }
}

/// Count, exact sum, extremes and distribution of durations in nanoseconds.
package struct DurationSummary: Equatable, Sendable {
    /// Shorter durations count as zero in the histogram; sum and extremes stay exact.
    package static let zeroBucketEnd: UInt64 = 1_000

    package private(set) var count: UInt64 = 0
    /// Nanoseconds.
    package private(set) var sum: UInt128 = 0
    /// Nanoseconds; `UInt64.max` while there is none.
    package private(set) var minimum = UInt64.max
    /// Nanoseconds; 0 while there is none.
    package private(set) var maximum: UInt64 = 0
    package private(set) var histogram = ExponentialHistogram()

    package init() {}

    /// Precondition: the parts agree, and all are those of an empty summary when `count` is 0.
    package init(count: UInt64, sum: UInt128, minimum: UInt64, maximum: UInt64, histogram: ExponentialHistogram) {
        precondition(count == 0 || minimum <= maximum)
        self.count = count
        self.sum = sum
        self.minimum = minimum
        self.maximum = maximum
        self.histogram = histogram
    }

    package var totals: DurationTotals {
        DurationTotals(count: count, sum: sum, minimum: minimum, maximum: maximum)
    }

    package mutating func add(_ nanoseconds: UInt64) {
        count += 1
        sum += UInt128(nanoseconds)
        minimum = min(minimum, nanoseconds)
        maximum = max(maximum, nanoseconds)
        if nanoseconds < Self.zeroBucketEnd { histogram.addZero() } else { histogram.add(nanoseconds) }
    }

    package mutating func merge(_ other: DurationSummary) {
        count += other.count
        sum += other.sum
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        histogram.merge(other.histogram)
    }

    /// Nearest rank, in nanoseconds, within `histogram.relativeErrorMax` of the exact answer, and exact at the extremes.
    /// Nil when empty. An answer out of the zero bucket is the least of the durations.
    package func percentile(_ percentile: Percentile) -> Double? {
        guard count > 0 else { return nil }
        let rank = percentile.rank(in: count)
        if rank == 1 { return Double(minimum) }
        if rank == count { return Double(maximum) }
        guard let value = histogram.value(atRank: rank) else { return nil }
        return min(max(value, Double(minimum)), Double(maximum))
    }

    /// Equal summaries have equal bytes.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(varint: count)
        guard count > 0 else { return }
        bytes.append(littleEndian: sum)
        bytes.append(varint: minimum)
        bytes.append(varint: maximum)
        histogram.append(to: &bytes)
    }

    package init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        count = try AggregateRow.count(&reader, bytes)
        guard count > 0 else { return }
        sum = try AggregateRow.sum(&reader, bytes)
        minimum = try reader.varint(bytes)
        maximum = try reader.varint(bytes)
        guard minimum <= maximum else { throw .invalid("summary extremes") }
        var total: UInt64 = 0
        histogram = try ExponentialHistogram(&reader, bytes, total: &total)
        guard total == count else { throw .invalid("summary count") }
    }
}
