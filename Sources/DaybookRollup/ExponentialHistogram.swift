package import DaybookFormat

/// How values are distributed: counts in buckets whose bounds grow by a constant factor, base 2 at scale 5, so that any
/// percentile is within 1.083 % of the true value.
///
/// At most 1,024 buckets are kept. When more would not be empty, neighbours merge in pairs and the scale falls by one.
/// The scale is always the largest at which the values fit, a property of the values alone and not of the order in
/// which they came: that makes merging associative, commutative and exact to the bit.
package struct ExponentialHistogram: Equatable, Sendable {
    package static let scaleMax = 5
    /// Two signs of 2,098 octaves fit into 1,024 buckets here; no histogram gets coarser.
    static let scaleMin = -3
    package static let bucketCountMax = 1_024
    /// Every index that a double or a 64-bit integer can have at scale 5.
    static let indexes: ClosedRange<Int32> = -1_074 * 32 - 1...1_024 * 32 - 1

    /// Bucket `i` holds values above 2^(i / 2^scale), up to 2^((i + 1) / 2^scale).
    package private(set) var scale = scaleMax
    /// Values in the zero bucket.
    package private(set) var zeroCount: UInt64 = 0
    private(set) var positive = BucketCounts()
    /// By the magnitude of the values.
    private(set) var negative = BucketCounts()

    package init() {}

    /// From positive values at scale 5, by rising index; what `count` has more than all of `counts` is in the zero bucket.
    init(count: UInt64, firstIndex: Int32, counts: ArraySlice<UInt32>) {
        positive = BucketCounts(firstIndex: firstIndex, counts: counts)
        zeroCount = count - counts.reduce(0) { $0 &+ UInt64($1) }
        fit()
    }

    /// From counts by rising index at scale 5; empty buckets are skipped.
    init(zeroCount: UInt64, firstIndex: Int32, counts: some Sequence<UInt64>) {
        self.zeroCount = zeroCount
        var index = firstIndex
        for count in counts {
            if count > 0 { positive.append(count, at: index) }
            index += 1
        }
        fit()
    }

    /// From counts at rising positions of scale 5, none zero: 0 is the zero bucket, bucket `i` of positive values stands
    /// at `i + offset`, that of negative ones at the same distance on the other side.
    init(positions: ArraySlice<Int32>, counts: ArraySlice<UInt64>, offset: Int32) {
        for (position, count) in zip(positions, counts).reversed() where position < 0 {
            negative.append(count, at: -position - offset)
        }
        for (position, count) in zip(positions, counts) where position >= 0 {
            if position == 0 { zeroCount = count } else { positive.append(count, at: position - offset) }
        }
        fit()
    }

    package var isEmpty: Bool { zeroCount == 0 && positive.isEmpty && negative.isEmpty }

    /// Buckets that are not empty, the zero bucket apart.
    package var bucketCount: Int { positive.bucketCount + negative.bucketCount }

    package mutating func addZero(_ count: UInt64 = 1) { zeroCount += count }

    /// A positive integer. Precondition: not zero.
    package mutating func add(_ value: UInt64) {
        positive.add(1, at: BucketIndex.of(value) >> Int32(Self.scaleMax - scale))
        fit()
    }

    /// Any finite number; zeroes of both signs go into the zero bucket.
    package mutating func add(_ value: Double) {
        if value == 0 {
            zeroCount += 1
            return
        }
        let index = BucketIndex.of(value.magnitude) >> Int32(Self.scaleMax - scale)
        if value < 0 { negative.add(1, at: index) } else { positive.add(1, at: index) }
        fit()
    }

    /// A number below zero. Precondition: it is one.
    package mutating func add(negative value: Int64) {
        precondition(value < 0)
        negative.add(1, at: BucketIndex.of(value.magnitude) >> Int32(Self.scaleMax - scale))
        fit()
    }

    package mutating func merge(_ other: ExponentialHistogram) {
        var other = other
        let common = min(scale, other.scale)
        coarsen(to: common)
        other.coarsen(to: common)
        zeroCount += other.zeroCount
        positive.merge(other.positive)
        negative.merge(other.negative)
        fit()
    }

    private mutating func fit() {
        while bucketCount > Self.bucketCountMax { coarsen(to: scale - 1) }
    }

    private mutating func coarsen(to target: Int) {
        positive.downscale(by: scale - target)
        negative.downscale(by: scale - target)
        scale = target
    }

    /// The largest relative error of a percentile outside the zero bucket, 0.01083 at scale 5.
    package var relativeErrorMax: Double {
        let midpoint = BucketIndex.midpoint(of: 0, scale: scale)
        return midpoint - 1
    }

    /// The value that answers for the given rank, from 1, counting from the smallest value. Nil when there are fewer.
    /// The caller, who knows the exact extremes, clamps it to them.
    package func value(atRank rank: UInt64) -> Double? {
        precondition(rank > 0)
        var rest = rank
        for position in negative.indexes.indices.reversed() {
            if rest <= negative.counts[position] {
                return -BucketIndex.midpoint(of: negative.indexes[position], scale: scale)
            }
            rest -= negative.counts[position]
        }
        if rest <= zeroCount { return 0 }
        rest -= zeroCount
        for position in positive.indexes.indices {
            if rest <= positive.counts[position] {
                return BucketIndex.midpoint(of: positive.indexes[position], scale: scale)
            }
            rest -= positive.counts[position]
        }
        return nil
    }

    /// Equal histograms have equal bytes: scale (5 - scale, one byte), zero count, positive buckets, negative buckets.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(UInt8(Self.scaleMax - scale))
        bytes.append(varint: zeroCount)
        positive.append(to: &bytes)
        negative.append(to: &bytes)
    }

    /// - Parameter total: receives the number of values.
    package init(_ reader: inout ByteReader, _ bytes: RawSpan, total: inout UInt64) throws(FormatError) {
        let steps = Int(try reader.uint8(bytes))
        guard steps <= Self.scaleMax - Self.scaleMin else { throw .invalid("histogram scale") }
        scale = Self.scaleMax - steps
        zeroCount = try reader.varint(bytes)
        total = zeroCount
        positive = try BucketCounts(&reader, bytes, total: &total)
        negative = try BucketCounts(&reader, bytes, total: &total)
        guard bucketCount <= Self.bucketCountMax else { throw .invalid("histogram bucket count") }
    }
}
