internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import Logging

/// What the log may tell of one request: at level debug of each, at any level of those that took long or failed by no fault
/// of their client.
///
/// With the pattern of the route it is all that a line holds, never the path, the query, a header field or a body: what a
/// client sends may be a secret or somebody's name.
struct RequestRecord {
    /// Whose request it is, once that is known.
    var credential: Credential?
    var trace: TraceID?
    /// When it was here completely, by the monotonic clock: from then on time is the server's. 0 before that, and for
    /// imports, whose bodies may take any time.
    var wholeNanoseconds: UInt64 = 0
    /// 0 until there is an answer.
    private(set) var status = 0
    /// Of an error that the connection has answered itself.
    private(set) var code: String?
    /// Of the answer's body.
    private(set) var byteCount = 0

    mutating func answered(status: Int, byteCount: Int = 0, code: String? = nil) {
        self.status = status
        self.byteCount = byteCount
        self.code = code
    }

    mutating func sent(_ byteCount: Int) { self.byteCount += byteCount }
    /// The status of an answer whose bytes were counted on the way.
    mutating func ended(status: Int) { self.status = status }

    /// Whether the server is to blame. A version of HTTP that it does not speak is the client's choice.
    var isFailure: Bool { status >= 500 && status != 505 }
}

extension ServerEnvironment {
    /// Whether every request is logged now.
    var logsRequests: Bool { logger.logLevel <= .debug }

    fileprivate func isSlow(_ record: RequestRecord, at now: UInt64) -> Bool {
        let limit = options.timeLimits.slowMilliseconds
        return limit > 0 && record.wholeNanoseconds > 0
            && now &- record.wholeNanoseconds >= UInt64(limit) * 1_000_000
    }
}

extension ConnectionHandler {
    /// The request has its answer, or never gets one: status 0 says that its client left before.
    func endRecord() {
        guard let record = request.record else { return }
        request.record = nil
        let now = environment.nanoseconds
        let isSlow = environment.isSlow(record, at: now)
        if isSlow || record.isFailure, let omittedCount = environment.troubles.admit(at: now) {
            var metadata = metadata(of: record, at: now)
            if omittedCount > 0 { metadata["omitted"] = .stringConvertible(omittedCount) }
            let message: Logger.Message =
                record.isFailure
                ? "The server could not do what was asked."
                : record.status > 0 ? "Answered slowly." : "The client left before its slow answer."
            environment.logger.log(level: record.status == 500 ? .error : .warning, message, metadata: metadata)
        } else if environment.logsRequests {
            environment.logger.debug(
                record.status > 0 ? "Answered." : "The client left before its answer.",
                metadata: metadata(of: record, at: now))
        }
    }

    private func metadata(of record: RequestRecord, at now: UInt64) -> Logger.Metadata {
        let nanoseconds = request.startedNanoseconds == 0 ? 0 : now &- request.startedNanoseconds
        // Where no request was understood there is neither.
        let route = request.target.isEmpty ? "none" : RouteTable.pattern(of: request.target) ?? "unknown"
        var metadata: Logger.Metadata = [
            "request_id": .string(request.id.text),
            "method": .string(request.method.isEmpty ? "none" : request.method),
            "route": .string(route),
            "latency_microseconds": .stringConvertible(Int(clamping: nanoseconds / 1_000)),
            "bytes": .stringConvertible(record.byteCount),
        ]
        if let credential = record.credential { metadata["organization"] = .string(credential.organization.id.text) }
        if let trace = record.trace { metadata["trace_id"] = .string(trace.text) }
        if let code = record.code { metadata["code"] = .string(code) }
        if record.status > 0 { metadata["status"] = .stringConvertible(record.status) }
        return metadata
    }
}
