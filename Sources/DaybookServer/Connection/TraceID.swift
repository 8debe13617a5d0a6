/// The trace that a request is part of, as its client says in the field `traceparent` (W3C Trace Context, section 3.2).
/// It stands in the log lines of the request, so that these are found by it.
struct TraceID: Equatable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Nil for a value that is not well-formed, which counts as none: version, trace, parent and flags in lower-case
    /// hexadecimal digits, neither id zero. Versions to come may have more behind that, version ff is none.
    init?(traceparent value: some Sequence<UInt8>) {
        let hyphen = UInt8(ascii: "-")
        var bytes = value.makeIterator()
        guard let version = Self.number(ofDigits: 2, &bytes), version != 0xFF, bytes.next() == hyphen,
            let high = Self.number(ofDigits: 16, &bytes), let low = Self.number(ofDigits: 16, &bytes), high | low != 0,
            bytes.next() == hyphen, let parent = Self.number(ofDigits: 16, &bytes), parent != 0,
            bytes.next() == hyphen, Self.number(ofDigits: 2, &bytes) != nil
        else { return nil }
        let next = bytes.next()
        guard next == nil || version > 0 && next == hyphen else { return nil }
        self.high = high
        self.low = low
    }

    private static func number(ofDigits count: Int, _ bytes: inout some IteratorProtocol<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for _ in 0..<count {
            switch bytes.next() {
            case let digit? where (0x30...0x39).contains(digit): number = number << 4 | UInt64(digit - 0x30)
            case let letter? where (0x61...0x66).contains(letter): number = number << 4 | UInt64(letter - 0x57)
            default: return nil
            }
        }
        return number
    }

    /// 32 lower-case hexadecimal digits.
    var text: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
