import DaybookSystem
import DaybookTestSupport
import Testing

struct SocketTests {
    private func readAll(_ socket: StreamSocket) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while try socket.read(4_096, appendingTo: &bytes) != .ended {}
        return bytes
    }

    @Test func addressesAreReadFromText() {
        #expect(SocketAddress(hostAndPort: "127.0.0.1:80") == .ipv4(host: "127.0.0.1", port: 80))
        #expect(SocketAddress(hostAndPort: "[::1]:8080") == .ipv6(host: "::1", port: 8_080))
        for text in ["", ":", "localhost:80", "127.0.0.1", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80", "[::1:80"] {
            #expect(SocketAddress(hostAndPort: text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["127.0.0.1", "::1", "unix"])
    func bytesGoBothWays(kind: String) throws {
        let directory = try TemporaryDirectory()
        func address(_ port: UInt16) -> SocketAddress {
            switch kind {
            case "unix": .unix(path: directory.path + "/socket")
            case "::1": .ipv6(host: kind, port: port)
            default: .ipv4(host: kind, port: port)
            }
        }
        let listener = try StreamListener(address(0))
        let client = try StreamSocket.connect(to: address(try listener.port()))
        let server = try listener.accept()
        try client.writeAll(Array("hello".utf8).span.bytes)
        try client.endWriting()
        #expect(try readAll(server) == Array("hello".utf8))
        try server.writeAll(Array("world".utf8).span.bytes)
        server.close()
        #expect(try readAll(client) == Array("world".utf8))
    }

    @Test func nobodyListeningIsAnError() throws {
        let directory = try TemporaryDirectory()
        #expect {
            _ = try StreamSocket.connect(to: .unix(path: directory.path + "/none"))
        } throws: { ($0 as? DiskError)?.kind == .notFound }
        #expect {
            _ = try StreamSocket.connect(to: .unix(path: directory.path + String(repeating: "x", count: 200)))
        } throws: { ($0 as? DiskError)?.kind == .other }
    }

    @Test func aNonBlockingSocketSaysThatItWouldBlock() throws {
        let directory = try TemporaryDirectory()
        let address = SocketAddress.unix(path: directory.path + "/socket")
        let listener = try StreamListener(address)
        let client = try StreamSocket.connect(to: address, isBlocking: false)
        let server = try listener.accept()
        var bytes: [UInt8] = []
        #expect(try client.read(10, appendingTo: &bytes) == .wouldBlock)
        let block = [UInt8](repeating: 1, count: 1 << 20)
        var isFull = false
        while !isFull { isFull = try client.write(block.span.bytes) == .wouldBlock }
        #expect(bytes.isEmpty)
        server.close()
    }

    @Test func aReaderThatHasGoneIsAnErrorAndNoSignal() throws {
        let directory = try TemporaryDirectory()
        let address = SocketAddress.unix(path: directory.path + "/socket")
        let listener = try StreamListener(address)
        let client = try StreamSocket.connect(to: address)
        try listener.accept().close()
        #expect(throws: DiskError.self) {
            for _ in 0..<2 { _ = try client.write(([1] as [UInt8]).span.bytes) }
        }
    }

    @Test func readingIntoRoomThatIsThereAllocatesNothing() throws {
        let directory = try TemporaryDirectory()
        let address = SocketAddress.unix(path: directory.path + "/socket")
        let listener = try StreamListener(address)
        let client = try StreamSocket.connect(to: address)
        let server = try listener.accept()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4_096)
        let before = bytes.withUnsafeBytes { $0.baseAddress }
        for _ in 0..<10 {
            bytes.removeAll(keepingCapacity: true)
            try client.writeAll(([1, 2, 3] as [UInt8]).span.bytes)
            _ = try server.read(1_024, appendingTo: &bytes)
        }
        #expect(bytes.withUnsafeBytes { $0.baseAddress } == before)
    }
}

struct PollerTests {
    private func pair(_ directory: TemporaryDirectory) throws -> (StreamSocket, StreamSocket) {
        let address = SocketAddress.unix(path: directory.path + "/socket")
        let listener = try StreamListener(address)
        let client = try StreamSocket.connect(to: address, isBlocking: false)
        return (client, try listener.accept())
    }

    @Test func aSocketThatCanGoOnIsReportedByItsToken() throws {
        let directory = try TemporaryDirectory()
        let (client, server) = try pair(directory)
        let poller = try Poller()
        var events = Poller.Events(capacity: 4)
        try poller.add(client, token: .max, .read)
        try poller.wait(&events, microseconds: 0)
        #expect(events.count == 0)
        try server.writeAll(([1] as [UInt8]).span.bytes)
        try poller.wait(&events)
        #expect(events.count == 1)
        #expect(events[0] == Poller.Event(token: .max, ready: .read))
        try poller.modify(client, token: 7, [.read, .write])
        try poller.wait(&events)
        #expect(events[0] == Poller.Event(token: 7, ready: [.read, .write]))
        try poller.remove(client)
        try poller.wait(&events, microseconds: 0)
        #expect(events.count == 0)
    }

    @Test func theEndOfTheOtherSideIsReported() throws {
        let directory = try TemporaryDirectory()
        let (client, server) = try pair(directory)
        let poller = try Poller()
        var events = Poller.Events(capacity: 4)
        try poller.add(client, token: 1, .read)
        server.close()
        try poller.wait(&events)
        #expect(events.count == 1)
        #expect(events[0].ready.contains(.read))
    }

    @Test func moreSocketsThanRoomTakeTurns() throws {
        let directory = try TemporaryDirectory()
        let (client, server) = try pair(directory)
        let poller = try Poller()
        var events = Poller.Events(capacity: 1)
        try poller.add(client, token: 1, .write)
        try poller.add(server, token: 2, .write)
        var tokens: Set<UInt64> = []
        for _ in 0..<8 {
            try poller.wait(&events)
            #expect(events.count == 1)
            tokens.insert(events[0].token)
        }
        #expect(tokens == [1, 2])
    }
}
