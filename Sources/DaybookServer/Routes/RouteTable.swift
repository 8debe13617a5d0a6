internal import HTTPTypes

/// Every path and its methods: what tells 404 from 405, and what `Allow` and `OPTIONS` say. `{}` stands for one
/// component of any text.
enum RouteTable {
    private static let metrics: [(path: String, methods: [String])] = [
        ("/api/v1/metrics/command-execution", ["POST"]),
        ("/api/v1/metrics/agent-interaction", ["POST"]),
        ("/api/v1/metrics/session/start", ["POST"]),
        ("/api/v1/metrics/session/end", ["POST"]),
        ("/api/v1/metrics/session/{}", ["PUT"]),
        ("/api/v1/metrics/productivity", ["GET", "HEAD", "POST"]),
        ("/api/v1/metrics/batch", ["POST"]),
        ("/api/v1/metrics/import", ["POST"]),
        ("/api/v1/metrics/aggregated", ["GET", "HEAD"]),
        ("/api/v1/metrics/commands", ["GET", "HEAD"]),
        ("/api/v1/metrics/agents", ["GET", "HEAD"]),
        ("/api/v1/metrics/sessions", ["GET", "HEAD"]),
        ("/api/metrics/commands", ["GET", "HEAD", "POST"]),
        ("/api/metrics/agents", ["GET", "HEAD", "POST"]),
        ("/api/metrics/sessions", ["GET", "HEAD"]),
        ("/api/metrics/sessions/start", ["POST"]),
        ("/api/metrics/sessions/{}/end", ["POST"]),
        ("/api/metrics/sessions/{}", ["PUT"]),
        ("/api/metrics/productivity", ["GET", "HEAD", "POST"]),
        ("/api/metrics/batch", ["POST"]),
        ("/api/metrics/aggregated", ["GET", "HEAD"]),
    ]

    private static let service: [(path: String, methods: [String])] = [
        ("/health", ["GET", "HEAD"]),
        ("/health/live", ["GET", "HEAD"]),
        ("/health/ready", ["GET", "HEAD"]),
        ("/health/storage", ["GET", "HEAD"]),
        ("/health/database", ["GET", "HEAD"]),
        ("/version", ["GET", "HEAD"]),
        ("/metrics", ["GET", "HEAD"]),
    ]

    /// The methods of a path, or nil when there is no such path.
    static func methods(path: String) -> [String]? {
        if path == "*" { return ["GET", "HEAD", "POST", "PUT", "OPTIONS"] }
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for route in metrics + service where matches(parts, route.path) { return route.methods + ["OPTIONS"] }
        return nil
    }

    private static func matches(_ parts: [Substring.UTF8View], _ pattern: String) -> Bool {
        let expected = pattern.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard expected.count == parts.count else { return false }
        return zip(expected, parts).allSatisfy { expected, part in
            expected.elementsEqual("{}".utf8) ? !part.isEmpty : expected.elementsEqual(part)
        }
    }
}
