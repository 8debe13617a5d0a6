internal import DaybookControl
internal import NIOHTTP1

/// The fields that are the same in every answer, ready as bytes, each line with its end. An answer is never a page, so
/// that whatever a browser could do with one is forbidden.
struct AnswerFields: Sendable {
    private static let always: [(name: String, value: String)] = [
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ]

    /// Of answers that come over plain connections.
    private let plain: [(name: String, value: String)]
    /// Of answers that are encrypted, here or by a trusted proxy.
    private let secure: [(name: String, value: String)]
    private let plainBytes: [UInt8]
    private let secureBytes: [UInt8]
    let allowedOrigins: AllowedOrigins

    init(_ options: ServerOptions) {
        allowedOrigins = options.allowedOrigins
        plain = Self.always + (options.allowedOrigins.isEmpty ? [] : [("Vary", "Origin")])
        let seconds = options.strictTransportSeconds
        secure = plain + (seconds > 0 ? [("Strict-Transport-Security", "max-age=\(seconds)")] : [])
        plainBytes = Self.bytes(plain)
        secureBytes = Self.bytes(secure)
    }

    private static func bytes(_ fields: [(name: String, value: String)]) -> [UInt8] {
        fields.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
    }

    /// For answers that are put together as bytes.
    func append(to bytes: inout [UInt8], isSecure: Bool) {
        bytes.append(contentsOf: isSecure ? secureBytes : plainBytes)
    }

    /// For answers of the router. What a route says itself stays.
    func add(to headers: inout HTTPHeaders, isSecure: Bool) {
        for (name, value) in isSecure ? secure : plain where !headers.contains(name: name) {
            headers.add(name: name, value: value)
        }
    }
}

/// What a browser is told whose page may read the answer (Fetch standard, section 3.2).
enum CrossOrigin {
    private static let exposed =
        "Daybook-Durability, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id"
    private static let allowed = "Authorization, Content-Type, Idempotency-Key, Prefer, X-Request-Id, traceparent"
    /// How long a browser need not ask again.
    private static let maxAgeSeconds = 600

    private static let originField = Array("Access-Control-Allow-Origin: ".utf8)
    private static let exposedField = Array("\r\nAccess-Control-Expose-Headers: \(exposed)\r\n".utf8)

    static func append(_ origin: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: originField)
        bytes.append(contentsOf: origin.utf8)
        bytes.append(contentsOf: exposedField)
    }

    /// - Parameter isPreflight: whether the browser asks what it may send; the answer's `Allow` says the methods.
    static func add(_ origin: String, to headers: inout HTTPHeaders, isPreflight: Bool) {
        headers.replaceOrAdd(name: "Access-Control-Allow-Origin", value: origin)
        guard isPreflight, let methods = headers.first(name: "Allow") else {
            headers.replaceOrAdd(name: "Access-Control-Expose-Headers", value: exposed)
            return
        }
        headers.replaceOrAdd(name: "Access-Control-Allow-Methods", value: methods)
        headers.replaceOrAdd(name: "Access-Control-Allow-Headers", value: allowed)
        headers.replaceOrAdd(name: "Access-Control-Max-Age", value: String(maxAgeSeconds))
    }
}
