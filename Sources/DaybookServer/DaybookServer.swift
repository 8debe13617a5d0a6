package import DaybookControl
package import DaybookStore
package import DaybookSystem
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
import Synchronization

/// The HTTP front and the admin socket over an open, started store. A service: it runs until it is told to stop, then
/// takes no new connections, answers every open request, waits for their commits and returns. The caller then shuts
/// the store down.
package final class DaybookServer: Service {
    private let environment: ServerEnvironment
    private let logger: Logger
    private let configuration: Configuration
    private let logSwitch: LogSwitch
    private let onRunning: @Sendable (BoundAddress) async -> Void

    /// Where the server can be reached; differs from the options when these asked for any free port.
    package struct BoundAddress: Sendable, Equatable {
        package var host: String
        package var port: Int
    }

    /// - Parameters:
    ///   - store: open and started; it outlives the server.
    ///   - registry: the keys of that store.
    ///   - configuration: what administrative verbs are told, and what new organizations get.
    ///   - logSwitch: the level of `logger`, for the verb that changes it.
    ///   - security: what encrypts connections; nil where the options turn TLS off.
    ///   - externals: other issuers whose access tokens are accepted.
    ///   - onRunning: called once, when connections are accepted.
    package init(
        store: Store, registry: KeyRegistry, clock: any Clock, entropy: any Entropy, options: ServerOptions,
        logger: Logger, configuration: Configuration = Configuration(), logSwitch: LogSwitch = LogSwitch(.info),
        security: TransportSecurity? = nil, externals: ExternalIssuers = .none,
        onRunning: @escaping @Sendable (BoundAddress) async -> Void = { _ in }
    ) {
        let tokens = TokenAuthority(
            store: store, registry: registry, clock: clock, entropy: entropy, options: configuration.tokens,
            externals: externals)
        environment = ServerEnvironment(
            store: store, registry: registry, clock: clock, entropy: entropy, options: options, logger: logger,
            tokens: tokens, security: security)
        self.logger = logger
        self.configuration = configuration
        self.logSwitch = logSwitch
        self.onRunning = onRunning
    }

    /// Throws when the address cannot be bound.
    package func run() async throws {
        let options = environment.options
        precondition((1...ServerOptions.eventLoopCountMax).contains(options.eventLoopCount))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.eventLoopCount)
        let pool = QueryPool(threadCount: options.queryThreadCount, clock: environment.clock)
        pool.start()
        do {
            let loops = try await makeLoops(group, pool)
            let administration = Administration(
                store: environment.store, registry: environment.registry, clock: environment.clock,
                defaults: configuration.organizations,
                server: RunningServer(configuration: configuration, logSwitch: logSwitch), trail: environment.trail,
                tokens: environment.tokens)
            let admin = try await bindAdminSocket(group, pool, administration)
            let rounds = [
                keepTrail(on: group.next(), pool), keepIssuers(on: group.next(), pool),
                remindOfCertificate(on: group.next()),
            ]
            defer { for round in rounds { round?.cancel() } }
            do {
                let routes = Routes(environment: environment, pool: pool, administration: administration)
                try await serve(group, loops, routes)
                if let admin, let path = options.adminSocketPath { try await AdminSocket.close(admin, path: path) }
            } catch {
                try await disconnect(loops)
                throw error
            }
            try await disconnect(loops)
        } catch {
            await end(group, pool)
            throw error
        }
        await end(group, pool)
    }

    private func disconnect(_ loops: [ObjectIdentifier: Loop]) async throws {
        for loop in loops.values { try await loop.eventLoop.submit { loop.loop.value.sink.disconnect() }.get() }
    }

    private struct Loop: Sendable {
        let eventLoop: any EventLoop
        let loop: NIOLoopBound<IngestLoop>
    }

    private func makeLoops(
        _ group: MultiThreadedEventLoopGroup, _ pool: QueryPool
    ) async throws -> [ObjectIdentifier: Loop] {
        var loops: [ObjectIdentifier: Loop] = [:]
        for eventLoop in group.makeIterator() {
            let loop = try await eventLoop.flatSubmit { [environment] in
                SystemThread.setTimeSlice(.short)
                let bell = LoopBell()
                let loop = IngestLoop(environment: environment, pool: pool, eventLoop: eventLoop, bell: bell)
                let bound = NIOLoopBound(loop, eventLoop: eventLoop)
                return bell.hang(in: eventLoop) { bound.value.takeTurn() }.map { bound }
            }.get()
            loops[ObjectIdentifier(eventLoop)] = Loop(eventLoop: eventLoop, loop: loop)
        }
        return loops
    }

    /// Every two seconds the audit trail is written, on a thread that may wait for the disk.
    private func keepTrail(on eventLoop: any EventLoop, _ pool: QueryPool) -> RepeatedTask {
        eventLoop.scheduleRepeatedTask(initialDelay: .seconds(2), delay: .seconds(2)) { [environment] _ in
            // A round that finds no place is made up for by the next one.
            pool.submit { environment.writeTrail(isLast: false) }
        }
    }

    /// Twice a day the log is told of a certificate that is about to end.
    private func remindOfCertificate(on eventLoop: any EventLoop) -> RepeatedTask? {
        guard let security = environment.security else { return nil }
        return eventLoop.scheduleRepeatedTask(initialDelay: .hours(12), delay: .hours(12)) { [logger] _ in
            security.remind(logger)
        }
    }

    /// Every ten seconds the files of external issuers are looked at.
    private func keepIssuers(on eventLoop: any EventLoop, _ pool: QueryPool) -> RepeatedTask {
        eventLoop.scheduleRepeatedTask(initialDelay: .seconds(10), delay: .seconds(10)) { [environment] task in
            guard !environment.tokens.options.issuersFile.isEmpty else { return task.cancel() }
            pool.submit { environment.refreshIssuers() }
        }
    }

    private func bindAdminSocket(
        _ group: any EventLoopGroup, _ pool: QueryPool, _ administration: Administration
    ) async throws -> (any Channel)? {
        guard let path = environment.options.adminSocketPath else { return nil }
        return try await AdminSocket(administration: administration, pool: pool).bind(path: path, group: group)
    }

    private func serve(
        _ group: MultiThreadedEventLoopGroup, _ loops: [ObjectIdentifier: Loop], _ routes: Routes
    ) async throws {
        let options = environment.options
        let router = routes.makeResponder()
        let logger = self.logger
        let bound = loops.mapValues(\.loop)
        let server = try HTTPServerBuilder { [security = environment.security] responder in
            ConnectionChannel(loops: bound, security: security, responder: responder)
        }
        .buildServer(
            configuration: ServerConfiguration(
                address: .hostname(options.host, port: options.port), backlog: options.backlog, reuseAddress: true),
            eventLoopGroup: group, logger: logger
        ) { request, writer, channel in
            let context = RouteContext(
                source: ApplicationRequestContextSource(channel: channel, logger: logger))
            let response = await router.answer(request, context: context)
            try await writer.write(response: response.head, body: response.body)
        } onServerRunning: { [onRunning] channel in
            let address = channel.localAddress
            await onRunning(
                BoundAddress(host: address?.ipAddress ?? options.host, port: address?.port ?? options.port))
        }
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: { [environment] in
            environment.startDraining()
        }
        try await awaitEnd(of: server, group.next())
    }

    /// The library ends its server in a task of its own, which asks a loop for the outcome and may do so long after `run`
    /// has returned: the loops must not end before. It says that it is over only to those who would run it again.
    private func awaitEnd(of server: any Service, _ eventLoop: any EventLoop) async throws {
        guard let server = server as? Server<ConnectionChannel> else {
            preconditionFailure("the builder makes servers of the channel that it was given")
        }
        try await server.shutdownGracefully()
        while true {
            do {
                try await server.run()
            } catch Server<ConnectionChannel>.Error.serverShuttingDown {
                try await eventLoop.scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
            } catch Server<ConnectionChannel>.Error.serverShutdown {
                return
            }
        }
    }

    private func end(_ group: MultiThreadedEventLoopGroup, _ pool: QueryPool) async {
        await withCheckedContinuation { continuation in
            _ = SystemThread.start(name: "daybook-end") { [environment, logger] in
                pool.stop()
                environment.writeTrail(isLast: true)
                environment.limits.remember(
                    in: environment.store, at: environment.nanoseconds, environment.now, logger)
                continuation.resume()
            }
        }
        do {
            try await group.shutdownGracefully()
        } catch {
            logger.warning("The event loops did not end cleanly.", metadata: ["error": "\(error)"])
        }
    }
}
