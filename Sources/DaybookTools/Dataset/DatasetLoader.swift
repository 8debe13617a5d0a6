internal import DaybookFormat
package import DaybookSystem

/// Where and how a dataset is loaded.
package struct DatasetLoadOptions: Sendable {
    package var host = "127.0.0.1"
    package var port = 8080
    /// One for each organization of the dataset, in their order.
    package var keys: [String] = []
    package var batchEventCount = Limits.batchEventCountMax
    package var serverProcessID: Int?
    package var waitsUntilIdle = false

    package init() {}
}

/// Sends a dataset through HTTP as it is made. Each organization has a connection of its own with one request on it at a
/// time: so the order of its events is that of the dataset, whatever the server does, and equal datasets make equal logs.
package final class DatasetLoader {
    private let options: DatasetLoadOptions
    private let organizationCount: Int
    private let clock: any Clock
    private let head: RequestHead
    private let poller: Poller
    private var requests: DatasetRequests
    private var events = Poller.Events(capacity: 64)
    private var connections: [LoadConnection] = []
    /// By organization, requests that wait for the answer to the one before.
    private var waiting: [[DatasetRequests.Request]]
    private var inFlight: [DatasetRequests.Request?]
    private var waitingCount = 0
    private var isDrained = false
    private var report = LoadReport()

    /// Requests that may be made ahead of their connections.
    private static let waitingCountMax = 12
    /// How long an answer may take.
    private static let patienceMicroseconds: Int64 = 30_000_000
    private static let refusalCountMax = 200

    /// Precondition: as many keys as the dataset has organizations.
    package init(_ options: DatasetLoadOptions, dataset: DatasetOptions, clock: any Clock) throws {
        precondition(options.keys.count == dataset.organizationCount)
        self.options = options
        self.clock = clock
        organizationCount = dataset.organizationCount
        requests = DatasetRequests(dataset, batchEventCount: options.batchEventCount)
        waiting = Array(repeating: [], count: organizationCount)
        inFlight = Array(repeating: nil, count: organizationCount)
        head = RequestHead(
            host: options.host, port: options.port, paths: LoadWorkload.paths, keys: options.keys)
        poller = try Poller()
    }

    /// - Parameter progress: called now and then with the events acknowledged so far.
    package func run(progress: (UInt64) -> Void = { _ in }) throws -> LoadReport {
        for organization in 0..<organizationCount {
            let socket = try LoadClient.connect(host: options.host, port: options.port)
            connections.append(LoadConnection(token: organization, socket: socket))
            try poller.add(socket, token: UInt64(organization), .read)
        }
        var sampler = try options.serverProcessID.map { try ServerSampler(processID: $0, clock: clock) }
        let ownStart = try ProcessStatistics.current().processorMicroseconds
        let start = clock.monotonicNanoseconds()
        while true {
            try makeAhead()
            if isDrained, waitingCount == 0, inFlight.allSatisfy({ $0 == nil }) { break }
            try poll()
            sampler?.sampleIfDue(now: clock.monotonicNanoseconds())
            progress(report.acknowledgedEvents)
        }
        report.elapsedNanoseconds = clock.monotonicNanoseconds() - start
        report.clientCPUNanoseconds = (try ProcessStatistics.current().processorMicroseconds - ownStart) * 1_000
        for connection in connections { connection.close() }
        report.server = try sampler?.finish(startNanoseconds: start, waitsUntilIdle: options.waitsUntilIdle)
        report.connectionCount = organizationCount
        report.eventsPerRequest = options.batchEventCount
        report.organizationCount = organizationCount
        return report
    }

    /// Draws requests until enough of them wait.
    private func makeAhead() throws {
        while !isDrained, waitingCount < Self.waitingCountMax {
            guard let request = requests.next() else {
                isDrained = true
                return
            }
            waiting[request.organization].append(request)
            waitingCount += 1
            if inFlight[request.organization] == nil { try sendNext(request.organization) }
        }
    }

    private func sendNext(_ organization: Int) throws {
        guard !waiting[organization].isEmpty else { return }
        let request = waiting[organization].removeFirst()
        waitingCount -= 1
        inFlight[organization] = request
        try send(request)
    }

    private func send(_ request: DatasetRequests.Request) throws {
        let connection = connections[request.organization]
        let body = LoadWorkload.Body(kind: .batch, path: 0, bytes: request.body, idOffsets: [])
        connection.bodyStart = head.write(body, key: request.organization, to: &connection.outgoing)
        connection.intendedNanoseconds = clock.monotonicNanoseconds()
        do {
            try connection.startSending(poller)
        } catch {
            throw lost(error)
        }
    }

    private func poll() throws {
        try poller.wait(&events, microseconds: Self.patienceMicroseconds)
        guard events.count > 0 else {
            throw ToolError(
                "The server has not answered for \(Self.patienceMicroseconds / 1_000_000) s.",
                cure: "Look at its log; then load into a fresh store, because this one has a part of the dataset.")
        }
        for index in 0..<events.count {
            let event = events[index]
            let connection = connections[Int(event.token)]
            do {
                if event.ready.contains(.write), connection.isBusy { try connection.goOnSending(poller) }
                if event.ready.contains(.read) { try connection.receive() }
            } catch {
                throw lost(error)
            }
            try takeAnswer(connection)
        }
    }

    private func takeAnswer(_ connection: LoadConnection) throws {
        guard connection.isBusy, let request = inFlight[connection.token] else { return }
        switch connection.reader.advance() {
        case .needsMore: return
        case .malformed: throw lost(LoadConnection.Failure.lost)
        case .complete(let status, _):
            connection.isBusy = false
            report.latency.record(
                nanoseconds: clock.monotonicNanoseconds() - connection.intendedNanoseconds)
            guard status == 200 else { return try tryAgain(request, status) }
            report.acknowledgedRequests += 1
            report.acknowledgedEvents += UInt64(request.storedEventCount)
            inFlight[connection.token] = nil
            try sendNext(connection.token)
        }
    }

    /// A server that has no room now takes the request later: nothing of it was stored.
    private func tryAgain(_ request: DatasetRequests.Request, _ status: Int) throws {
        report.errorsByStatus[status, default: 0] += 1
        guard status == 503, report.errorsByStatus[503, default: 0] <= Self.refusalCountMax else {
            throw ToolError(
                "The server refused a batch with \(status): \(String(decoding: request.body.prefix(200), as: UTF8.self))…",
                cure: "Do the keys belong to organizations of this store, and have they the scope ingest?")
        }
        Wakeup().wait(microseconds: 50_000)
        try send(request)
    }

    private func lost(_ error: any Error) -> ToolError {
        ToolError(
            "The connection to \(options.host):\(options.port) broke while the dataset was loaded: \(error).",
            cure: "Look at the log of the server; then load into a fresh store.")
    }
}
