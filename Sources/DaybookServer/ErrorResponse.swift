internal import DaybookControl
internal import DaybookEvent
internal import DaybookLog

/// One answer that says no, the same on every route and in the HTTP layer itself. The table of codes is section 2 of
/// the HTTP contract; every mapping from an inner reason to a status stands in this file.
package struct ErrorResponse: Error, Equatable, Sendable {
    package struct FieldFailure: Equatable, Sendable {
        package var field: String
        package var message: String
        package init(field: String, message: String) {
            self.field = field
            self.message = message
        }
    }

    package var status: Int
    package var code: String
    package var message: String
    package var failures: [FieldFailure] = []
    /// Seconds, for `Retry-After` and `retry_after`.
    package var retryAfterSeconds: Int?
    /// With 429: the limit that was met.
    var rate: RateStanding?
    /// The methods of `Allow`, in the form of that header.
    package var allow: String?
    /// What follows on this connection cannot be trusted or is not wanted: close it behind the answer.
    package var closes = false

    package init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    func closing() -> ErrorResponse {
        var copy = self
        copy.closes = true
        return copy
    }

    func retryable(afterSeconds seconds: Int) -> ErrorResponse {
        var copy = self
        copy.retryAfterSeconds = seconds
        return copy
    }

    static func methodNotAllowed(allow: String) -> ErrorResponse {
        var response = ErrorResponse(405, "method_not_allowed", "This method is not allowed here.")
        response.allow = allow
        return response
    }

    static func invalid(_ code: String, _ failures: [FieldFailure]) -> ErrorResponse {
        var response = ErrorResponse(400, code, code == "invalid_query" ? "Invalid query" : "Validation failed")
        response.failures = failures
        return response
    }

    static func badRequest(_ message: String) -> ErrorResponse {
        ErrorResponse(400, "bad_request", message).closing()
    }

    static let malformed = badRequest("This is not a well-formed HTTP/1.1 request.")
    static let unauthorized = ErrorResponse(401, "unauthorized", "A valid credential is required.")
    static let notFound = ErrorResponse(404, "not_found", "There is nothing here.")
    static let timeout = ErrorResponse(408, "timeout", "The request took too long to arrive.").closing()
    static let payloadTooLarge = ErrorResponse(
        413, "payload_too_large", "The body is larger than 10 MiB.")
    static let uriTooLong = ErrorResponse(414, "uri_too_long", "The request target is longer than 8 KiB.").closing()
    static let headersTooLarge = ErrorResponse(
        431, "headers_too_large", "The header fields are larger or more than allowed."
    ).closing()
    static let overloaded = ErrorResponse(
        503, "overloaded", "Too much is in flight; try again shortly."
    ).retryable(afterSeconds: 1)
    static let tooManyConnections = overloaded.closing()
    static let shuttingDown = ErrorResponse(
        503, "shutting_down", "The server is shutting down."
    ).retryable(afterSeconds: 5)
    static let queryTimeout = ErrorResponse(
        503, "query_timeout", "The query took too long; ask for less."
    ).retryable(afterSeconds: 30)
    static let storageUnavailable = ErrorResponse(
        503, "storage_unavailable", "Storage temporarily unavailable"
    ).retryable(afterSeconds: 30)
    static let organizationClosed = ErrorResponse(
        503, "storage_unavailable",
        "This organization is closed, because its manifest is damaged; its operator has to rebuild it."
    ).retryable(afterSeconds: 30)
    static let actTimeout = ErrorResponse(
        503, "durability_unknown", "It may or may not have been done; look before you try again."
    ).retryable(afterSeconds: 5)
    static let commitTimeout = ErrorResponse(
        503, "durability_unknown",
        "The events may or may not have been stored; retry with the same idempotency key."
    ).retryable(afterSeconds: 5)

    static func unsupportedMediaType(_ message: String) -> ErrorResponse {
        ErrorResponse(415, "unsupported_media_type", message)
    }

    static func forbidden(_ permission: Permission) -> ErrorResponse {
        ErrorResponse(403, "forbidden", "This needs the permission \(permission.rawValue).")
    }
}

extension ErrorResponse {
    /// Why the store did not take a submission.
    /// - Parameter isBatch: whether the fields of a session stand in a list of the body.
    init(_ refusal: CommitRefusal, isBatch: Bool = false) {
        switch refusal {
        case .idempotencyConflict:
            self.init(409, "conflict", "This idempotency key was used with another request.")
        case .sessionNotFound:
            self.init(404, "not_found", "There is no such session.")
        case .sessionEnded(let place):
            self.init(409, "conflict", "The session has already ended.")
            if isBatch {
                let path = "user_sessions[\(place.session)].id"
                failures = [FieldFailure(field: path, message: "is a session that has already ended")]
            }
        case .sessionTooLarge(let place, let field, let message):
            let path = isBatch ? "user_sessions[\(place.session)].\(field)" : field
            self = .invalid("validation_failed", [FieldFailure(field: path, message: message)])
        case .storageUnavailable:
            self = .storageUnavailable
        case .quotaExceeded:
            self = .storageUnavailable.retryable(afterSeconds: 300)
            message = "The storage quota is used up; nothing is stored until older events expire or are deleted."
        case .durabilityUnknown:
            self = .commitTimeout
        case .overloaded:
            self = .overloaded
        case .shuttingDown:
            self = .shuttingDown
        case .organizationDeleted:
            self = .unauthorized
        case .organizationDamaged:
            self = .organizationClosed
        }
    }
}

extension ErrorResponse {
    /// Why an administrative verb was not carried out.
    init(_ refusal: Administration.Refusal) {
        switch refusal.code {
        case "not_found": self.init(404, refusal.code, refusal.message)
        case "conflict": self.init(409, refusal.code, refusal.message)
        case "forbidden": self.init(403, refusal.code, refusal.message)
        case "unauthorized": self = .unauthorized
        case "rate_limited":
            self = ErrorResponse(429, refusal.code, refusal.message)
                .retryable(afterSeconds: Int(refusal.retrySeconds ?? 60))
        case "validation_failed", "invalid_query":
            self = .invalid(
                refusal.code, refusal.faults.map { FieldFailure(field: $0.field, message: $0.message) })
            if refusal.faults.isEmpty { message = refusal.message }
        default: self = .storageUnavailable
        }
    }
}

extension ErrorResponse {
    /// The body. `latencyNanoseconds` is told where clients of the contract read it, with 503.
    func body(requestID: String, latencyNanoseconds: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256 + 96 * failures.count)
        bytes.append(contentsOf: #"{"success":false,"code":"#.utf8)
        JSONText.append(code, to: &bytes)
        bytes.append(contentsOf: #","message":"#.utf8)
        JSONText.append(message, to: &bytes)
        if !failures.isEmpty {
            bytes.append(contentsOf: #","errors":["#.utf8)
            for (position, failure) in failures.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: #"{"field":"#.utf8)
                JSONText.append(failure.field, to: &bytes)
                bytes.append(contentsOf: #","message":"#.utf8)
                JSONText.append(failure.message, to: &bytes)
                bytes.append(UInt8(ascii: "}"))
            }
            bytes.append(UInt8(ascii: "]"))
        }
        if let retryAfterSeconds {
            bytes.append(contentsOf: #","retry_after":\#(retryAfterSeconds)"#.utf8)
        }
        if let rate {
            bytes.append(UInt8(ascii: ","))
            rate.appendObjectStart(to: &bytes)
            bytes.append(contentsOf: #"","retry_after":\#(retryAfterSeconds ?? 0)}"#.utf8)
        }
        if status == 503 {
            bytes.append(contentsOf: #","performance":{"processing_latency_ms":"#.utf8)
            bytes.append(millisecondsOf: latencyNanoseconds)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(contentsOf: #","request_id":"#.utf8)
        JSONText.append(requestID, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// Header fields beside the type and length of the body.
    var headerFields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if status == 401 { fields.append(("WWW-Authenticate", "Bearer")) }
        if let retryAfterSeconds { fields.append(("Retry-After", "\(retryAfterSeconds)")) }
        if let allow { fields.append(("Allow", allow)) }
        return fields
    }

    /// The reason phrase of the status line.
    var reason: StaticString {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Internal Server Error"
        }
    }
}
