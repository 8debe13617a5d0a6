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

    private static let identity: [(path: String, methods: [String])] = [
        ("/api/v1/keys", ["GET", "HEAD", "POST"]),
        ("/api/v1/keys/{}", ["DELETE"]),
        ("/api/v1/keys/{}/rotate", ["POST"]),
        ("/api/v1/users", ["GET", "HEAD"]),
        ("/api/v1/users/{}", ["GET", "HEAD", "PUT", "DELETE"]),
        ("/api/v1/teams", ["GET", "HEAD"]),
        ("/api/v1/teams/{}", ["GET", "HEAD", "PUT", "DELETE"]),
        ("/api/v1/organizations", ["GET", "HEAD", "POST"]),
        ("/api/v1/organizations/{}", ["GET", "HEAD", "PUT", "DELETE"]),
        ("/api/v1/organization/config", ["GET", "HEAD", "PUT"]),
        ("/api/v1/organization/limits", ["GET", "HEAD", "PUT"]),
        ("/admin/rate-limits", ["GET", "HEAD", "PUT"]),
        ("/api/v1/audit", ["GET", "HEAD"]),
        ("/api/v1/dead-letters", ["GET", "HEAD", "DELETE"]),
        ("/api/v1/dead-letters/{}", ["GET", "HEAD", "DELETE"]),
        ("/api/v1/dead-letters/{}/replay", ["POST"]),
        ("/api/v1/auth/token", ["POST"]),
        ("/api/v1/auth/refresh", ["POST"]),
        ("/api/v1/auth/revoke", ["POST"]),
        ("/.well-known/jwks.json", ["GET", "HEAD"]),
    ]

    private static let service: [(path: String, methods: [String])] = [
        ("/health", ["GET", "HEAD"]),
        ("/health/live", ["GET", "HEAD"]),
        ("/health/ready", ["GET", "HEAD"]),
        ("/health/storage", ["GET", "HEAD"]),
        ("/health/database", ["GET", "HEAD"]),
        ("/version", ["GET", "HEAD"]),
        ("/metrics", ["GET", "HEAD"]),
        ("/openapi.json", ["GET", "HEAD"]),
        ("/schemas/{}", ["GET", "HEAD"]),
    ]

    /// Every path, for tests that ask all of them.
    static var all: [(path: String, methods: [String])] { metrics + identity + service }

    /// The methods of a path, or nil when there is no such path.
    static func methods(path: String) -> [String]? {
        if path == "*" { return everyMethod }
        return route(path: path).map { $0.methods + ["OPTIONS"] }
    }

    private static func route(path: String) -> (path: String, methods: [String])? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return all.first { matches(parts, $0.path) }
    }

    /// Method and path without what a client chooses, for the audit trail: an id may be the name of a user.
    static func name(_ method: String, _ target: String) -> String {
        method + " " + (pattern(of: target) ?? "")
    }

    /// The path of the route that a target in origin form leads to, with `{}` for what the client chose.
    static func pattern(of target: String) -> String? {
        route(path: path(of: target))?.path
    }

    /// The answer to a method that no route knows. It ends the connection: the decoder has given up on it.
    static func refusal(ofUnknownMethodAt target: String) -> ErrorResponse {
        guard let methods = methods(path: path(of: target)) else { return .notFound.closing() }
        return .methodNotAllowed(allow: methods.joined(separator: ", ")).closing()
    }

    /// The answer to TRACE and CONNECT, which no path allows.
    static func refusal(ofForbiddenMethodAt target: String) -> ErrorResponse {
        let methods = methods(path: path(of: target)) ?? everyMethod
        return .methodNotAllowed(allow: methods.joined(separator: ", ")).closing()
    }

    private static let everyMethod = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]

    private static func path(of target: String) -> String {
        let target = originForm(target)
        return String(target.prefix { $0 != "?" })
    }

    /// A target that names the scheme and host too, as proxies send it, without these.
    static func originForm(_ target: String) -> String {
        guard target.hasPrefix("http://") || target.hasPrefix("https://") else { return target }
        let rest = target.drop { $0 != ":" }.dropFirst(3)
        guard let slash = rest.firstIndex(of: "/") else { return "/" }
        return String(rest[slash...])
    }

    private static func matches(_ parts: [Substring.UTF8View], _ pattern: String) -> Bool {
        let expected = pattern.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard expected.count == parts.count else { return false }
        return zip(expected, parts).allSatisfy { expected, part in
            expected.elementsEqual("{}".utf8) ? !part.isEmpty : expected.elementsEqual(part)
        }
    }
}
