internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem
internal import Logging
import Synchronization

/// What every connection and route shares.
final class ServerEnvironment: Sendable {
    let store: Store
    let registry: KeyRegistry
    let clock: any Clock
    let entropy: any Entropy
    let options: ServerOptions
    let logger: Logger
    let counters = ServerCounters()
    let trail: AuditTrail
    let limits: RequestLimits
    let bodies = MemoryBudget()
    /// For questions that run, and for their answers until these are out.
    let questions: MemoryBudget
    let troubles = TroubleLines()
    let answerFields: AnswerFields
    /// Nil where connections are not encrypted.
    let security: TransportSecurity?
    let tokens: TokenAuthority
    let startedAt: Timestamp

    private let connectionCount = Atomic<Int>(0)
    private let streamCount = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    init(
        store: Store, registry: KeyRegistry, clock: any Clock, entropy: any Entropy, options: ServerOptions,
        logger: Logger, tokens: TokenAuthority, security: TransportSecurity? = nil
    ) {
        self.security = security
        answerFields = AnswerFields(options)
        self.store = store
        self.registry = registry
        self.clock = clock
        self.entropy = entropy
        self.options = options
        questions = MemoryBudget(
            byteCountMax: options.queryMemoryByteCountMax,
            byteCountMaxOfOne: options.queryMemoryByteCountMaxOfOrganization)
        self.logger = logger
        trail = AuditTrail(store: store, registry: registry, clock: clock)
        limits = RequestLimits(options.addressLimits)
        self.tokens = tokens
        startedAt = Timestamp(microseconds: clock.wallMicroseconds())
        readSigningKeys()
        limits.restore(from: store, at: clock.monotonicNanoseconds(), startedAt, logger)
    }

    var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }
    /// For durations: never goes back.
    var nanoseconds: UInt64 { clock.monotonicNanoseconds() }

    func makeRequestID() -> RequestID {
        RequestID(made: EventID(version7At: now, random: entropy.next(), entropy.next()))
    }

    /// Set once, when the server was told to stop: every further answer closes its connection.
    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func startDraining() { draining.store(true, ordering: .relaxed) }

    enum Admission {
        case served
        /// There are as many as allowed: it is told so.
        case refused
        /// There are too many even of those that are told so.
        case dropped
    }

    /// Counts a connection in. Whatever becomes of it, it must be counted out again.
    func connectionOpened() -> Admission {
        let (_, count) = connectionCount.wrappingAdd(1, ordering: .relaxed)
        guard count > options.connectionCountMax else { return .served }
        counters.connectionRefused()
        return count > options.connectionCountMax + ServerOptions.refusedConnectionCountMax ? .dropped : .refused
    }

    func connectionClosed() { connectionCount.wrappingSubtract(1, ordering: .relaxed) }

    var openConnectionCount: Int { connectionCount.load(ordering: .relaxed) }

    /// Counts a stream of an HTTP/2 connection in; false when all connections together have as many as there may be
    /// connections. Either way it must be counted out again.
    func streamOpened() -> Bool {
        let (_, count) = streamCount.wrappingAdd(1, ordering: .relaxed)
        return count <= options.connectionCountMax
    }

    func streamClosed() { streamCount.wrappingSubtract(1, ordering: .relaxed) }

    var openStreamCount: Int { streamCount.load(ordering: .relaxed) }
}

/// What the process has done since its start. Written from event loops without locks.
final class ServerCounters: Sendable {
    private let requestCount = Atomic<UInt64>(0)
    private let clientErrorCount = Atomic<UInt64>(0)
    private let serverErrorCount = Atomic<UInt64>(0)
    private let acknowledgedCount = Atomic<UInt64>(0)
    private let ingestCount = Atomic<UInt64>(0)
    private let ingestNanosecondCount = Atomic<UInt64>(0)
    private let queryCount = Atomic<UInt64>(0)
    private let givenUpQueryCount = Atomic<UInt64>(0)
    private let strangerCount = Atomic<UInt64>(0)
    private let heldCount = Atomic<UInt64>(0)
    private let delayedRefusalCount = Atomic<UInt64>(0)
    private let refusedConnectionCount = Atomic<UInt64>(0)
    private let failedHandshakeCount = Atomic<UInt64>(0)
    private let shedCount = Atomic<UInt64>(0)

    struct Snapshot {
        var requests: UInt64
        var clientErrors: UInt64
        var serverErrors: UInt64
        var eventsAcknowledged: UInt64
        var ingestRequests: UInt64
        var ingestNanoseconds: UInt64
        var queries: UInt64
        var givenUpQueries: UInt64
        var strangers: UInt64
        var held: UInt64
        var delayedRefusals: UInt64
        var refusedConnections: UInt64
        var failedHandshakes: UInt64
        var shed: UInt64
    }

    func answered(status: Int) {
        requestCount.wrappingAdd(1, ordering: .relaxed)
        if status >= 500 {
            serverErrorCount.wrappingAdd(1, ordering: .relaxed)
        } else if status >= 400 {
            clientErrorCount.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// A request whose events are stored, and how long it took from its head on.
    func stored(eventCount: UInt64, nanoseconds: UInt64) {
        requestCount.wrappingAdd(1, ordering: .relaxed)
        acknowledgedCount.wrappingAdd(eventCount, ordering: .relaxed)
        ingestCount.wrappingAdd(1, ordering: .relaxed)
        ingestNanosecondCount.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// Refused without a credential that is known: counted, and not told one by one.
    func strangerRefused() { strangerCount.wrappingAdd(1, ordering: .relaxed) }

    /// Waited for a later turn of its event loop, because its organization had had its share of this one.
    func held() { heldCount.wrappingAdd(1, ordering: .relaxed) }
    /// Its organization is beyond a limit, and had many refusals already.
    func refusalDelayed() { delayedRefusalCount.wrappingAdd(1, ordering: .relaxed) }
    /// Came when there were as many as allowed.
    func connectionRefused() { refusedConnectionCount.wrappingAdd(1, ordering: .relaxed) }
    func handshakeFailed() { failedHandshakeCount.wrappingAdd(1, ordering: .relaxed) }
    /// A request was refused because its event loop was behind.
    func shed() { shedCount.wrappingAdd(1, ordering: .relaxed) }

    func queried() { queryCount.wrappingAdd(1, ordering: .relaxed) }
    /// Its time was over, or its client left.
    func queryGivenUp() { givenUpQueryCount.wrappingAdd(1, ordering: .relaxed) }

    func snapshot() -> Snapshot {
        Snapshot(
            requests: requestCount.load(ordering: .relaxed), clientErrors: clientErrorCount.load(ordering: .relaxed),
            serverErrors: serverErrorCount.load(ordering: .relaxed),
            eventsAcknowledged: acknowledgedCount.load(ordering: .relaxed),
            ingestRequests: ingestCount.load(ordering: .relaxed),
            ingestNanoseconds: ingestNanosecondCount.load(ordering: .relaxed),
            queries: queryCount.load(ordering: .relaxed), givenUpQueries: givenUpQueryCount.load(ordering: .relaxed),
            strangers: strangerCount.load(ordering: .relaxed), held: heldCount.load(ordering: .relaxed),
            delayedRefusals: delayedRefusalCount.load(ordering: .relaxed),
            refusedConnections: refusedConnectionCount.load(ordering: .relaxed),
            failedHandshakes: failedHandshakeCount.load(ordering: .relaxed), shed: shedCount.load(ordering: .relaxed))
    }
}
