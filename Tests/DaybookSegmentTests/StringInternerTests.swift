import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

struct StringInternerTests {
    /// Strings that begin alike, that are the beginnings of others, and that hold every byte.
    private func strings(_ random: inout SeededRandom) -> [[UInt8]] {
        let beginning = random.bytes(random.below(20))
        return (0..<random.below(200)).map { _ in
            random.oneIn(4) ? random.bytes(random.below(3)) : beginning + random.bytes(random.below(12))
        }
    }

    private func code(_ string: [UInt8], _ interner: inout StringInterner) -> UInt32 {
        string.withRawSpan { interner.code(of: $0) }
    }

    @Test func ranksAreTheOrderOfTheBytesWhateverCameFirst() {
        var random = SeededRandom(seed: 330)
        for round in 0..<60 {
            var strings = Array(Set(strings(&random)))
            strings.sort { $0.lexicographicallyPrecedes($1) }
            let sorted = strings
            if round % 2 == 1 { strings.shuffle(using: &random) }
            var interner = StringInterner()
            for string in strings { _ = code(string, &interner) }
            let ranks = interner.ranks()
            #expect(sorted.map { ranks[Int(code($0, &interner))] } == Array(0..<UInt32(sorted.count)))
        }
    }

    @Test func aStringHasTheSameCodeWhereverItComesFrom() {
        var random = SeededRandom(seed: 331)
        for _ in 0..<20 {
            let strings = strings(&random)
            var first = StringInterner()
            for string in strings { _ = code(string, &first) }
            let decoded = StringTable(bytes: first.table().bytes, offsets: first.table().offsets)
            #expect(decoded.hashes == first.table().hashes)
            var second = StringInterner()
            _ = code(Array("another".utf8), &second)
            for code in (0..<UInt32(decoded.count)).reversed() {
                let known = second.code(of: code, in: decoded, decoded.hashes)
                #expect(second.code(of: code, in: first) == known)
                #expect(Array(second.bytes[second.range(of: known)]) == Array(decoded.bytes[decoded.range(of: code)]))
            }
        }
    }
}
