internal import DaybookCompression
internal import DaybookControl
internal import DaybookCrypto
internal import DaybookEvent
internal import DaybookFormat
internal import NIOCore

/// One request that writes, from its head to its answer.
struct IngestRequest {
    let kind: EventParser.Kind
    let isSingle: Bool
    /// Why it will be refused once its body is in; a body that is not wanted is read and dropped for the sake of the
    /// connection.
    var failure: ErrorResponse?
    let credential: Credential?
    let isRelaxed: Bool
    let idempotencyKey: String?
    /// Of the body; nil when it is not packed.
    var packing: Packing?

    var body: ByteBuffer?
    var bodyByteCount = 0
    /// Taken from the store-wide budget; goes over to the ticket when the store gets the events.
    var chargedByteCount = 0

    var arrival = Timestamp(microseconds: 0)
    var summary: EventParser.Summary?
    var eventCount = 0
    var ticket: UInt64?
    var submittedTick: Int?

    init(
        kind: EventParser.Kind, isSingle: Bool, credential: Credential?, isRelaxed: Bool, idempotencyKey: String?,
        failure: ErrorResponse?
    ) {
        self.kind = kind
        self.isSingle = isSingle
        self.credential = credential
        self.isRelaxed = isRelaxed
        self.idempotencyKey = idempotencyKey
        self.failure = failure
    }

    /// The body as a group of events of this organization. On any thread.
    func parse(_ body: RawSpan, _ context: EventParser.Context, log: LogID) -> ParsedBody {
        let hashes = idempotencyHashes(of: body)
        var group = GroupBuilder(
            log: log, arrival: arrival, keyHash: hashes?.key, bodyHash: hashes?.body,
            byteCapacity: body.byteCount + 160)
        let result = EventParser.parse(body, kind: kind, context: context, into: &group)
        return ParsedBody(result: result, group: group)
    }

    /// The hashes under which the store remembers the request. Both spellings of a path are the same request.
    func idempotencyHashes(of body: RawSpan) -> (key: IdempotencyHash, body: IdempotencyHash)? {
        guard let idempotencyKey else { return nil }
        var hasher = SHA256Hasher()
        hasher.update(Array(idempotencyKey.utf8))
        let key = hasher.finish()
        hasher.update(Array("\(kind)\n".utf8))
        hasher.update(body)
        guard let key = IdempotencyHash(bytes: key), let hash = IdempotencyHash(bytes: hasher.finish()) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return (key, hash)
    }
}
