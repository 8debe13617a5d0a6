internal import DaybookEvent
internal import DaybookFormat

/// The routes that write, served by the connection itself. Both spellings of a path are the same route.
enum IngestRoute: Equatable {
    case event(EventParser.Kind)
    case importLines

    /// The route of a request target, or nil when the general router has to answer.
    init?(isPut: Bool, uri: String) {
        guard uri.hasPrefix("/api/") else { return nil }
        let path = uri.utf8.contains(UInt8(ascii: "?")) ? String(uri.prefix { $0 != "?" }) : uri
        if isPut {
            // A path that has a route of its own is no session of that name, whose name has to be percent-encoded then.
            guard !Self.ownPaths.contains(path), let session = Self.session(in: path, suffix: "") else { return nil }
            self = .event(.sessionUpdate(sessionID: session))
            return
        }
        switch path {
        case "/api/v1/metrics/command-execution", "/api/metrics/commands": self = .event(.commandExecution)
        case "/api/v1/metrics/agent-interaction", "/api/metrics/agents": self = .event(.agentInteraction)
        case "/api/v1/metrics/batch", "/api/metrics/batch": self = .event(.batch)
        case "/api/v1/metrics/productivity", "/api/metrics/productivity": self = .event(.productivityMetric)
        case "/api/v1/metrics/session/start", "/api/metrics/sessions/start": self = .event(.sessionStart)
        case "/api/v1/metrics/session/end": self = .event(.sessionEnd(sessionID: nil))
        case "/api/v1/metrics/import": self = .importLines
        default:
            guard let session = Self.session(in: path, suffix: "/end") else { return nil }
            self = .event(.sessionEnd(sessionID: session))
        }
    }

    private static let ownPaths: Set = [
        "/api/v1/metrics/session/start", "/api/v1/metrics/session/end", "/api/metrics/sessions/start",
    ]

    /// The session named in the path, percent-decoded. Nil for another path; the parser judges the identifier itself.
    private static func session(in path: String, suffix: String) -> [UInt8]? {
        var rest: Substring
        if suffix.isEmpty, path.hasPrefix("/api/v1/metrics/session/") {
            rest = path.dropFirst("/api/v1/metrics/session/".count)
        } else if path.hasPrefix("/api/metrics/sessions/"), path.hasSuffix(suffix) {
            rest = path.dropFirst("/api/metrics/sessions/".count).dropLast(suffix.count)
        } else {
            return nil
        }
        guard !rest.isEmpty, !rest.utf8.contains(UInt8(ascii: "/")) else { return nil }
        return PercentEncoding.decode(rest.utf8)
    }

    /// Whether an answer reports one event or a batch.
    var isSingle: Bool {
        switch self {
        case .event(.batch), .importLines: false
        case .event: true
        }
    }
}

enum PercentEncoding {
    /// Nil for a percent sign that two hexadecimal digits do not follow. A plus sign stays what it is.
    static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return bytes
    }
}
