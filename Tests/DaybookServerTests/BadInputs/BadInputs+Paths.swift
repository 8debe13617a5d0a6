import DaybookTestSupport

/// Targets that lead nowhere, methods that do not go there, and bodies of other kinds.
extension BadInputs {
    private static func nowhere(_ name: String, _ target: String, method: String = "GET") -> BadInput {
        BadInput(name, .target(target, method: method), 404, "not_found")
    }

    private static func nowhere(_ name: String, posting target: String) -> BadInput {
        BadInput(name, .body(Array("{\(BadInput.whole)}".utf8), target: target), 404, "not_found")
    }

    private static func line(_ name: String, _ target: String, _ status: Int = 400, _ code: String = "bad_request")
        -> BadInput
    {
        .raw(name, "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", status, code)
    }

    static let paths: [BadInput] = [
        nowhere("the root", "/"),
        nowhere("a path that nobody has", "/nothing"),
        nowhere("a file of other servers", "/.env"),
        nowhere("a script of other servers", "/wp-login.php"),
        nowhere("a path with capitals", "/Health"),
        nowhere("a slash at the end", "/health/"),
        nowhere("two slashes at the start", "//health"),
        nowhere("two slashes inside", "/api//v1/metrics/commands"),
        nowhere("a dot for a folder", "/api/./v1/metrics/commands"),
        nowhere("two dots for a folder", "/api/v1/metrics/../metrics/commands"),
        nowhere("two dots beyond the root", "/../../../../etc/passwd"),
        nowhere("two encoded dots", "/%2e%2e/%2e%2e/etc/passwd"),
        nowhere("a dot encoded twice", "/%252e%252e/health"),
        nowhere("an encoded slash", "/api%2Fv1/metrics/commands"),
        nowhere("a backslash", "/api\\v1\\metrics\\commands"),
        nowhere("an encoded backslash", "/api%5Cv1/metrics/commands"),
        nowhere("an encoded letter of the path", "/%68ealth"),
        nowhere("an encoded NUL at the end", "/health%00"),
        nowhere("an encoded line break", "/health%0D%0AX:%201"),
        nowhere("an encoded space at the end", "/health%20"),
        nowhere("a semicolon", "/health;session=1"),
        nowhere("a matrix parameter inside", "/api/v1;a=b/metrics/commands"),
        nowhere("an overlong encoded slash", "/api%c0%afv1/metrics/commands"),
        nowhere("an incomplete escape", "/health%"),
        nowhere("a path of 8,000 bytes", "/" + String(repeating: "a", count: 8_000)),
        nowhere("a path of two thousand folders", "/" + String(repeating: "a/", count: 2_000)),
        nowhere("a version that is not there", "/api/v2/metrics/commands"),
        nowhere("a slash behind a route that stores", posting: BadInput.command + "/"),
        nowhere("a dot behind a route that stores", posting: BadInput.command + "/."),
        nowhere("a route that stores, encoded", posting: "/api/v1/metrics/command%2Dexecution"),
        nowhere("an empty key", "/api/v1/keys//rotate", method: "POST"),
        nowhere("a key that is a path", "/api/v1/keys/a/b", method: "DELETE"),
        nowhere("a key that nobody has", "/api/v1/keys/key_0000000000000000", method: "DELETE"),
        nowhere("a key with an encoded path", "/api/v1/keys/..%2F..%2Fhealth", method: "DELETE"),
        nowhere("a key with a NUL", "/api/v1/keys/key_00%00", method: "DELETE"),
        nowhere("a key with a bad escape", "/api/v1/keys/%zz", method: "DELETE"),
        nowhere("a schema that is not there", "/schemas/Nothing.json"),
        nowhere("a schema beyond its folder", "/schemas/..%2F..%2Fetc%2Fpasswd"),
        nowhere("a schema without its ending", "/schemas/Batch"),
        line("no slash", "health"),
        line("a host that has no scheme", "a:80"),
        line("a scheme without a host", "http://", 404, "not_found"),
        line("a scheme of files", "ftp://a/health"),
        line("a star for a path", "*", 404, "not_found"),
        line("a script for a scheme", "javascript:alert(1)"),
        line("a fragment", "/health#part", 404, "not_found"),
        line("a space in the target", "/he alth"),
        line("a tab in the target", "/he\talth"),
        line("a bare carriage return in the target", "/he\ralth"),
        line("a NUL in the target", "/he\u{0}alth"),
        line("bare UTF-8 in the target", "/b\u{fc}ro"),
        line("a target of 9,000 bytes", "/" + String(repeating: "a", count: 9_000), 414, "uri_too_long"),
        line("a query of 9,000 bytes", "/health?" + String(repeating: "a", count: 9_000), 414, "uri_too_long"),
        line("a target of 70,000 bytes", "/" + String(repeating: "a", count: 70_000), 414, "uri_too_long"),
    ]

    private static func refused(_ method: String, _ target: String) -> BadInput {
        BadInput("\(method) \(target)", .target(target, method: method), 405, "method_not_allowed")
    }

    static let methods: [BadInput] = [
        refused("GET", BadInput.command), refused("DELETE", BadInput.command), refused("PUT", BadInput.batch),
        refused("PATCH", BadInput.productivity), refused("POST", "/api/v1/metrics/aggregated"),
        refused("DELETE", "/api/v1/metrics/sessions"), refused("GET", "/api/v1/metrics/import"),
        refused("POST", "/api/v1/metrics/session/nobody"), refused("PUT", "/api/v1/metrics/session/start"),
        refused("PUT", "/api/v1/metrics/session/end"), refused("PUT", "/api/metrics/sessions/start"),
        refused("GET", "/api/v1/keys/key_0000000000000000"), refused("PUT", "/api/v1/keys"),
        refused("POST", "/api/v1/organizations/acme"), refused("POST", "/api/v1/audit"),
        refused("POST", "/health"), refused("DELETE", "/metrics"), refused("PUT", "/openapi.json"),
        refused("POST", "/schemas/Batch.json"), refused("QUERY", "/api/v1/metrics/commands"),
        refused("PROPFIND", "/health"), refused("BREW", "/version"), refused("TRACE", "/health"),
        refused("CONNECT", "/health"), refused("get", "/health"), refused("GETGET", "/health"),
        .raw("a method of forty letters", "\(String(repeating: "A", count: 40)) /health HTTP/1.1\r\nHost: a\r\n\r\n"),
        .raw("a method with a bracket", "GE(T /health HTTP/1.1\r\nHost: a\r\n\r\n"),
        .raw("a method with a NUL", "GE\u{0}T /health HTTP/1.1\r\nHost: a\r\n\r\n"),
        .raw("no method", "/health HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    private static func typed(_ name: String, _ fields: [String], target: String = BadInput.command) -> BadInput {
        BadInput(
            name, .body(Array("{\(BadInput.whole)}".utf8), target: target, fields: fields), 415,
            "unsupported_media_type")
    }

    static let mediaTypes: [BadInput] = [
        typed("plain text", ["Content-Type: text/plain"]),
        typed("a form by its type", ["Content-Type: application/x-www-form-urlencoded"]),
        typed("parts", ["Content-Type: multipart/form-data; boundary=a"]),
        typed("XML by its type", ["Content-Type: application/xml"]),
        typed("CBOR", ["Content-Type: application/cbor"]),
        typed("JSON of a problem", ["Content-Type: application/problem+json"]),
        typed("JSON of a seller", ["Content-Type: application/vnd.example+json"]),
        typed("JSON for text", ["Content-Type: text/json"]),
        typed("JSON in another character set", ["Content-Type: application/json; charset=iso-8859-1"]),
        typed("JSON in UTF-16", ["Content-Type: application/json; charset=utf-16"]),
        typed("JSON with a parameter that nobody knows", ["Content-Type: application/json; profile=x"]),
        typed("an empty type", ["Content-Type: "]),
        typed("everything for a type", ["Content-Type: */*"]),
        typed("two types", ["Content-Type: application/json, text/plain"]),
        typed("NDJSON where one event is wanted", ["Content-Type: application/x-ndjson"]),
        typed("plain text for an import", ["Content-Type: text/plain"], target: "/api/v1/metrics/import"),
        typed("plain text for a key", ["Content-Type: text/plain"], target: "/api/v1/keys"),
        typed("brotli", ["Content-Encoding: br"]),
        typed("deflate", ["Content-Encoding: deflate"]),
        typed("zstd", ["Content-Encoding: zstd"]),
        typed("gzip twice in one field", ["Content-Encoding: gzip, gzip"]),
        typed("gzip in two fields", ["Content-Encoding: gzip", "Content-Encoding: gzip"]),
        typed("gzip with a weight", ["Content-Encoding: gzip;q=1"]),
        .raw(
            "no type at all",
            "POST \(BadInput.command) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nContent-Length: 2\r\n\r\n{}",
            415, "unsupported_media_type"),
        BadInput(
            "an empty idempotency key",
            .body(Array("{\(BadInput.whole)}".utf8), target: BadInput.command, fields: ["Idempotency-Key: "]), 400,
            "bad_request"),
        BadInput(
            "an idempotency key of 129",
            .body(
                Array("{\(BadInput.whole)}".utf8), target: BadInput.command,
                fields: ["Idempotency-Key: " + String(repeating: "k", count: 129)]), 400, "bad_request"),
        BadInput(
            "an idempotency key with a space",
            .body(Array("{\(BadInput.whole)}".utf8), target: BadInput.command, fields: ["Idempotency-Key: a b"]), 400,
            "bad_request"),
        BadInput(
            "an idempotency key with an accent",
            .body(Array("{\(BadInput.whole)}".utf8), target: BadInput.batch, fields: ["Idempotency-Key: \u{e9}"]), 400,
            "bad_request"),
    ]
}
