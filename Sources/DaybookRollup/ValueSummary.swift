package import DaybookEvent
package import DaybookFormat

/// Count, exact sum, extremes and distribution of the values of a metric.
package struct ValueSummary: Equatable, Sendable {
    package private(set) var count: UInt64 = 0
    package private(set) var sum = ExactSum()
    /// Nil while there is none.
    package private(set) var minimum: EventNumber?
    package private(set) var maximum: EventNumber?
    package private(set) var histogram = ExponentialHistogram()

    package init() {}

    /// Precondition: the parts agree, and there is at least one value.
    init(
        count: UInt64, sum: ExactSum, minimum: EventNumber, maximum: EventNumber, histogram: ExponentialHistogram
    ) {
        precondition(count > 0)
        self.count = count
        self.sum = sum
        self.minimum = minimum
        self.maximum = maximum
        self.histogram = histogram
    }

    /// Precondition: a `double` is finite.
    package mutating func add(_ value: EventNumber) {
        count += 1
        switch value {
        case .unsigned(let number):
            sum.add(number)
            if number == 0 { histogram.addZero() } else { histogram.add(number) }
        case .negative(let number):
            sum.add(number)
            histogram.add(negative: number)
        case .double(let number):
            sum.add(number)
            histogram.add(number)
        }
        include(minimum: value, maximum: value)
    }

    private mutating func include(minimum low: EventNumber, maximum high: EventNumber) {
        if minimum.map({ low.isLess(than: $0) }) ?? true { minimum = low }
        if maximum.map({ $0.isLess(than: high) }) ?? true { maximum = high }
    }

    package mutating func merge(_ other: ValueSummary) {
        guard let low = other.minimum, let high = other.maximum else { return }
        count += other.count
        sum.merge(other.sum)
        include(minimum: low, maximum: high)
        histogram.merge(other.histogram)
    }

    /// Nearest rank, within `histogram.relativeErrorMax` of the exact answer, and exact at the extremes. Nil when empty.
    package func percentile(_ percentile: Percentile) -> Double? {
        guard let minimum, let maximum else { return nil }
        let rank = percentile.rank(in: count)
        if rank == 1 { return minimum.doubleValue }
        if rank == count { return maximum.doubleValue }
        guard let value = histogram.value(atRank: rank) else { return nil }
        return min(max(value, minimum.doubleValue), maximum.doubleValue)
    }

    /// Equal summaries have equal bytes.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(varint: count)
        guard let minimum, let maximum else { return }
        sum.append(to: &bytes)
        minimum.append(to: &bytes)
        maximum.append(to: &bytes)
        histogram.append(to: &bytes)
    }

    package init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        count = try AggregateRow.count(&reader, bytes)
        guard count > 0 else { return }
        sum = try ExactSum(&reader, bytes)
        let low = try EventNumber(&reader, bytes)
        let high = try EventNumber(&reader, bytes)
        guard !high.isLess(than: low) else { throw .invalid("summary extremes") }
        minimum = low
        maximum = high
        var total: UInt64 = 0
        histogram = try ExponentialHistogram(&reader, bytes, total: &total)
        guard total == count else { throw .invalid("summary count") }
    }
}

extension EventNumber {
    /// The order of the exact values: 2^53 + 1 is above the double 2^53, though both are the same double.
    package func isLess(than other: EventNumber) -> Bool {
        switch (self, other) {
        case (.unsigned(let left), .unsigned(let right)): left < right
        case (.negative(let left), .negative(let right)): left < right
        case (.negative, .unsigned): true
        case (.unsigned, .negative): false
        case (.double(let left), .double(let right)): left < right
        // A `double` is never a whole number of the integers' range, so its floor decides.
        case (.double(let left), .unsigned(let right)): left < 0 || (left < 0x1p64 && UInt64(left) < right)
        case (.unsigned(let left), .double(let right)): right >= 0x1p64 || (right > 0 && left <= UInt64(right))
        case (.double(let left), .negative(let right)):
            left < -0x1p63 || (left < 0 && Int64(left.rounded(.down)) < right)
        case (.negative(let left), .double(let right)):
            right > 0 || (right >= -0x1p63 && left <= Int64(right.rounded(.down)))
        }
    }
}
