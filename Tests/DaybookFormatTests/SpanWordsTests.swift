import DaybookFormat
import DaybookTestSupport
import Testing

struct SpanWordsTests {
    private func end(_ bytes: [UInt8], from start: Int = 0) -> Int { bytes.span.endOfPrintable(from: start) }

    private func matches(_ bytes: [UInt8], _ range: Range<Int>, _ expected: [UInt8]) -> Bool {
        bytes.span.matches(range, expected)
    }

    @Test func everyByteAtEveryPositionIsPrintableOrTheEnd() {
        for position in 0..<27 {
            for byte in UInt8.min...UInt8.max {
                var bytes = [UInt8](repeating: 0x41, count: 27)
                bytes[position] = byte
                let expected = (0x20...0x7E).contains(byte) ? 27 : position
                #expect(end(bytes) == expected)
                #expect(end(bytes, from: position) == expected)
            }
        }
    }

    @Test func theFirstByteThatIsNotPrintableIsFoundAmongOthers() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<2_000 {
            let bytes = (0..<random.below(40)).map { _ -> UInt8 in
                // Mostly bytes at the bounds, where a carry or a borrow would show.
                [0x00, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0xFF][random.below(7)]
            }
            let expected = bytes.firstIndex { !(0x20...0x7E).contains($0) } ?? bytes.count
            #expect(end(bytes) == expected)
        }
    }

    @Test func aRangeMatchesItselfAndNothingElse() {
        let bytes = (0..<40).map { UInt8($0 * 3) }
        for byteCount in 0..<30 {
            let expected = Array(bytes[5..<5 + byteCount])
            #expect(matches(bytes, 5..<5 + byteCount, expected))
            #expect(!matches(bytes, 5..<6 + byteCount, expected))
            for position in expected.indices {
                var changed = expected
                changed[position] ^= 0x80
                #expect(!matches(bytes, 5..<5 + byteCount, changed))
            }
        }
    }
}
