internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat

/// What a client is told of a limit, in the header fields of an answer and in its body.
struct RateStanding: Equatable, Sendable {
    var limit: UInt64
    var remaining: UInt64
    /// When the whole limit is there again if nothing more is sent.
    var resetAt: Timestamp
    var resetSeconds: UInt64

    init(_ decision: RateDecision, at now: Timestamp) {
        limit = UInt64(decision.limit)
        remaining = UInt64(decision.remaining)
        resetAt = now.adding(microseconds: Int64(decision.resetNanoseconds / 1_000))
        resetSeconds = decision.resetSeconds
    }

    /// So many at a time, and all of them are under way.
    init(concurrent limit: UInt64, at now: Timestamp) {
        self.limit = limit
        remaining = 0
        resetAt = now.adding(microseconds: 1_000_000)
        resetSeconds = 1
    }

    var headerFields: [(name: String, value: String)] {
        [
            ("RateLimit-Limit", String(limit)), ("RateLimit-Remaining", String(remaining)),
            ("RateLimit-Reset", String(resetSeconds)),
        ]
    }

    /// How a connection tells the router's routes; what a client sends under this name is taken away.
    static let innerField = "Daybook-Rate-Standing"

    var innerValue: String { "\(limit) \(remaining) \(resetAt.microseconds) \(resetSeconds)" }

    /// Nil for any other text.
    init?(innerValue text: String) {
        let numbers = text.split(separator: " ").compactMap { UInt64($0) }
        guard numbers.count == 4, let reset = Int64(exactly: numbers[2]) else { return nil }
        (limit, remaining, resetSeconds) = (numbers[0], numbers[1], numbers[3])
        resetAt = Timestamp(microseconds: reset)
    }

    /// The same as bytes, each line with its end.
    func appendHeaderFields(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.limitField)
        bytes.append(decimal: limit)
        bytes.append(contentsOf: Self.remainingField)
        bytes.append(decimal: remaining)
        bytes.append(contentsOf: Self.resetField)
        bytes.append(decimal: resetSeconds)
        bytes.append(contentsOf: Self.lineEnd)
    }

    /// `"rate_limit":{…` up to the end of the time, whose quotation mark is left open.
    func appendObjectStart(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Self.limitKey)
        bytes.append(decimal: limit)
        bytes.append(contentsOf: Self.remainingKey)
        bytes.append(decimal: remaining)
        bytes.append(contentsOf: Self.resetKey)
        TimestampText.append(resetAt, to: &bytes)
    }

    /// What clients are told where there is no limit: the largest integer that every JSON reader keeps exactly, as they
    /// do arithmetic with it; the whole of it is there at any time.
    static let unlimited: UInt64 = 9_007_199_254_740_991

    static let unlimitedHeaderFields = [
        (name: "RateLimit-Limit", value: String(unlimited)), (name: "RateLimit-Remaining", value: String(unlimited)),
        (name: "RateLimit-Reset", value: "0"),
    ]

    /// The same as bytes, each line with its end.
    static let unlimitedHeaderBytes = Array(
        unlimitedHeaderFields.map { "\($0.name): \($0.value)\r\n" }.joined().utf8)

    private static let limitField = Array("RateLimit-Limit: ".utf8)
    private static let remainingField = Array("\r\nRateLimit-Remaining: ".utf8)
    private static let resetField = Array("\r\nRateLimit-Reset: ".utf8)
    private static let lineEnd = Array("\r\n".utf8)
    private static let limitKey = Array(#""rate_limit":{"limit":"#.utf8)
    private static let remainingKey = Array(#","remaining":"#.utf8)
    private static let resetKey = Array(#","reset_time":""#.utf8)
}
