internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Health, version and the way to the counters. Strangers get the status and nothing more.
extension Routes {
    func addHealth(to router: Router<RouteContext>) {
        router.get("health") { request, _ in health(request, checks: ["storage", "http"]) }
        router.get("health/live") { _, _ in Self.json(Array(#"{"status":"healthy"}"#.utf8)) }
        router.get("health/ready") { request, _ in health(request, checks: ["storage", "http"]) }
        router.get("health/storage") { request, _ in health(request, checks: ["storage"]) }
        router.get("health/database") { request, _ in health(request, checks: ["storage"]) }
        router.get("version") { _, _ in
            var body = Array(#"{"name":"daybook","version":"#.utf8)
            JSONText.append(environment.options.version, to: &body)
            body.append(UInt8(ascii: "}"))
            return Self.json(body)
        }
        router.get("metrics") { request, context in
            _ = try authorize(request, context, .readInstanceMetrics)
            var headers = HTTPFields()
            headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            return Response(
                status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: prometheusText())))
        }
    }

    /// The storage is healthy while it takes events; the front while it is not being stopped.
    private func isHealthy(_ check: String) -> Bool {
        switch check {
        case "storage": environment.store.acceptsIngest
        default: !environment.isDraining
        }
    }

    /// An organization that is closed is a loss of part of the service only; background work that is not tried any more
    /// makes it slower; a certificate that is over, or one that could not be read, keeps some clients away, or soon will.
    private func isDegraded(_ check: String) -> Bool {
        guard check == "storage" else { return certificateFault != nil }
        return environment.store.statistics.closedOrganizationCount > 0 || environment.store.deadLetterStatus.count > 0
    }

    private var certificateFault: String? {
        guard let status = environment.security?.status else { return nil }
        if status.isExpired { return "the TLS certificate has expired" }
        return status.fault == nil ? nil : "the new TLS certificate could not be used"
    }

    private func status(_ checks: [String]) -> String {
        guard checks.allSatisfy(isHealthy) else { return #""unhealthy""# }
        return checks.contains(where: isDegraded) ? #""degraded""# : #""healthy""#
    }

    private func message(_ check: String, _ isHealthy: Bool) -> String {
        guard !isHealthy else {
            guard isDegraded(check) else { return "takes requests" }
            if check != "storage", let certificateFault { return "takes requests; \(certificateFault)" }
            let closedCount = environment.store.statistics.closedOrganizationCount
            let letterCount = environment.store.deadLetterStatus.count
            return "takes requests; closed organizations with a damaged manifest: \(closedCount); "
                + "dead letters: \(letterCount)"
        }
        guard check == "storage" else { return "is being stopped" }
        return environment.store.statistics.lastError ?? "takes no events"
    }

    private func health(_ request: Request, checks: [String]) -> Response {
        let isHealthy = checks.allSatisfy(isHealthy)
        let isKnown = isKnown(request)
        let now = environment.now
        var body = Array(#"{"status":"#.utf8)
        body.append(contentsOf: status(checks).utf8)
        if isKnown {
            body.append(contentsOf: #","timestamp":""#.utf8)
            TimestampText.append(now, to: &body)
            body.append(contentsOf: #"","checks":["#.utf8)
            for (position, check) in checks.enumerated() {
                if position > 0 { body.append(UInt8(ascii: ",")) }
                appendCheck(check, at: now, to: &body)
            }
            let uptime = max(0, now.microseconds - environment.startedAt.microseconds) / 1_000_000
            body.append(contentsOf: #"],"uptime":\#(uptime),"version":"#.utf8)
            JSONText.append(environment.options.version, to: &body)
        }
        body.append(UInt8(ascii: "}"))
        return Self.json(body, status: isHealthy ? .ok : .serviceUnavailable)
    }

    private func isKnown(_ request: Request) -> Bool {
        do throws(ErrorResponse) {
            return try credential(of: request) != nil
        } catch {
            // Nobody could look at the token now; the status is for everybody.
            return false
        }
    }

    private func appendCheck(_ name: String, at now: Timestamp, to body: inout [UInt8]) {
        let start = environment.nanoseconds
        let isHealthy = isHealthy(name)
        let elapsed = environment.nanoseconds - start
        body.append(contentsOf: #"{"name":"\#(name)","status":"#.utf8)
        body.append(contentsOf: status([name]).utf8)
        body.append(contentsOf: #","message":"#.utf8)
        JSONText.append(message(name, isHealthy), to: &body)
        body.append(contentsOf: #","responseTime":"#.utf8)
        body.append(millisecondsOf: elapsed)
        body.append(contentsOf: #","lastChecked":""#.utf8)
        TimestampText.append(now, to: &body)
        body.append(contentsOf: #""}"#.utf8)
    }
}
