internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookQuery
internal import DaybookStore
internal import NIOCore
import Synchronization

/// A body that a query thread makes events of.
struct RunningParse {
    /// Tells one body from another; nobody waits for the one that was cancelled.
    let cancellation: Cancellation
    let submittedTick: Int
    /// Its place among those that wait; nil when it found none.
    var place: QueryPool.Ticket?
}

/// Large bodies while others share the loop: parsing a thousand events takes a millisecond or two, and as long the loop
/// would look at nobody. On a loop of its own an organization's bodies are parsed at once: no change of threads is
/// faster.
extension ConnectionHandler {
    /// From here on parsing takes longer than a turn of the loop.
    private static let longByteCount = 64 << 10
    /// The same of what is packed: it may become two hundred times as much.
    private static let longPackedByteCount = 1 << 10

    /// Whether the body that is in goes to a query thread.
    func isForPool(_ current: IngestRequest, at now: UInt64) -> Bool {
        let least = current.packing == nil ? Self.longByteCount : Self.longPackedByteCount
        guard current.bodyByteCount >= least, current.failure == nil,
            let organization = current.credential?.organization.log
        else { return false }
        return loop.turns.isShared(by: organization, at: now)
    }

    func parseOnPool(_ request: IngestRequest, _ body: ByteBuffer, _ credential: Credential) {
        guard let eventLoop = context?.eventLoop else { return }
        var current = request
        current.arrival = environment.now
        let charge = BodyCharge(
            current.chargedByteCount, of: credential.organization.log, from: environment.bodies)
        current.chargedByteCount = 0
        ingest = current
        let work = BodyWork(
            request: current, body: body, context: parserContext(current, credential),
            log: credential.organization.log, charge: charge)
        let cancellation = Cancellation()
        parse = RunningParse(cancellation: cancellation, submittedTick: loop.tick)
        phase = .parsing
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        let reply: @Sendable (Result<ParsedBody, ErrorResponse>) -> Void = { parsed in
            eventLoop.execute { handler.value.complete(parsed, charge, of: cancellation) }
        }
        parse?.place = loop.pool.submit(of: .bodies(of: credential.organization.log)) {
            reply(.failure(.overloaded))
        } _: {
            guard !cancellation.isCancelled else { return }
            reply(work.run())
        }
    }

    private func complete(
        _ parsed: Result<ParsedBody, ErrorResponse>, _ charge: BodyCharge, of cancellation: Cancellation
    ) {
        guard phase == .parsing, parse?.cancellation === cancellation, var current = ingest else { return }
        parse = nil
        phase = .collecting
        current.chargedByteCount = charge.take()
        ingest = current
        switch parsed {
        case .failure(let failure): answer(failure)
        case .success(let parsed): accept(parsed, current)
        }
    }

    /// Nothing of the body is stored.
    func giveUpParse() {
        guard let parse else { return }
        parse.cancellation.cancel()
        if let place = parse.place { loop.pool.takeBack(place) }
        self.parse = nil
    }

    /// Once a tick of the loop, while a query thread has the body.
    func checkParseTime() {
        guard let parse, loop.isOver(environment.options.timeLimits.commitMilliseconds, since: parse.submittedTick)
        else { return }
        giveUpParse()
        answer(.overloaded.closing())
    }
}

/// What a body becomes, or why it becomes nothing.
struct ParsedBody: Sendable {
    let result: EventParser.Result
    let group: GroupBuilder
}

/// A body and what of its request is needed to make events of it, on any thread.
private struct BodyWork: Sendable {
    let request: IngestRequest
    let body: ByteBuffer
    let context: EventParser.Context
    let log: LogID
    let charge: BodyCharge

    func run() -> Result<ParsedBody, ErrorResponse> {
        guard let packing = request.packing else {
            return .success(request.parse(body.readableBytesSpan, context, log: log))
        }
        do throws(ErrorResponse) {
            let unpacked = try PackedBody.unpack(
                body, packing, byteCountMax: Limits.bodyByteCountMax, charge: charge.grow)
            return .success(unpacked.withRawSpan { request.parse($0, context, log: log) })
        } catch {
            return .failure(error)
        }
    }
}

/// What a body that travels between threads holds of the budget. Whoever takes it gives it back; what nobody takes goes
/// back with the last reference.
private final class BodyCharge: Sendable {
    private let budget: MemoryBudget
    private let organization: LogID
    private let byteCount: Atomic<Int>

    /// - Parameter byteCount: charged already.
    init(_ byteCount: Int, of organization: LogID, from budget: MemoryBudget) {
        self.byteCount = Atomic(byteCount)
        self.organization = organization
        self.budget = budget
    }

    func grow(by count: Int) -> Bool {
        guard budget.charge(count, of: organization) else { return false }
        byteCount.add(count, ordering: .relaxed)
        return true
    }

    func take() -> Int { byteCount.exchange(0, ordering: .relaxed) }

    deinit { budget.refund(take(), of: organization) }
}
