internal import DaybookControl
internal import DaybookFormat
internal import NIOHTTP1

/// What an answer needs to know of the request that it answers.
struct CurrentRequest {
    var id = RequestID(made: EventID(high: 0, low: 0))
    var startedNanoseconds: UInt64 = 0
    var keepsAlive = true
    /// An HTTP/1.0 peer keeps the connection only when told so.
    var needsKeepAliveField = false
    var isHead = false
    /// Nil once it has its answer.
    var record: RequestRecord?
    /// For the log, and for the audit trail, which names requests that were denied.
    var method = ""
    var target = ""
    /// What it showed as its one credential.
    var authorization: String?
    /// Who asks, when a trusted proxy says so.
    var client: TrustedProxies.Client?
    /// A trusted proxy says that the client asked it over TLS.
    var isForwardedSecurely = false
    /// The page in whose name a browser asks, when its scripts may read the answer.
    var origin: String?
    /// The browser asks what that page may send.
    var isPreflight = false
    /// What it was counted against; told with its answer.
    var rate: RateStanding?
    /// It is of an organization without a limit, which is told with its answer, too.
    var isUnlimited = false
    /// The organization of which it is one of few batches at a time.
    var heldBatch: LogID?
    /// The organization beyond whose limits it is, until its refusal may be answered.
    var refusedOrganization: LogID?
}

/// Where the router is with the request that it was given.
struct RoutingState {
    var requestHasEnded = false
    var requestEndedTick: Int?
    var responseHasStarted = false
    var responseHasEnded = false
    var bodyByteCount = 0
    /// What came before the router's side was there.
    var held: [HTTPServerRequestPart] = []
}

/// The peer's own request id when it was well-formed, else one of ours, printed only when an answer needs it.
struct RequestID {
    private var given: String?
    private var made: EventID

    init(given: String) {
        self.given = given
        made = EventID(high: 0, low: 0)
    }

    init(made: EventID) { self.made = made }

    func append(to bytes: inout [UInt8]) {
        if let given { bytes.append(contentsOf: given.utf8) } else { made.appendText(to: &bytes) }
    }

    var text: String { given ?? made.description }
}
