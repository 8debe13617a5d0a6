internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookQuery
internal import DaybookStore
internal import DaybookSystem
internal import NIOCore
import Synchronization

/// What the connections of one event loop share. Touched by that loop only.
final class IngestLoop {
    let environment: ServerEnvironment
    let pool: QueryPool
    let queryOptions: QueryOptions
    let eventLoop: any EventLoop
    let sink: LoopSink
    /// Random words for the identifiers of events.
    let identifiers: EventIDSource
    /// Answers are put together here; the storage is kept from one answer to the next.
    var scratch: [UInt8] = []
    var headScratch: [UInt8] = []
    private var buffer: ByteBuffer
    /// Goes up at every check of the time limits while connections are open. Timeouts are counted in it, so that no
    /// request pays for a timer.
    private(set) var tick = 0
    private var connections: [ObjectIdentifier: any Timed] = [:]
    private var ticker: RepeatedTask?
    private var lag: LoopLag
    /// The loop is so far behind that what can be refused is.
    var isOverloaded: Bool { lag.isOverloaded }
    private var tickets = TicketTable()
    var turns = TurnShare<HeldWork>()
    let bell: LoopBell
    var refusals = RefusalPace()
    private var credentials = CredentialCache()
    private var teamCache = TeamCache()

    init(environment: ServerEnvironment, pool: QueryPool, eventLoop: any EventLoop, bell: LoopBell) {
        self.environment = environment
        self.pool = pool
        var queryOptions = QueryOptions()
        queryOptions.sessionIdleMicroseconds = environment.store.sessionIdleMicroseconds
        // What one organization can never have is no reason to come again later.
        let most = environment.options.queryMemoryByteCountMaxOfOrganization
        queryOptions.memoryByteCountMax = min(queryOptions.memoryByteCountMax, most)
        queryOptions.pageByteCountMax = min(queryOptions.pageByteCountMax, most / 8)
        self.queryOptions = queryOptions
        self.eventLoop = eventLoop
        self.bell = bell
        sink = LoopSink(eventLoop: eventLoop)
        let limits = environment.options.timeLimits
        lag = LoopLag(
            intervalMilliseconds: limits.checkIntervalMilliseconds, limitMilliseconds: limits.shedMilliseconds)
        let entropy = environment.entropy
        identifiers = { (entropy.next(), entropy.next()) }
        buffer = ByteBufferAllocator().buffer(capacity: 2_048)
        scratch.reserveCapacity(1_024)
        headScratch.reserveCapacity(512)
        sink.connect(to: self)
    }

    // MARK: Credentials

    /// The credential of an `Authorization` value, or nil for every way in which it can be wrong.
    /// - Throws: when too many unknown tokens came to look at this one.
    func credential(authorization value: String, at now: Timestamp) throws(ErrorResponse) -> Credential? {
        let generation = environment.registry.generation
        if let known = credentials.find(value, generation: generation) {
            return known.admits(at: now) ? known : nil
        }
        guard let key = bearerToken(of: value) else { return nil }
        guard let credential = try environment.verify(key, at: now), credential.admits(at: now) else { return nil }
        credentials.insert(value, credential, generation: generation)
        return credential
    }

    /// Whether the value was verified before and no key was revoked since.
    func knows(authorization value: String) -> Bool {
        credentials.find(value, generation: environment.registry.generation) != nil
    }

    /// To which team events belong that arrive now; nil where nobody of the organization is in one.
    func teams(of organization: LogID) -> TeamIndex? { teamCache.teams(of: organization, in: environment.store) }

    // MARK: Commits in flight

    func register(_ connection: ConnectionHandler, of organization: LogID, chargedByteCount: Int) -> UInt64 {
        tickets.issue(connection, of: organization, chargedByteCount: chargedByteCount)
    }

    /// The connection no longer wants to hear of it. The bytes stay charged until the store is done with them.
    func abandon(_ ticket: UInt64) { tickets.abandon(ticket) }

    /// One group's outcomes. Runs on the loop.
    func deliver(_ outcomes: [Acknowledged]) {
        let now = environment.nanoseconds
        for acknowledged in outcomes {
            let redeemed = tickets.redeem(acknowledged.ticket)
            environment.bodies.refund(redeemed.chargedByteCount, of: redeemed.organization)
            guard let connection = redeemed.connection else { continue }
            complete(acknowledged.outcome, connection, redeemed.organization, at: now)
        }
    }

    // MARK: Buffers

    /// An empty buffer. The last one serves again once its bytes are with the kernel, which is the rule; while they
    /// are not, the write below makes a copy by itself.
    func takeBuffer(byteCount: Int) -> ByteBuffer {
        if byteCount > 16 << 10 { return ByteBufferAllocator().buffer(capacity: byteCount) }
        var taken = ByteBuffer()
        swap(&taken, &buffer)
        taken.clear()
        return taken
    }

    func keepBuffer(_ used: ByteBuffer) {
        if used.capacity <= 16 << 10 { buffer = used }
    }

    // MARK: Connections and time

    func opened(_ connection: any Timed) {
        connections[ObjectIdentifier(connection)] = connection
        guard ticker == nil else { return }
        lag.begin(at: environment.nanoseconds)
        let loop = NIOLoopBound(self, eventLoop: eventLoop)
        let interval = TimeAmount.milliseconds(Int64(tickMilliseconds))
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in loop.value.advance() }
    }

    func closed(_ connection: any Timed) {
        connections[ObjectIdentifier(connection)] = nil
        guard connections.isEmpty else { return }
        ticker?.cancel()
        ticker = nil
    }

    private var tickMilliseconds: Int { environment.options.timeLimits.checkIntervalMilliseconds }

    /// Whether this much time has certainly passed since the given tick; false without a tick. The tick may have been
    /// about to end, so it does not count.
    func isOver(_ milliseconds: Int, since start: Int?) -> Bool {
        guard let start else { return false }
        return (tick - start - 1) * tickMilliseconds >= milliseconds
    }

    private func advance() {
        tick += 1
        lag.ticked(at: environment.nanoseconds)
        for connection in Array(connections.values) { connection.checkTime() }
        // The checks themselves do not count as being late.
        lag.begin(at: environment.nanoseconds)
    }
}

/// Carries outcomes from the committing thread to the loop: one wake-up for each group.
final class LoopSink: AcknowledgementSink {
    private let eventLoop: any EventLoop
    private let target: NIOLoopBoundBox<IngestLoop?>
    /// Held while an outcome is handed over: after `disconnect` nothing goes to a loop that is about to end.
    private let isConnected = Mutex(false)

    /// Must be called on the loop.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        target = NIOLoopBoundBox(nil, eventLoop: eventLoop)
    }

    func connect(to loop: IngestLoop) {
        target.value = loop
        isConnected.withLock { $0 = true }
    }

    /// Ends the cycle between loop and sink. Outcomes that come later find nobody.
    func disconnect() {
        target.value = nil
        isConnected.withLock { $0 = false }
    }

    func acknowledge(_ outcomes: [Acknowledged]) {
        isConnected.withLock { isConnected in
            guard isConnected else { return }
            eventLoop.execute { [target] in target.value?.deliver(outcomes) }
        }
    }
}

/// Which connection waits for which commit. A ticket is a slot and its generation, so that a late outcome never finds
/// the slot's next owner.
private struct TicketTable {
    struct Slot {
        var connection: ConnectionHandler?
        var organization: LogID
        var chargedByteCount: Int
        fileprivate var generation: UInt32
    }

    private var slots: [Slot] = []
    private var free: [Int] = []

    mutating func issue(_ connection: ConnectionHandler, of organization: LogID, chargedByteCount: Int) -> UInt64 {
        let index: Int
        if let reused = free.popLast() {
            index = reused
            slots[index].connection = connection
            slots[index].organization = organization
            slots[index].chargedByteCount = chargedByteCount
        } else {
            index = slots.count
            slots.append(
                Slot(
                    connection: connection, organization: organization, chargedByteCount: chargedByteCount,
                    generation: 0))
        }
        return UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    /// One that was redeemed already, and whose outcome is held for a later turn, is left alone.
    mutating func abandon(_ ticket: UInt64) {
        let index = Int(ticket & 0xFFFF_FFFF)
        if slots[index].generation == UInt32(ticket >> 32) { slots[index].connection = nil }
    }

    /// Precondition: the ticket was issued and not redeemed; the store tells each outcome exactly once.
    mutating func redeem(_ ticket: UInt64) -> Slot {
        let index = Int(ticket & 0xFFFF_FFFF)
        precondition(slots[index].generation == UInt32(ticket >> 32))
        let result = slots[index]
        slots[index].connection = nil
        slots[index].generation &+= 1
        free.append(index)
        return result
    }
}

/// Verified keys and tokens by the text of their header, so that a request does not pay for a hash. Bounded; emptied when
/// any of them is revoked.
private struct CredentialCache {
    private static let countMax = 1_024
    private static let byteCountMax = 1 << 20
    private var byteCount = 0
    private var generation: UInt64 = 0
    private var byHeader: [String: Credential] = [:]
    private var lastHeader = ""
    private var lastCredential: Credential?

    mutating func find(_ header: String, generation: UInt64) -> Credential? {
        guard generation == self.generation else { return nil }
        if let lastCredential, header == lastHeader { return lastCredential }
        guard let credential = byHeader[header] else { return nil }
        lastHeader = header
        lastCredential = credential
        return credential
    }

    /// - Parameter generation: as read before the key was verified: a revocation in between empties the cache.
    mutating func insert(_ header: String, _ credential: Credential, generation: UInt64) {
        let isFull = byHeader.count >= Self.countMax || byteCount + header.utf8.count > Self.byteCountMax
        if generation != self.generation || isFull {
            self = CredentialCache()
            self.generation = generation
        }
        byHeader[header] = credential
        byteCount += header.utf8.count
    }
}

/// The token behind `Bearer`, whose scheme compares without regard to case. Nil for any other scheme.
func bearerToken(of value: String) -> [UInt8]? {
    let bytes = Array(value.utf8)
    guard bytes.count > 7, equalIgnoringCase(String(decoding: bytes[..<7], as: UTF8.self), "bearer ") else {
        return nil
    }
    return bytes[7...].drop { $0 == UInt8(ascii: " ") }.map { $0 }
}
