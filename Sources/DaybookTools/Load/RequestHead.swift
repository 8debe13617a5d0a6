/// Puts a request together in a connection's own buffer, so that it leaves in one system call.
struct RequestHead: Sendable {
    private let starts: [[UInt8]]
    private let keys: [[UInt8]]
    private static let length = Array("\r\nContent-Length: ".utf8)
    private static let end = Array("\r\n\r\n".utf8)

    /// - Parameter questions: paths and queries of what is asked; they come behind `paths`.
    init(host: String, port: Int, paths: [String], questions: [String] = [], keys: [String]) {
        let posted = paths.map { path in
            Array(
                """
                POST \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nContent-Type: application/json\r\nAuthorization: Bearer \

                """.utf8)
        }
        let asked = questions.map { target in
            Array(
                """
                GET \(target) HTTP/1.1\r\nHost: \(host):\(port)\r\nCache-Control: no-cache\r\nAuthorization: Bearer \

                """.utf8)
        }
        starts = posted + asked
        self.keys = keys.map { Array($0.utf8) }
    }

    var keyCount: Int { keys.count }

    /// Replaces `bytes` by the request; returns where its body begins.
    func write(_ body: LoadWorkload.Body, key: Int, to bytes: inout [UInt8]) -> Int {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: starts[body.path])
        bytes.append(contentsOf: keys[key])
        if body.kind != .question {
            bytes.append(contentsOf: Self.length)
            Self.append(decimal: body.bytes.count, to: &bytes)
        }
        bytes.append(contentsOf: Self.end)
        let start = bytes.count
        bytes.append(contentsOf: body.bytes)
        return start
    }

    private static func append(decimal value: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
