/// A stream of numbers that depends on its seed alone, the same on every machine and in every version: whole-number
/// arithmetic only, because `libm` and `Double` printing differ between systems. The algorithm is SplitMix64.
package struct GeneratorRandom: Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound - 1`. Precondition: `bound` is at least 1.
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound >= 1)
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    package mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True for `count` of 1,000 calls on average.
    package mutating func chance(perThousand count: Int) -> Bool { below(1_000) < count }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// An index into weights that were summed up: `cumulative` ascends, and its last element is the total.
    package mutating func index(in cumulative: [Int]) -> Int {
        let target = below(cumulative[cumulative.count - 1])
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > target { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// A long-tailed time in microseconds: the octave is drawn first, then the place in it.
    package mutating func microseconds(octaves: ClosedRange<Int>) -> Int {
        let octave = within(octaves)
        return (1 << octave) + below(1 << octave)
    }
}

/// Weights as a Zipf law gives them (the first is the heaviest), summed up for `GeneratorRandom.index(in:)`.
package func zipfCumulative(count: Int) -> [Int] {
    precondition(count >= 1)
    var total = 0
    return (1...count).map { rank in
        total += max(1, 1_000_000 / rank)
        return total
    }
}
