internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import Logging

/// What the log tells of one request. Made only while such lines are written, so that a request whose line nobody
/// wants costs one comparison.
///
/// It knows the pattern of the route, never the path, the query, a header field or a body: what a client sends may be
/// a secret or somebody's name.
final class RequestRecord {
    let method: String
    let route: String
    /// Whose request it is, once that is known.
    var credential: Credential?
    /// 0 until there is an answer.
    private(set) var status = 0
    /// Of the answer's body.
    private(set) var byteCount = 0

    init(method: String, route: String) {
        self.method = method
        self.route = route
    }

    func answered(status: Int, byteCount: Int = 0) {
        self.status = status
        self.byteCount = byteCount
    }

    func sent(_ byteCount: Int) { self.byteCount += byteCount }
}

extension ServerEnvironment {
    /// Whether requests are logged now.
    var logsRequests: Bool { logger.logLevel <= .debug }
}

extension ConnectionHandler {
    /// Begins the record of the present request, when requests are logged.
    /// - Parameter target: in origin form; nil where none was understood.
    func beginRecord(method: String, target: String?) {
        guard environment.logsRequests else { return }
        let route = target.map { RouteTable.pattern(of: $0) ?? "unknown" } ?? "none"
        request.record = RequestRecord(method: method, route: route)
    }

    /// The request has its answer, or never gets one: status 0 says that its client left before.
    func endRecord() {
        guard let record = request.record else { return }
        request.record = nil
        let nanoseconds = request.startedNanoseconds == 0 ? 0 : environment.nanoseconds &- request.startedNanoseconds
        var metadata: Logger.Metadata = [
            "request_id": .string(request.id.text),
            "method": .string(record.method),
            "route": .string(record.route),
            "latency_microseconds": .stringConvertible(Int(clamping: nanoseconds / 1_000)),
            "bytes": .stringConvertible(record.byteCount),
        ]
        if let credential = record.credential { metadata["organization"] = .string(credential.organization.id.text) }
        if record.status > 0 { metadata["status"] = .stringConvertible(record.status) }
        environment.logger.debug(
            record.status > 0 ? "Answered." : "The client left before its answer.", metadata: metadata)
    }
}
