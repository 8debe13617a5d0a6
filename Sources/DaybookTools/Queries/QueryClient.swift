internal import DaybookFormat
internal import DaybookSystem

/// Asks one question after the other on one kept-alive connection that blocks: the cheapest way to see what a single
/// person waits for.
final class QueryClient {
    private let host: String
    private let port: Int
    private let key: String
    private let clock: any Clock
    private let socket: StreamSocket
    private var reader = HTTPResponseReader(keepsBody: true)
    private var head: [UInt8] = []

    private static let receiveByteCount = 256 << 10

    init(host: String, port: Int, key: String, clock: any Clock) throws {
        self.host = host
        self.port = port
        self.key = key
        self.clock = clock
        socket = try LoadClient.connect(host: host, port: port, isBlocking: true)
        reader.buffer.reserveCapacity(2 * Self.receiveByteCount)
    }

    deinit { socket.close() }

    /// The answer, and the nanoseconds from the first byte that is handed to the kernel to the last one that came.
    func ask(_ target: String) throws -> (answer: QueryAnswer, nanoseconds: UInt64) {
        head.removeAll(keepingCapacity: true)
        head.append(
            contentsOf:
                "GET \(target) HTTP/1.1\r\nHost: \(host):\(port)\r\nAuthorization: Bearer \(key)\r\nCache-Control: no-cache\r\n\r\n"
                .utf8)
        let start = clock.monotonicNanoseconds()
        try head.withRawSpan { try socket.writeAll($0) }
        while true {
            guard case .moved = try socket.read(Self.receiveByteCount, appendingTo: &reader.buffer) else {
                throw ToolError("The server hung up instead of answering.", cure: "Look at its log.")
            }
            // Taking the answer apart is not waiting for it.
            let nanoseconds = clock.monotonicNanoseconds() - start
            switch reader.advance() {
            case .needsMore: continue
            case .malformed:
                throw ToolError("The answer is no HTTP/1.1 with a length.", cure: "Is \(host):\(port) a Daybook?")
            case .complete(let status, _):
                return (QueryAnswer(status: status, body: reader.body), nanoseconds)
            }
        }
    }

    /// The answer to a question that must have one.
    func answer(_ target: String) throws -> QueryAnswer {
        let (answer, _) = try ask(target)
        guard answer.status == 200 else {
            throw ToolError(
                "The server answered \(answer.status) to \(target): \(answer.message)",
                cure:
                    "Has the key the scope read, and does the organization hold a dataset? See: daybook bench load --help"
            )
        }
        return answer
    }
}
