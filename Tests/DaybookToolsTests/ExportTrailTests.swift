import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Synchronization
import Testing

@testable import DaybookTools

/// Whether the audit trail hears of events that leave by the files.
@Suite(.timeLimit(.minutes(15))) struct ExportTrailTests {
    private let directory: TemporaryDirectory
    private let door: StoreDoor

    init() throws {
        directory = try TemporaryDirectory()
        door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: SystemClock(), entropy: SystemEntropy())
    }

    private func trail() throws -> [String] {
        let page = try ControlDocument(parsing: try door.audit(organization: nil, limit: 100, before: nil))
        return page["items"]?.arrayValue?.compactMap { $0["action"]?.stringValue } ?? []
    }

    @Test func withoutAServerADirectoryThatIsOnlyReadStaysAsItIs() throws {
        let before = try trail()
        let files = try door.disk().list("control")
        for isReplay in [false, true] { try door.noteExport(of: "acme", isReplay: isReplay) }
        #expect(try trail() == before)
        #expect(try door.disk().list("control") == files)
    }

    @Test func whereTheTrailCannotBeToldNothingLeaves() throws {
        let lock = try DirectoryLock.acquire(directory: door.directory)
        defer { lock.release() }
        #expect(throws: ToolError.self) { try door.noteExport(of: "acme", isReplay: false) }
    }

    @Test(arguments: [(false, "org.export"), (true, "org.replay")])
    func theServerIsToldWhichOfBothItIs(isReplay: Bool, verb: String) throws {
        let lock = try DirectoryLock.acquire(directory: door.directory)
        defer { lock.release() }
        let listener = try StreamListener(.unix(path: door.directory + "/" + StoreDoor.adminSocketName))
        let heard = Heard()
        let thread = SystemThread.start(name: "test-server") {
            guard let socket = try? listener.accept() else { return }
            defer { socket.close() }
            var input: [UInt8] = []
            while input.last != UInt8(ascii: "\n") {
                guard case .moved? = try? socket.read(4_096, appendingTo: &input) else { break }
            }
            heard.bytes.withLock { $0 = input }
            try? socket.writeAll(Array("{\"ok\":true,\"organization\":\"acme\"}\n".utf8).span.bytes)
        }
        defer { thread.join() }
        try door.noteExport(of: "acme", isReplay: isReplay)
        let request = try ControlDocument(parsing: heard.bytes.withLock { Array($0.dropLast()) })
        #expect(request["verb"]?.stringValue == verb)
        #expect(request["organization"]?.stringValue == "acme")
    }

    private final class Heard: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }
}
