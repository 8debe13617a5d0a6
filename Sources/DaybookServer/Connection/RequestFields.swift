internal import DaybookCompression
internal import DaybookFormat
internal import DaybookStore
internal import NIOHTTP1

/// The header fields that the front acts on, read in one pass over the head.
struct RequestFields {
    enum Body: Equatable {
        case none
        case length(Int)
        case chunked
    }

    private(set) var hostCount = 0
    private(set) var hostIsValid = true
    private(set) var body = Body.none
    private(set) var wantsUpgrade = false
    private(set) var expectsContinue = false
    private(set) var hasUnknownExpectation = false
    private(set) var authorization: String?
    private(set) var authorizationCount = 0
    private(set) var contentType: String?
    private var contentEncoding: String?
    private var hasSeveralEncodings = false
    private(set) var idempotencyKey: String?
    private(set) var requestID: String?
    /// Nil for what is not well-formed, and for several.
    private(set) var trace: TraceID?
    private var traceCount = 0
    /// What the request says of durability; nil: nothing.
    private(set) var durability: Durability?
    /// `Prefer: handling=strict`: rather nothing than a part.
    private(set) var wantsStrictHandling = false
    /// `Accept` names newline-delimited JSON: the answer may come in lines.
    private(set) var acceptsNDJSON = false
    private(set) var origin: String?
    private(set) var asksForMethod = false
    /// All fields of this name as one list.
    private(set) var forwardedFor: String?
    private(set) var forwardedProtocol: String?
    private(set) var framingFailure: String?
    private var hasTransferEncoding = false
    private var hasContentLength = false

    init(_ head: HTTPRequestHead) {
        for (name, value) in head.headers {
            // Only names of these lengths mean anything here; the length picks the few comparisons that remain.
            switch name.utf8.count {
            case 4 where Self.equal(name, "host"): readHost(value)
            case 6 where Self.equal(name, "accept"): readAccepted(value)
            case 6 where Self.equal(name, "expect"): readExpectation(value)
            case 6 where Self.equal(name, "prefer"): readPreference(value)
            case 6 where Self.equal(name, "origin"): origin = value
            case 7 where Self.equal(name, "upgrade"): wantsUpgrade = true
            case 11 where Self.equal(name, "traceparent"):
                traceCount += 1
                trace = traceCount == 1 ? TraceID(traceparent: value.utf8) : nil
            case 12 where Self.equal(name, "content-type"): contentType = value
            case 12 where Self.equal(name, "x-request-id"): readRequestID(value)
            case 13 where Self.equal(name, "authorization"):
                authorization = value
                authorizationCount += 1
            case 14 where Self.equal(name, "content-length"): readLength(value)
            case 15 where Self.equal(name, "idempotency-key"): idempotencyKey = value
            case 15 where Self.equal(name, "x-forwarded-for"):
                forwardedFor = forwardedFor.map { "\($0),\(value)" } ?? value
            case 16 where Self.equal(name, "content-encoding"):
                hasSeveralEncodings = contentEncoding != nil
                contentEncoding = value
            case 17 where Self.equal(name, "transfer-encoding"): readTransferEncoding(value)
            case 17 where Self.equal(name, "x-forwarded-proto"): forwardedProtocol = value
            case 29 where Self.equal(name, "access-control-request-method"): asksForMethod = true
            default: break
            }
        }
        if hasContentLength && hasTransferEncoding {
            framingFailure = "Content-Length and Transfer-Encoding exclude each other."
        }
    }

    private mutating func readHost(_ value: String) {
        hostCount += 1
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"), UInt8(ascii: "~"):
                continue
            default: hostIsValid = false
            }
        }
    }

    private mutating func readExpectation(_ value: String) {
        if Self.equal(value, "100-continue") { expectsContinue = true } else { hasUnknownExpectation = true }
    }

    /// `durability` and `handling` anywhere in the list; preferences that are not known are ignored, as RFC 7240 has it.
    private mutating func readPreference(_ value: String) {
        for preference in value.utf8.split(separator: UInt8(ascii: ",")) {
            let text = String(Substring(preference)).filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            for known in Durability.allCases where Self.equal(text, "durability=\(known.name)") { durability = known }
            if Self.equal(text, "handling=strict") { wantsStrictHandling = true }
            if Self.equal(text, "handling=lenient") { wantsStrictHandling = false }
        }
    }

    /// A weight of zero is not looked for: nobody names a type to say that it is not wanted.
    private mutating func readAccepted(_ value: String) {
        for part in value.utf8.split(separator: UInt8(ascii: ",")) {
            let type = String(Substring(part)).prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
            if Self.ndjsonTypes.contains(type.lowercased()) { acceptsNDJSON = true }
        }
    }

    private mutating func readRequestID(_ value: String) {
        guard (1...FrontLimits.requestIDByteCountMax).contains(value.utf8.count) else { return }
        guard value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return }
        requestID = value
    }

    private mutating func readLength(_ value: String) {
        guard !hasContentLength, let length = Self.decimal(value) else {
            framingFailure = "Content-Length must be one number."
            return
        }
        hasContentLength = true
        body = .length(length)
    }

    private mutating func readTransferEncoding(_ value: String) {
        guard !hasTransferEncoding, Self.equal(value, "chunked") else {
            framingFailure = "Only the transfer coding chunked is understood."
            return
        }
        hasTransferEncoding = true
        body = .chunked
    }

    /// Digits only; lengths past the largest integer count as that, they are refused as too large anyway.
    private static func decimal(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text) ?? .max
    }

    private static func equal(_ text: String, _ lowercase: String) -> Bool { equalIgnoringCase(text, lowercase) }

    /// JSON, with the character set named or not.
    var isJSON: Bool {
        guard let contentType else { return false }
        return Self.isJSON(contentType)
    }

    static func isJSON(_ contentType: String) -> Bool { matches(contentType, [jsonType]) }

    /// Newline-delimited JSON under any of its names.
    var isNDJSON: Bool {
        guard let contentType else { return false }
        return Self.matches(contentType, Self.ndjsonTypes)
    }

    static let jsonType = "application/json"
    static let ndjsonTypes = [
        "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
    ]

    private static func matches(_ value: String, _ types: [String]) -> Bool {
        if types.contains(value) { return true }
        let parts = value.lowercased().split(separator: ";", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " && $0 != "\t" } }
        guard let type = parts.first, types.contains(String(type)) else { return false }
        return parts.dropFirst().allSatisfy { $0.isEmpty || $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" }
    }

    /// How the body is packed; nil when nobody here can read it.
    var contentCoding: ContentCoding? {
        guard let contentEncoding, !contentEncoding.isEmpty else { return .identity }
        let name = contentEncoding.lowercased()
        if hasSeveralEncodings { return nil }
        return name == "identity" ? .identity : Packing(contentCoding: name).map { .packed($0) }
    }

    enum ContentCoding: Equatable {
        case identity
        case packed(Packing)

        var packing: Packing? {
            if case .packed(let packing) = self { packing } else { nil }
        }
    }
}

/// ASCII letters compare without regard to case. Precondition: `lowercase` is ASCII in lower case.
func equalIgnoringCase(_ text: String, _ lowercase: String) -> Bool {
    guard text.utf8.count == lowercase.utf8.count else { return false }
    var expected = lowercase.utf8.makeIterator()
    for byte in text.utf8 {
        let folded = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
        guard expected.next() == folded else { return false }
    }
    return true
}
