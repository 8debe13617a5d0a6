internal import DaybookFormat

/// A page of which a few numbers are far from all others: those are written apart, so that the others stay narrow.
/// The numbers are the values of the page, or the differences from one to the next.
struct PatchedBlock {
    /// What a writer found to be cheapest.
    struct Choice {
        var low: Int64
        var high: Int64
        var byteCount: Int
    }

    private var sample: [Int64] = []
    private var rest: [UInt64] = []
    private var positions: [UInt64] = []
    private var apart: [UInt64] = []

    private static let sampleCountMax = 512
    /// How much of the sample is cut at each end, in parts of 64.
    private static let cuts: [(low: Int, high: Int)] = [(0, 1), (0, 4), (0, 8), (1, 1), (2, 2), (4, 4), (6, 6)]
    /// Number of numbers apart, and the heads of three blocks.
    private static let headByteCount = 4 + 3 * 9

    /// The range of numbers that are not apart, and the bytes of the whole; nil when there are too few numbers.
    mutating func choose(_ numbers: UnsafeBufferPointer<UInt64>) -> Choice? {
        guard numbers.count >= 64 else { return nil }
        sample.removeAll(keepingCapacity: true)
        let step = max(1, numbers.count / Self.sampleCountMax)
        for index in stride(from: 0, to: numbers.count, by: step) {
            sample.append(Int64(bitPattern: unsafe numbers[index]))
        }
        sample.sort()
        var best: Choice?
        for cut in Self.cuts {
            let low = sample[sample.count * cut.low / 64]
            let high = sample[sample.count - 1 - sample.count * cut.high / 64]
            if let last = best, last.low == low, last.high == high { continue }
            let byteCount = unsafe Self.byteCount(numbers, low, high)
            if byteCount < best?.byteCount ?? .max { best = Choice(low: low, high: high, byteCount: byteCount) }
        }
        return best
    }

    private static func byteCount(_ numbers: UnsafeBufferPointer<UInt64>, _ low: Int64, _ high: Int64) -> Int {
        var apartCount = 0
        var least = Int64.max
        var greatest = Int64.min
        for index in 0..<numbers.count {
            let number = Int64(bitPattern: unsafe numbers[index])
            let isApart = number < low || number > high
            apartCount &+= isApart ? 1 : 0
            least = isApart ? min(least, number) : least
            greatest = isApart ? max(greatest, number) : greatest
        }
        let width = BitPacking.width(of: UInt64(bitPattern: high &- low))
        let apartWidth = apartCount == 0 ? 0 : BitPacking.width(of: UInt64(bitPattern: greatest &- least))
        return headByteCount + BitPacking.byteCount(numbers.count, width: width)
            + BitPacking.byteCount(apartCount, width: BitPacking.width(of: UInt64(numbers.count)))
            + BitPacking.byteCount(apartCount, width: apartWidth)
    }

    /// Appends the numbers. `choice` comes from `choose` with the same numbers.
    mutating func append(_ numbers: UnsafeBufferPointer<UInt64>, _ choice: Choice, to payload: inout [UInt8]) {
        rest.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        apart.removeAll(keepingCapacity: true)
        let base = UInt64(bitPattern: choice.low)
        var least = Int64.max
        for index in 0..<numbers.count {
            let number = Int64(bitPattern: unsafe numbers[index])
            if number < choice.low || number > choice.high {
                positions.append(UInt64(index))
                apart.append(UInt64(bitPattern: number))
                least = min(least, number)
                rest.append(base)
            } else {
                rest.append(UInt64(bitPattern: number))
            }
        }
        payload.append(littleEndian: UInt32(positions.count))
        let width = BitPacking.width(of: UInt64(bitPattern: choice.high &- choice.low))
        unsafe rest.withUnsafeBufferPointer {
            unsafe IntegerPageEncoder.appendBlock($0, base: base, width: width, to: &payload)
        }
        IntegerPageEncoder.appendBlock(positions, to: &payload)
        let apartBase = apart.isEmpty ? 0 : UInt64(bitPattern: least)
        let apartWidth = apart.reduce(0) { max($0, BitPacking.width(of: $1 &- apartBase)) }
        unsafe apart.withUnsafeBufferPointer {
            unsafe IntegerPageEncoder.appendBlock($0, base: apartBase, width: apartWidth, to: &payload)
        }
    }
}

extension BlockReader {
    /// Writes `count` numbers to `target`, those apart in their places.
    @unsafe mutating func patchedBlock(
        count: Int, to target: UnsafeMutablePointer<UInt64>, positions: inout [UInt64], apart: inout [UInt64]
    ) throws(FormatError) {
        let apartCount = Int(try uint32())
        guard apartCount <= count else { throw .invalid("patch count") }
        try unsafe block(count: count, to: target)
        try block(count: apartCount, appendingTo: &positions)
        try block(count: apartCount, appendingTo: &apart)
        for index in 0..<apartCount {
            guard positions[index] < UInt64(count) else { throw .invalid("patch position") }
            unsafe target[Int(positions[index])] = apart[index]
        }
    }
}
