internal import DaybookEvent
internal import DaybookFormat
internal import NIOCore

/// A request that writes one body of events, in its plainest form and whole in one read: known path, HTTP/1.1, nothing
/// in the head that would change how it is served. It is taken from its bytes directly, which costs a fraction of the
/// general way. Whatever is unusual about a request, in form or content, is no error here: it takes the general way,
/// through the codec, which alone decides what is wrong with it.
struct PlainRequest {
    let kind: EventParser.Kind
    let isSingle: Bool
    let path: String
    /// The value of `Authorization`.
    let authorization: Range<Int>
    /// The value of `traceparent`.
    let trace: Range<Int>?
    let body: Range<Int>

    private struct Route {
        let path: [UInt8]
        let name: String
        let kind: EventParser.Kind
        let isSingle: Bool

        init(_ name: String, _ kind: EventParser.Kind, isSingle: Bool = true) {
            path = Array(name.utf8)
            self.name = name
            self.kind = kind
            self.isSingle = isSingle
        }
    }

    private static let routes = [
        Route("/api/v1/metrics/command-execution", .commandExecution),
        Route("/api/v1/metrics/agent-interaction", .agentInteraction),
        Route("/api/v1/metrics/productivity", .productivityMetric),
        Route("/api/v1/metrics/batch", .batch, isSingle: false),
        Route("/api/metrics/commands", .commandExecution),
        Route("/api/metrics/agents", .agentInteraction),
        Route("/api/metrics/productivity", .productivityMetric),
        Route("/api/metrics/batch", .batch, isSingle: false),
    ]
    private static let method = Array("POST ".utf8)
    private static let version = Array(" HTTP/1.1\r\n".utf8)

    /// Nil unless the bytes are exactly one such request.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count > 64, Self.matches(bytes, 0, Self.method) else { return nil }
        guard
            let route = Self.routes.first(where: {
                Self.matches(bytes, 5, $0.path) && Self.matches(bytes, 5 + $0.path.count, Self.version)
            })
        else { return nil }
        var scan = Scan(position: 5 + route.path.count + Self.version.count)
        while true {
            guard scan.position + 1 < bytes.count else { return nil }
            if bytes[scan.position] == 0x0D {
                guard bytes[scan.position + 1] == 0x0A else { return nil }
                scan.position += 2
                break
            }
            guard scan.field(bytes) else { return nil }
        }
        guard scan.hasHost, scan.hasType, let authorization = scan.authorization, let length = scan.length,
            length == bytes.count - scan.position
        else { return nil }
        kind = route.kind
        isSingle = route.isSingle
        path = route.name
        self.authorization = authorization
        trace = scan.trace
        body = scan.position..<bytes.count
    }

    private static func matches(_ bytes: Span<UInt8>, _ start: Int, _ expected: [UInt8]) -> Bool {
        guard bytes.count - start >= expected.count else { return false }
        for index in expected.indices where bytes[start + index] != expected[index] { return false }
        return true
    }

    /// Reads header fields one by one. Each answer `false` means: not plain.
    private struct Scan {
        var position: Int
        var hasHost = false
        var hasType = false
        var length: Int?
        var authorization: Range<Int>?
        var trace: Range<Int>?

        private static let host = Array("host".utf8)
        private static let contentLength = Array("content-length".utf8)
        private static let contentType = Array("content-type".utf8)
        private static let authorizationName = Array("authorization".utf8)
        private static let traceName = Array("traceparent".utf8)
        private static let connection = Array("connection".utf8)
        private static let keepAlive = Array("keep-alive".utf8)
        private static let json = Array("application/json".utf8)
        /// Fields that change how a request is served or answered.
        private static let meaningful = [
            "prefer", "expect", "upgrade", "x-request-id", "idempotency-key", "content-encoding", "transfer-encoding",
            "origin",
        ].map { Array($0.utf8) }

        init(position: Int) { self.position = position }

        mutating func field(_ bytes: Span<UInt8>) -> Bool {
            let start = position
            var end = start
            while end < bytes.count, Self.isNameByte(bytes[end]) { end += 1 }
            guard end > start, end < bytes.count, bytes[end] == UInt8(ascii: ":") else { return false }
            var valueStart = end + 1
            while valueStart < bytes.count, bytes[valueStart] == 0x20 { valueStart += 1 }
            let valueEnd = bytes.endOfPrintable(from: valueStart)
            guard valueEnd + 1 < bytes.count, bytes[valueEnd] == 0x0D, bytes[valueEnd + 1] == 0x0A else { return false }
            guard valueEnd - start < FrontLimits.headerFieldByteCountMax else { return false }
            position = valueEnd + 2
            return take(bytes, start..<end, valueStart..<valueEnd)
        }

        /// Letters, digits and the hyphen: all that common clients send.
        private static func isNameByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }

        private mutating func take(_ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) -> Bool {
            switch name.count {
            case 4 where Self.equals(bytes, name, Self.host):
                guard !hasHost, Self.isHost(bytes, value) else { return false }
                hasHost = true
            case 10 where Self.equals(bytes, name, Self.connection):
                return Self.equals(bytes, value, Self.keepAlive)
            case 11 where Self.equals(bytes, name, Self.traceName):
                guard trace == nil else { return false }
                trace = value
            case 12 where Self.equals(bytes, name, Self.contentType):
                guard !hasType, Self.equals(bytes, value, Self.json) else { return false }
                hasType = true
            case 13 where Self.equals(bytes, name, Self.authorizationName):
                guard authorization == nil else { return false }
                authorization = value
            case 14 where Self.equals(bytes, name, Self.contentLength):
                guard length == nil, (1...8).contains(value.count) else { return false }
                var number = 0
                for index in value {
                    guard (0x30...0x39).contains(bytes[index]) else { return false }
                    number = number * 10 + Int(bytes[index] - 0x30)
                }
                length = number
            default:
                for other in Self.meaningful where Self.equals(bytes, name, other) { return false }
            }
            return true
        }

        private static func isHost(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
            for index in value {
                let byte = bytes[index]
                guard isNameByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") else { return false }
            }
            return true
        }

        /// ASCII letters compare without regard to case. Precondition: `lowercase` is in lower case.
        private static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ lowercase: [UInt8]) -> Bool {
            guard range.count == lowercase.count else { return false }
            for (index, expected) in zip(range, lowercase) {
                let byte = bytes[index]
                guard (byte == expected) || ((0x41...0x5A).contains(byte) && byte | 0x20 == expected) else {
                    return false
                }
            }
            return true
        }
    }
}
