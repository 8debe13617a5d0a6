import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Foundation
import Synchronization
import Testing

/// One answer as it came over the wire.
struct Reply: Sendable {
    var status: Int
    /// Names in lower case.
    var fields: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    func json() throws -> ParsedJSON { try ParsedJSON(parsing: body) }
    func code() throws -> String? { try json()["code"]?.string }

    /// Expects an error in the one form that all errors have.
    func expect(_ status: Int, _ code: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(self.status == status, "\(text)", sourceLocation: sourceLocation)
        let json = try json()
        #expect(json["success"] == .bool(false), sourceLocation: sourceLocation)
        #expect(json["code"]?.string == code, sourceLocation: sourceLocation)
        #expect(json["message"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
        #expect(json["request_id"]?.string == fields["x-request-id"], sourceLocation: sourceLocation)
        #expect(fields["content-type"] == "application/json", sourceLocation: sourceLocation)
    }
}

extension ParsedJSON {
    var string: String? {
        guard case .text(let bytes) = self else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    var count: Int? {
        guard case .array(let items) = self else { return nil }
        return items.count
    }
}

/// A raw connection: what is sent is what the test says, byte by byte.
final class TestConnection: Sendable {
    struct Ended: Error {}

    private let transport: any TestTransport
    private let input = Mutex<[UInt8]>([])

    init(_ transport: any TestTransport) { self.transport = transport }

    func close() { transport.close() }

    func send(_ text: String) async throws { try await send(bytes: Array(text.utf8)) }

    func send(bytes: [UInt8]) async throws {
        try await onThread { [transport] in try transport.send(bytes) }
    }

    func endWriting() async throws { try await onThread { [transport] in try transport.endWriting() } }

    func request(
        _ method: String, _ target: String, body: String? = nil, key: String?, fields: [String] = []
    ) async throws -> Reply {
        try await send(Self.text(method, target, body: body, key: key, fields: fields))
        return try await reply(isHead: method == "HEAD")
    }

    static func text(
        _ method: String, _ target: String, body: String? = nil, key: String?, fields: [String] = []
    ) -> String {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost"]
        if let key { lines.append("Authorization: Bearer \(key)") }
        if let body {
            if !fields.contains(where: { $0.lowercased().hasPrefix("content-type:") }) {
                lines.append("Content-Type: application/json")
            }
            lines.append("Content-Length: \(body.utf8.count)")
        }
        return (lines + fields).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// The next answer. Throws `Ended` when the server closes before it is whole.
    func reply(isHead: Bool = false) async throws -> Reply {
        try await onThread { [self] in try readReply(isHead: isHead) }
    }

    /// The answer to a request, and the time from the last byte of the one to the last byte of the other. Both are on one
    /// thread, so that no wait for Swift's few threads is in it.
    func timedReply(to request: [UInt8]) async throws -> (reply: Reply, nanoseconds: UInt64) {
        try await onThread { [self] in
            try transport.send(request)
            let clock = SystemClock()
            let sent = clock.monotonicNanoseconds()
            let reply = try readReply(isHead: false)
            return (reply, clock.monotonicNanoseconds() - sent)
        }
    }

    private func readReply(isHead: Bool) throws -> Reply {
        let head = try line(until: Array("\r\n\r\n".utf8))
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Ended()
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let byteCount = isHead || status < 200 || status == 204 ? 0 : Int(fields["content-length"] ?? "") ?? 0
        return Reply(status: status, fields: fields, body: try take(byteCount))
    }

    /// The text up to the next line end.
    func readLine() async throws -> String {
        try await onThread { [self] in String(decoding: try line(until: Array("\r\n".utf8)), as: UTF8.self) }
    }

    func readBytes(_ byteCount: Int) async throws -> [UInt8] { try await onThread { [self] in try take(byteCount) } }

    /// Whether the server ends the stream without another byte.
    func isEnded() async -> Bool {
        await onThread { [self] in
            do {
                let hasInput = input.withLock { !$0.isEmpty }
                return try !hasInput && !more()
            } catch {
                return true
            }
        }
    }

    private func line(until end: [UInt8]) throws -> [UInt8] {
        while true {
            let found: [UInt8]? = input.withLock { input in
                guard input.count >= end.count else { return nil }
                for start in 0...(input.count - end.count) where input[start..<start + end.count].elementsEqual(end) {
                    defer { input.removeFirst(start + end.count) }
                    return Array(input[..<start])
                }
                return nil
            }
            if let found { return found }
            guard try more() else { throw Ended() }
        }
    }

    private func take(_ byteCount: Int) throws -> [UInt8] {
        while input.withLock({ $0.count }) < byteCount {
            guard try more() else { throw Ended() }
        }
        return input.withLock { input in
            defer { input.removeFirst(byteCount) }
            return Array(input[..<byteCount])
        }
    }

    private func more() throws -> Bool {
        var bytes: [UInt8] = []
        guard try transport.receive(appendingTo: &bytes) else { return false }
        input.withLock { $0 += bytes }
        return true
    }
}

enum Bodies {
    static let command = #"{"command_name":"build","execution_time_ms":12.5,"status":"success"}"#
    static let agent = """
        {"agent_name":"reviewer","interaction_type":"tool_call","input_tokens":3,"output_tokens":4,\
        "processing_time_ms":7,"success":true}
        """
    static let productivity = #"{"metric_type":"completion_rate","value":8.5,"unit":"tasks_per_hour"}"#
}
