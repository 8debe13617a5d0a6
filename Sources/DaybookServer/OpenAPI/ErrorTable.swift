internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog

/// Every status and code of an error, with an error of that kind and when it comes. A test holds the table against the
/// sources, and another one every answer of every route against what the table says of that route.
enum ErrorTable {
    struct Row: Sendable {
        let sample: ErrorResponse
        /// When it comes, as a sentence.
        let meaning: String

        init(_ sample: ErrorResponse, _ meaning: String) {
            self.sample = sample
            self.meaning = meaning
        }

        var status: Int { sample.status }
        var code: String { sample.code }
    }

    static let badRequest = Row(
        .badRequest("A request has exactly one Host field."),
        "Framing, chunks, `Host`, or a header field that is not what it has to be.")
    static let invalidJSON = Row(
        ErrorResponse(
            rejected: [FieldError(field: "body", message: "a value was expected at byte 21")], code: .invalidJSON),
        "The body is not well-formed JSON in UTF-8, or a key stands twice.")
    static let validationFailed = Row(
        ErrorResponse(
            rejected: [FieldError(field: "execution_time_ms", message: "must be from 0 to 3600000")],
            code: .validationFailed),
        "Fields are wrong, missing or unknown: `errors` lists up to \(Limits.listedFieldErrorCountMax) of them.")
    static let invalidQuery = Row(
        .invalid("invalid_query", [.init(field: "limit", message: "must be a whole number from 1 to 1000")]),
        "Parameters are wrong or unknown, the cursor belongs to another question, or the answer would be too large.")
    static let unauthorized = Row(
        .unauthorized, "There is no valid credential; the same for every cause.")
    static let forbidden = Row(
        .forbidden(.sendEvents), "The credential is good, and may not do this.")
    static let notFound = Row(.notFound, "Nobody has this id, or another organization.")
    static let methodNotAllowed = Row(
        .methodNotAllowed(allow: "GET, HEAD, OPTIONS"), "Another method of this path; `Allow` lists those that it has.")
    static let timeout = Row(.timeout, "Head or body took longer than 30 seconds.")
    static let conflict = Row(
        ErrorResponse(.idempotencyConflict),
        "An idempotency key of another request, or something that was ended before.")
    static let payloadTooLarge = Row(
        .payloadTooLarge, "The body is too large: as it was sent, announced, or after unpacking.")
    static let uriTooLong = Row(.uriTooLong, "The target is longer than \(FrontLimits.uriByteCountMax >> 10) KiB.")
    static let unsupportedMediaType = Row(
        .unsupportedMediaType("The body must be application/json in UTF-8."),
        "Another media type, character set or content coding.")
    static let expectationFailed = Row(
        ErrorResponse(417, "expectation_failed", "Only the expectation 100-continue is understood.").closing(),
        "`Expect` holds anything but `100-continue`.")
    static let rateLimited = Row(
        .rateLimited(standing(limit: 100), retryAfterSeconds: 12),
        "The organization, or the client address, has sent too much; `Retry-After` says when it may again.")
    static let tooManyConcurrent = Row(
        .tooManyConcurrent(standing(limit: 5)), "Too many batches and imports of the organization are under way.")
    static let headersTooLarge = Row(
        .headersTooLarge,
        """
        More than \(FrontLimits.headerFieldCountMax) header fields, one of more than \
        \(FrontLimits.headerFieldByteCountMax >> 10) KiB, or more than \(FrontLimits.headerListByteCountMax >> 10) KiB together.
        """)
    static let overloaded = Row(.overloaded, "Too many connections, or too much in flight.")
    static let queryTimeout = Row(.queryTimeout, "The question took longer than 4 seconds.")
    static let storageUnavailable = Row(
        .storageUnavailable, "The disk is full or has failed, a quota is used up, or the organization is closed.")
    static let durabilityUnknown = Row(
        .commitTimeout, "It may or may not have been done: ask, or repeat it with the same idempotency key.")
    static let shuttingDown = Row(.shuttingDown, "The server is being stopped.")
    static let versionNotSupported = Row(
        ErrorResponse(505, "http_version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.").closing(),
        "Another version of HTTP.")

    static let all: [Row] = [
        badRequest, invalidJSON, validationFailed, invalidQuery, unauthorized, forbidden, notFound, methodNotAllowed,
        timeout, conflict, payloadTooLarge, uriTooLong, unsupportedMediaType, expectationFailed, rateLimited,
        tooManyConcurrent, headersTooLarge, overloaded, queryTimeout, storageUnavailable, durabilityUnknown,
        shuttingDown,
        versionNotSupported,
    ]

    /// What every path may answer, whatever it is about: the connection says so before any route is asked.
    static let ofEveryPath: [Row] = [
        badRequest, methodNotAllowed, timeout, payloadTooLarge, uriTooLong, expectationFailed, rateLimited,
        headersTooLarge, overloaded, versionNotSupported,
    ]

    private static func standing(limit: UInt64) -> RateStanding {
        // 2026-01-05T09:31:00Z
        guard let standing = RateStanding(innerValue: "\(limit) 0 1767605460000000 12") else {
            preconditionFailure("four numbers")
        }
        return standing
    }
}
