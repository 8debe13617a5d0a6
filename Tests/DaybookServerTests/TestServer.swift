import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

@testable import DaybookServer

/// A whole server in this process: a store on the real disk, the real threads, a free port.
final class TestServer: Sendable {
    let root: String
    /// Between the store and its disk when the server was made with one.
    let gate: GatedDisk?
    let store: Store
    let registry: KeyRegistry
    let administration: Administration
    /// The organization `acme` and its first key, which may do everything.
    let organization: OrganizationRecord
    let key: String
    let port: UInt16
    /// Where TLS is on.
    let security: TransportSecurity?
    private let executor = ServerTaskExecutor()
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    static var storeOptions: StoreOptions {
        var options = StoreOptions()
        options.journalFileByteCount = 16 << 20
        options.checkpointByteCount = 16 << 20
        // A slow disk may take longer than clients are kept waiting.
        options.fullJournalWaitMicroseconds = 3_600_000_000
        return options
    }

    private init(
        _ root: String, isGated: Bool, storeOptions: StoreOptions, options: ServerOptions, log: CapturedLog?,
        clock: any Clock, tokens: TokenOptions
    ) async throws {
        self.root = root
        let posix = try PosixDisk(creatingRoot: root)
        gate = isGated ? GatedDisk(posix) : nil
        let disk: any Disk = gate ?? posix
        let entropy = SystemEntropy()
        if try !disk.exists(Layout.identity) {
            try Store.create(disk: disk, clock: clock, entropy: entropy, options: storeOptions)
        }
        store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: storeOptions)
        store.start()
        let acme = OrganizationID("acme")!
        organization = try store.organization(acme) ?? store.createOrganization(acme)
        registry = KeyRegistry(store: store, clock: clock, entropy: entropy)
        administration = Administration(store: store, registry: registry, clock: clock)
        key = try registry.create(
            organization: organization.id, name: "first", scopes: .all, user: "", expiresAt: nil
        ).key.text
        security = options.tls.isOn ? try TransportSecurity(options, clock: clock) : nil
        let (ports, report) = AsyncStream.makeStream(of: Int.self)
        let server = DaybookServer(
            store: store, registry: registry, clock: clock, entropy: entropy, options: options,
            logger: log?.logger ?? Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            configuration: Self.configuration(tokens), logSwitch: log?.logSwitch ?? LogSwitch(.info),
            security: security
        ) { report.yield($0.port) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server], logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        self.group = group
        running = Task(executorPreference: executor) { try await group.run() }
        var found = ports.makeAsyncIterator()
        port = UInt16(await found.next() ?? 0)
    }

    /// Runs `body` against a server, then stops it.
    /// - Parameters:
    ///   - directory: where its files are; a store that is there already is opened again. By default a fresh directory
    ///     that is removed at the end.
    ///   - timeLimits: out of reach unless the test is about one; a test machine may be slow for longer than a client waits.
    ///   - log: what the server writes its lines to; to nothing by default.
    ///   - batchEventCountMax: events of one batch.
    ///   - clock: the real one by default.
    ///   - base: what else the server is told.
    ///   - tokens: how access tokens are made.
    ///   - isGated: whether the store works behind a `GatedDisk`.
    ///   - storeOptions: those of a small store by default.
    static func with(
        _ directory: TemporaryDirectory? = nil, connectionCountMax: Int = 4_096, hasAdminSocket: Bool = false,
        eventLoopCount: Int = 1, queryThreadCount: Int = 2, timeLimits: TimeLimits = .outOfReach,
        addressLimits: AddressLimits = AddressLimits(), isGated: Bool = false, log: CapturedLog? = nil,
        batchEventCountMax: Int = 1_000, storeOptions: StoreOptions = TestServer.storeOptions,
        clock: any Clock = SystemClock(), tokens: TokenOptions = TokenOptions(),
        options base: ServerOptions = ServerOptions(),
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let directory = try directory ?? TemporaryDirectory()
        var options = base
        options.port = 0
        options.connectionCountMax = connectionCountMax
        options.eventLoopCount = eventLoopCount
        options.queryThreadCount = queryThreadCount
        options.timeLimits = timeLimits
        options.batchEventCountMax = batchEventCountMax
        options.addressLimits = addressLimits
        if hasAdminSocket { options.adminSocketPath = directory.path + "/admin.sock" }
        let server = try await TestServer(
            directory.path, isGated: isGated, storeOptions: storeOptions, options: options, log: log, clock: clock,
            tokens: tokens)
        do {
            try await body(server)
        } catch {
            try await server.end()
            throw error
        }
        try await server.end()
    }

    private static func configuration(_ tokens: TokenOptions) -> Configuration {
        var configuration = Configuration()
        configuration.tokens = tokens
        return configuration
    }

    /// Asks the server to stop, as SIGTERM does, without waiting for it.
    func stop() async { await group.triggerGracefulShutdown() }

    /// Waits until the server has returned.
    func ended() async throws { try await running.value }

    private func end() async throws {
        await stop()
        try await ended()
        await onThread { self.store.shutdown() }
    }

    func connect() async throws -> TestConnection {
        let port = port
        return try await onThread {
            TestConnection(
                PlainTransport(socket: try StreamSocket.connect(to: .ipv4(host: "127.0.0.1", port: port))))
        }
    }

    /// Waits until it refuses connections, as it does from the beginning of its end. Precondition: one of its connections
    /// is open all the while, because the system then gives its port to nobody else.
    func refusesConnections() async throws {
        try await retry {
            guard let connection = try? await connect() else { return true }
            connection.close()
            return false
        } until: {
            $0
        }
    }

    /// A key of the organization with just these scopes.
    func key(_ scopes: ScopeSet, organization id: OrganizationID? = nil, user: String = "") throws -> String {
        try registry.create(
            organization: id ?? organization.id, name: "", scopes: scopes, user: user, expiresAt: nil
        ).key.text
    }

    /// One request on a connection of its own.
    func request(
        _ method: String, _ target: String, body: String? = nil, key: String? = nil, fields: [String] = []
    ) async throws -> Reply {
        let connection = try await connect()
        defer { connection.close() }
        return try await connection.request(method, target, body: body, key: key ?? self.key, fields: fields)
    }

    /// The last sequence that readers see.
    func lastSequence(_ record: OrganizationRecord? = nil) throws -> UInt64 {
        try store.snapshot(of: (record ?? organization).log).lastSequence
    }
}

/// Runs what is asynchronous in servers. Swift's own threads are few, and other tests compute on them: how long a server
/// takes for an answer must not be how long they do.
private final class ServerTaskExecutor: TaskExecutor {
    /// Of all servers.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 16)
    private let eventLoop = group.next()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Runs what blocks on a thread of its own, away from Swift's few.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        _ = SystemThread.start(name: "test-client") { continuation.resume(with: Result { try work() }) }
    }
}

func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        _ = SystemThread.start(name: "test-client") { continuation.resume(returning: work()) }
    }
}

extension TimeLimits {
    /// For every test that is not about a limit: a busy machine holds a thread for longer than clients are kept waiting.
    static var outOfReach: TimeLimits {
        var limits = TimeLimits()
        limits.requestMilliseconds = 3_600_000
        limits.idleMilliseconds = 3_600_000
        limits.stalledWriteMilliseconds = 3_600_000
        limits.commitMilliseconds = 3_600_000
        limits.queryMilliseconds = 3_600_000
        limits.leftQueryMilliseconds = 3_600_000
        limits.lingerMilliseconds = 3_600_000
        limits.handshakeMilliseconds = 3_600_000
        limits.shedMilliseconds = 3_600_000
        limits.slowMilliseconds = 3_600_000
        return limits
    }
}
