internal import DaybookFormat
package import DaybookSystem

/// Sends prepared requests over many connections from one thread and measures the answers. Everything that can be done
/// before the clock starts is done before; what remains is about two system calls a request.
package final class LoadClient {
    private let options: LoadOptions
    private let workload: LoadWorkload
    private let head: RequestHead
    private let clock: any Clock
    private let poller: Poller
    private var events = Poller.Events(capacity: 256)
    private var connections: [LoadConnection] = []
    private var idle: [LoadConnection] = []
    private var openCount = 0
    private var schedule: LoadSchedule
    private var identity: LoadIdentity
    private let ledger: LoadLedger?
    private var sampler: ServerSampler?
    private var report = LoadReport()
    private var sequence: LoadSequence
    private var requestNumber = 0
    /// Each connection stays with one key, as clients of several organizations do.
    private let bindsKeys: Bool
    private var lastAnswerNanoseconds: UInt64 = 0

    /// How long the last answers may take before they count as never given.
    private static let patienceNanoseconds: UInt64 = 30_000_000_000

    /// Precondition: at least one key and one connection, and an end of the run by count or duration.
    package init(_ options: LoadOptions, workload: LoadWorkload, clock: any Clock) throws {
        precondition(!options.keys.isEmpty && options.connectionCount >= 1)
        self.options = options
        self.workload = workload
        self.clock = clock
        head = RequestHead(
            host: options.host, port: options.port, paths: LoadWorkload.paths, questions: workload.questions,
            keys: options.keys)
        sequence = LoadSequence(workload, seed: options.seed)
        bindsKeys = options.keys.count > 1 && options.connectionCount >= options.keys.count
        identity = LoadIdentity(run: options.run)
        poller = try Poller()
        ledger = try options.ledgerPath.map { try LoadLedger(path: $0) }
        schedule = LoadSchedule(
            startNanoseconds: 0, requestCount: 0, durationNanoseconds: nil, requestsPerSecond: nil)
    }

    /// - Parameter progress: called now and then with the events acknowledged so far.
    package func run(progress: (UInt64) -> Void = { _ in }) throws -> LoadReport {
        for token in 0..<options.connectionCount { try open(token) }
        sampler = try options.serverProcessID.map { try ServerSampler(processID: $0, clock: clock) }
        let ownStart = try ProcessStatistics.current().processorMicroseconds
        let start = clock.monotonicNanoseconds()
        schedule = LoadSchedule(
            startNanoseconds: start, requestCount: requestCount,
            durationNanoseconds: options.durationSeconds.map { UInt64($0 * 1e9) },
            requestsPerSecond: options.requestsPerSecond)
        lastAnswerNanoseconds = start
        while try step() { progress(report.acknowledgedEvents) }
        report.elapsedNanoseconds = lastAnswerNanoseconds - start
        report.clientCPUNanoseconds = (try ProcessStatistics.current().processorMicroseconds - ownStart) * 1_000
        report.unansweredRequests += UInt64(connections.count { $0.isBusy })
        for connection in connections { connection.close() }
        try ledger?.close()
        report.server = try sampler?.finish(startNanoseconds: start, waitsUntilIdle: options.waitsUntilIdle)
        report.connectionCount = options.connectionCount
        report.eventsPerRequest = options.eventsPerRequest
        report.organizationCount = options.keys.count
        report.intendedRate = options.requestsPerSecond
        return report
    }

    private var requestCount: UInt64? {
        options.eventCount.map { ($0 + UInt64(options.eventsPerRequest) - 1) / UInt64(options.eventsPerRequest) }
    }

    /// One turn: send what is due, wait, take what has come. False when the run is over.
    private func step() throws -> Bool {
        let now = clock.monotonicNanoseconds()
        while !idle.isEmpty, let intended = schedule.take(now: now) { begin(takeIdle(), intended: intended) }
        sampler?.sampleIfDue(now: now)
        let wait = schedule.waitNanoseconds(now: now)
        if openCount == 0 { return false }
        if wait == nil {
            if idle.count == openCount { return false }
            if now - lastAnswerNanoseconds > Self.patienceNanoseconds { return false }
        }
        try pollOnce(waitNanoseconds: idle.isEmpty ? nil : wait)
        return true
    }

    /// Waits for answers, but not beyond the next request that a free connection could take.
    private func pollOnce(waitNanoseconds: UInt64?) throws {
        // A second at most, so that the server is sampled although nothing moves.
        let wait = min(waitNanoseconds ?? 1_000_000_000, 1_000_000_000)
        try poller.wait(&events, microseconds: Int64(wait / 1_000))
        for index in 0..<events.count {
            let event = events[index]
            let connection = connections[Int(event.token)]
            guard connection.isOpen else { continue }
            do {
                if event.ready.contains(.write), connection.isBusy { try connection.goOnSending(poller) }
                if event.ready.contains(.read) { try takeAnswers(connection) }
            } catch {
                lose(connection)
            }
        }
    }

    // MARK: - One request

    /// The one that has been idle longest, where connections have keys: so each key has its turn.
    private func takeIdle() -> LoadConnection { bindsKeys ? idle.removeFirst() : idle.removeLast() }

    private func begin(_ connection: LoadConnection, intended: UInt64) {
        let body = sequence.next()
        connection.body = body
        let key = (bindsKeys ? connection.token : requestNumber) % head.keyCount
        connection.bodyStart = head.write(workload.bodies[body], key: key, to: &connection.outgoing)
        if ledger != nil {
            identity.stamp(&connection.outgoing, at: workload.bodies[body].idOffsets, base: connection.bodyStart)
        }
        requestNumber += 1
        connection.intendedNanoseconds = intended
        do {
            try connection.startSending(poller)
        } catch {
            lose(connection)
        }
    }

    private func takeAnswers(_ connection: LoadConnection) throws {
        try connection.receive()
        while connection.isBusy {
            switch connection.reader.advance() {
            case .needsMore: return
            case .malformed: throw LoadConnection.Failure.lost
            case .complete(let status, let closes):
                connection.isBusy = false
                try note(status, connection)
                if closes { reopen(connection) } else { idle.append(connection) }
            }
        }
    }

    private func note(_ status: Int, _ connection: LoadConnection) throws {
        let now = clock.monotonicNanoseconds()
        lastAnswerNanoseconds = now
        let nanoseconds = now - min(now, connection.intendedNanoseconds)
        let body = workload.bodies[connection.body]
        report.latency.record(nanoseconds: nanoseconds)
        if workload.mix.kinds.count > 1 {
            report.latencyOfKind[body.kind, default: LatencyHistogram()].record(nanoseconds: nanoseconds)
        }
        guard status == 200 || status == 201 else {
            report.errorsByStatus[status, default: 0] += 1
            return
        }
        report.acknowledgedRequests += 1
        report.acknowledgedEvents += UInt64(body.idOffsets.count)
        try ledger?.note(connection.outgoing, at: body.idOffsets, base: connection.bodyStart)
    }

    // MARK: - Connections

    private func open(_ token: Int) throws {
        let connection = LoadConnection(token: token, socket: try connect())
        try poller.add(connection.socket, token: UInt64(token), .read)
        connections.append(connection)
        idle.append(connection)
        openCount += 1
    }

    private func connect() throws -> StreamSocket { try Self.connect(host: options.host, port: options.port) }

    /// A connection to a server, for all clients of this module.
    static func connect(host: String, port: Int, isBlocking: Bool = false) throws -> StreamSocket {
        guard let address = SocketAddress(hostAndPort: "\(host):\(port)") else {
            throw ToolError(
                "--url names \(host):\(port), which is no address.",
                cure: "Write it with numbers: http://127.0.0.1:8080"
            )
        }
        do {
            return try StreamSocket.connect(to: address, isBlocking: isBlocking)
        } catch {
            throw ToolError(
                "No server answers at \(host):\(port): \(error).",
                cure: "Start one: daybook serve --data DIR --listen \(host):\(port)")
        }
    }

    /// The server has announced that it hangs up: a new connection takes the old one's place.
    private func reopen(_ connection: LoadConnection) {
        connection.close()
        do {
            connection.replaceSocket(try connect())
            try poller.add(connection.socket, token: UInt64(connection.token), .read)
            idle.append(connection)
        } catch {
            openCount -= 1
            report.connectionFailures += 1
        }
    }

    private func lose(_ connection: LoadConnection) {
        connection.close()
        openCount -= 1
        report.connectionFailures += 1
        if connection.isBusy { report.unansweredRequests += 1 }
        connection.isBusy = false
        idle.removeAll { $0 === connection }
    }
}
