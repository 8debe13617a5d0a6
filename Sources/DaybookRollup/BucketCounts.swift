internal import DaybookFormat

/// The buckets of one sign that are not empty, by rising index.
struct BucketCounts: Equatable, Sendable {
    private(set) var indexes: [Int32] = []
    private(set) var counts: [UInt64] = []

    var isEmpty: Bool { indexes.isEmpty }
    /// Buckets that are not empty.
    var bucketCount: Int { indexes.count }

    /// Complexity: O(log n) for a bucket that is there, O(n) for a new one that is not the last.
    mutating func add(_ count: UInt64, at index: Int32) {
        var low = 0
        var high = indexes.count
        while low < high {
            let middle = (low + high) / 2
            if indexes[middle] < index { low = middle + 1 } else { high = middle }
        }
        if low < indexes.count, indexes[low] == index {
            counts[low] += count
        } else {
            indexes.insert(index, at: low)
            counts.insert(count, at: low)
        }
    }

    /// Appends a bucket. Precondition: its index is above all others and its count not zero.
    mutating func append(_ count: UInt64, at index: Int32) {
        precondition(count > 0 && index > (indexes.last ?? .min))
        indexes.append(index)
        counts.append(count)
    }

    /// Halves the resolution: bucket `i` goes into bucket `i / 2`, rounded down.
    mutating func downscale(by steps: Int) {
        guard steps > 0, !isEmpty else { return }
        var coarse = BucketCounts()
        for (index, count) in zip(indexes, counts) {
            let target = index >> Int32(steps)
            if coarse.indexes.last == target {
                coarse.counts[coarse.counts.count - 1] += count
            } else {
                coarse.append(count, at: target)
            }
        }
        self = coarse
    }

    /// Adds every count of `other`, which has the same scale. Complexity: O(n + m).
    mutating func merge(_ other: BucketCounts) {
        guard !other.isEmpty else { return }
        guard !isEmpty else {
            self = other
            return
        }
        var merged = BucketCounts()
        merged.indexes.reserveCapacity(indexes.count + other.indexes.count)
        merged.counts.reserveCapacity(indexes.count + other.indexes.count)
        var left = 0
        var right = 0
        while left < indexes.count || right < other.indexes.count {
            let leftIndex = left < indexes.count ? indexes[left] : .max
            let rightIndex = right < other.indexes.count ? other.indexes[right] : .max
            var count: UInt64 = 0
            if leftIndex <= rightIndex {
                count += counts[left]
                left += 1
            }
            if rightIndex <= leftIndex {
                count += other.counts[right]
                right += 1
            }
            merged.append(count, at: min(leftIndex, rightIndex))
        }
        self = merged
    }

    /// Number of buckets, then for each the distance from the one before (the first index zigzag) and the count.
    func append(to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(bucketCount))
        var previous: Int32?
        for (index, count) in zip(indexes, counts) {
            if let previous {
                bytes.append(varint: UInt64(index - previous))
            } else {
                bytes.append(varint: UInt64(UInt32(bitPattern: index << 1 ^ index >> 31)))
            }
            bytes.append(varint: count)
            previous = index
        }
    }

    init() {}

    /// From counts by rising index; empty buckets are skipped.
    init(firstIndex: Int32, counts: ArraySlice<UInt32>) {
        let bucketCount = counts.reduce(0) { $0 &+ ($1 == 0 ? 0 : 1) }
        indexes.reserveCapacity(bucketCount)
        self.counts.reserveCapacity(bucketCount)
        var index = firstIndex
        for count in counts {
            if count > 0 {
                indexes.append(index)
                self.counts.append(UInt64(count))
            }
            index &+= 1
        }
    }

    /// - Parameter total: every count is added to it; a sum beyond 64 bits is an error.
    init(_ reader: inout ByteReader, _ bytes: RawSpan, total: inout UInt64) throws(FormatError) {
        let bucketCount = try reader.varint(bytes)
        guard bucketCount <= ExponentialHistogram.bucketCountMax else { throw .invalid("histogram bucket count") }
        var index: Int32 = 0
        for position in 0..<bucketCount {
            guard let number = UInt32(exactly: try reader.varint(bytes)) else { throw .invalid("histogram bucket") }
            if position == 0 {
                index = Int32(bitPattern: number >> 1) ^ -Int32(bitPattern: number & 1)
            } else {
                guard let step = Int32(exactly: number), step > 0 else { throw .invalid("histogram bucket") }
                let (next, overflow) = index.addingReportingOverflow(step)
                guard !overflow else { throw .invalid("histogram bucket") }
                index = next
            }
            guard ExponentialHistogram.indexes.contains(index) else { throw .invalid("histogram bucket") }
            let count = try reader.varint(bytes)
            let (sum, overflow) = total.addingReportingOverflow(count)
            guard count > 0, !overflow else { throw .invalid("histogram count") }
            total = sum
            append(count, at: index)
        }
    }
}
