/// `http://127.0.0.1:8080` as the tools take it: no name to resolve, no path, no encryption.
package enum ServerURL {
    package static func parse(_ text: String) throws -> (host: String, port: Int) {
        let scheme = "http://"
        guard text.hasPrefix(scheme) else {
            throw ToolError("'\(text)' does not begin with http://.", cure: "Write it as http://127.0.0.1:8080")
        }
        var rest = text.dropFirst(scheme.count)
        if rest.last == "/" { rest = rest.dropLast() }
        let host: Substring
        let port: Int?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
            host = rest[..<colon]
            port = Int(rest[rest.index(after: colon)...])
        } else {
            host = rest
            port = 80
        }
        guard !host.isEmpty, !host.contains("/"), let port, (1...65_535).contains(port) else {
            throw ToolError("'\(text)' is no server's address.", cure: "Write it as http://127.0.0.1:8080")
        }
        return (host == "localhost" ? "127.0.0.1" : String(host), port)
    }
}
