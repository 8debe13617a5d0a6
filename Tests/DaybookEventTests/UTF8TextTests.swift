import DaybookTestSupport
import Testing

@testable import DaybookEvent

struct UTF8TextTests {
    private func firstInvalidByte(_ bytes: [UInt8]) -> Int? {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return nil }
            return unsafe UTF8Text.firstInvalidByte(start, buffer.count)
        }
    }

    /// What the standard library says.
    private func expected(_ bytes: [UInt8]) -> Int? {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }

    @Test func `every sequence of two bytes is judged as the standard library does`() {
        for first in 0...UInt8.max {
            for second in 0...UInt8.max {
                let bytes = [first, second]
                #expect(firstInvalidByte(bytes) == expected(bytes), "\(bytes)")
            }
        }
    }

    @Test func `three and four bytes behind ASCII are judged as the standard library does`() {
        let edges: [UInt8] = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xED, 0xF4, 0xFF]
        let firsts: [UInt8] = [0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5]
        for padding in [0, 1, 29, 30, 31, 32, 33, 61] {
            let ascii = [UInt8](repeating: 0x61, count: padding)
            for first in firsts {
                for second in edges {
                    for third in edges {
                        for fourth in edges {
                            let bytes = ascii + [first, second, third, fourth]
                            guard firstInvalidByte(bytes) != expected(bytes) else { continue }
                            Issue.record("\(bytes)")
                        }
                    }
                }
            }
        }
    }

    @Test func `texts of random characters are valid wherever they are not cut`() {
        var random = SeededRandom(seed: 8)
        for _ in 0..<2_000 {
            var text = ""
            for _ in 0..<random.below(60) {
                let scalar = Unicode.Scalar(UInt32(random.below(random.oneIn(2) ? 0x80 : 0x11_0000)))
                text.unicodeScalars.append(scalar ?? "?")
            }
            let bytes = Array(text.utf8)
            #expect(firstInvalidByte(bytes) == nil)
            let cut = Array(bytes.prefix(random.below(bytes.count + 1)))
            #expect(firstInvalidByte(cut) == expected(cut))
        }
    }
}
