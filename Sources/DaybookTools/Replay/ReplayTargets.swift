internal import DaybookFormat
internal import DaybookSystem

/// Standard output or a file.
package struct SinkTarget: ReplayTarget {
    private let sink: any OutputSink
    package init(_ sink: any OutputSink) { self.sink = sink }
    package func write(_ line: [UInt8]) throws { try sink.write(line) }
    package func finish() throws { try sink.finish() }
}

/// Another Daybook, which takes the events as an import into the organization of the key.
package struct ServerTarget: ReplayTarget {
    private let connection: ServerConnection
    private let foreignField: [UInt8]
    private var body: [UInt8] = []
    private var lineCount = 0

    private static let lineCountMax = 1_000
    private static let bodyByteCountMax = 4 << 20

    /// - Parameter organization: where the events come from; the target's own organization takes its place.
    package init(url: String, key: String, organization: String) throws {
        connection = try ServerConnection(url: url, key: key)
        foreignField = Array("\"organization_id\":\"\(organization)\",".utf8)
    }

    package mutating func write(_ line: [UInt8]) throws {
        appendWithoutOrganization(line)
        lineCount += 1
        if lineCount >= Self.lineCountMax || body.count >= Self.bodyByteCountMax { try finish() }
    }

    package mutating func finish() throws {
        guard lineCount > 0 else { return }
        let answer = try connection.post("/api/v1/metrics/import", "application/x-ndjson", body)
        guard answer.status == 200 else {
            throw ToolError(
                "The server answered \(answer.status) to an import of \(lineCount) events: \(answer.text)",
                cure: "Nothing of these was stored. Cure what it says and replay from the last sequence that arrived.")
        }
        body.removeAll(keepingCapacity: true)
        lineCount = 0
    }

    /// The printer writes the field in one form and in one place, before any text from outside.
    private mutating func appendWithoutOrganization(_ line: [UInt8]) {
        guard let first = foreignField.first else { return }
        var position = 0
        while position + foreignField.count <= line.count {
            if line[position] == first, line[position..<position + foreignField.count].elementsEqual(foreignField) {
                body.append(contentsOf: line[..<position])
                body.append(contentsOf: line[(position + foreignField.count)...])
                return
            }
            position += 1
        }
        body.append(contentsOf: line)
    }
}

/// A blocking connection to a Daybook server for requests that come one after the other.
package final class ServerConnection {
    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var text: String
    }

    private let host: String
    private let key: String
    private let socket: StreamSocket
    private var reader = HTTPResponseReader(keepsBody: true)

    package init(url: String, key: String) throws {
        let (host, port) = try ServerURL.parse(url)
        guard let address = SocketAddress(hostAndPort: "\(host):\(port)") else {
            throw ToolError("'\(url)' names no address.", cure: "Write it with numbers: http://127.0.0.1:8080")
        }
        self.host = "\(host):\(port)"
        self.key = key
        do {
            socket = try StreamSocket.connect(to: address)
        } catch {
            throw ToolError("No server answers at \(url): \(error).", cure: "Start it, or give another URL.")
        }
    }

    package func post(_ path: String, _ mediaType: String, _ body: [UInt8]) throws -> Answer {
        let head = """
            POST \(path) HTTP/1.1\r\nHost: \(host)\r\nAuthorization: Bearer \(key)\r\nContent-Type: \(mediaType)\r\n\
            Content-Length: \(body.count)\r\n\r\n
            """
        try Array(head.utf8).withRawSpan { bytes in try socket.writeAll(bytes) }
        if !body.isEmpty { try body.withRawSpan { bytes in try socket.writeAll(bytes) } }
        while true {
            switch reader.advance() {
            case .complete(let status, _):
                return Answer(status: status, text: String(decoding: reader.body, as: UTF8.self))
            case .malformed:
                throw ToolError(
                    "The answer from \(host) is no HTTP.", cure: "Check that the URL is a Daybook server's.")
            case .needsMore:
                guard case .moved = try socket.read(64 << 10, appendingTo: &reader.buffer) else {
                    throw ToolError(
                        "\(host) closed the connection without an answer.",
                        cure: "It is not known whether the last events arrived: compare before you replay again.")
                }
            }
        }
    }
}
