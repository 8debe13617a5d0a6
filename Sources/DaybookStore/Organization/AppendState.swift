internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog

/// What the serialized append must know of one organization: the next sequence, the idempotency keys of the last day,
/// and the sessions. Owned by the committing thread; rebuilt from the carry file and the tail when it is missing.
struct AppendState {
    let organization: OrganizationStore
    private let sessionIdleMicroseconds: Int64
    private(set) var nextSequence: UInt64
    private(set) var requests: [IdempotencyHash: IdempotencyEntry] = [:]
    private(set) var sessions: [[UInt8]: KnownSession] = [:]
    private static let requestCountMin = 4_096
    /// With as many keys those that have expired are dropped: twice as many as were left the last time, so that the cost
    /// of it stays a share of that of noting them.
    private var requestCountToLookAt = requestCountMin

    /// A session with the sequence of its last change.
    struct KnownSession {
        var state = SessionState()
        var lastSequence: UInt64 = 0
    }

    /// Serial number of the commit that used it last: the least recently used state goes first.
    var lastCommit: UInt64 = 0

    /// Reads the carry file and walks the tail.
    init(_ organization: OrganizationStore, sessionIdleMicroseconds: Int64) throws {
        self.organization = organization
        self.sessionIdleMicroseconds = sessionIdleMicroseconds
        let snapshot = organization.snapshot()
        nextSequence = snapshot.lastSequence + 1
        guard organization.log != .control else { return }
        if let name = snapshot.manifest.carry {
            let carry = try CarryFile.load(
                disk: organization.disk, folder: organization.folder, name: name, log: organization.log)
            for entry in carry.requests { requests[entry.keyHash] = entry }
            for session in carry.sessions {
                sessions[session.sessionID] = KnownSession(
                    state: try session.decodedState(in: Layout.path(organization.folder, name)),
                    lastSequence: carry.sealedThrough)
            }
        }
        try snapshot.forEachTailGroup(from: 1) { header, record in
            try note(header, record)
            return true
        }
    }

    /// Takes in a group that is in the log: its idempotency key and its session changes.
    mutating func note(_ header: GroupHeader, _ record: RawSpan) throws {
        if let keyHash = header.keyHash, let bodyHash = header.bodyHash {
            noteRequest(
                IdempotencyEntry(
                    keyHash: keyHash, bodyHash: bodyHash, firstSequence: header.firstSequence,
                    eventCount: UInt32(header.eventCount), arrival: header.arrival,
                    firstEvent: try Self.firstEvent(header, record)))
        }
        guard header.flags.contains(.sessions) else { return }
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.family == .sessionChange else { continue }
            let bytes = record.extracting(entry.encoding)
            let fields = try EventFields(family: entry.family, schemaVersion: entry.schemaVersion, reading: bytes)
            let sessionID = bytes.toArray(fields.name)
            sessions[sessionID, default: KnownSession()].state.apply(
                fields: fields, bytes: bytes, arrival: header.arrival)
            sessions[sessionID]?.lastSequence = entry.sequence
        }
        if sessions.count >= 4_096, sessions.count.nonzeroBitCount == 1 { dropSealedSessions(at: header.arrival) }
    }

    /// Ended sessions whose last change is sealed: their segment knows them when somebody asks.
    private mutating func dropSealedSessions(at now: Timestamp) {
        let sealedThrough = organization.snapshot().manifest.sealedThrough
        sessions = sessions.filter { known in
            !known.value.state.isEnded(at: now, idleMicroseconds: sessionIdleMicroseconds)
                || known.value.lastSequence > sealedThrough
        }
    }

    /// The id of the group's first event: what a repeated request is answered with.
    static func firstEvent(_ header: GroupHeader, _ record: RawSpan) throws -> EventID {
        var entries = GroupEntries(of: header)
        guard let first = try entries.next(record) else { throw FormatError.invalid("group record event count") }
        let fields = try EventFields(
            family: first.family, schemaVersion: first.schemaVersion, reading: record.extracting(first.encoding))
        return fields.id
    }

    /// Gives out sequences for a prepared group.
    mutating func advance(by eventCount: Int) { nextSequence += UInt64(eventCount) }

    /// The entry of a key that is not older than a day.
    func request(_ keyHash: IdempotencyHash, at now: Timestamp) -> IdempotencyEntry? {
        guard let entry = requests[keyHash],
            entry.arrival.adding(microseconds: Limits.idempotencyWindowMicroseconds) > now
        else { return nil }
        return entry
    }

    /// Keys of more than a day ago go now and then, however long the process lives.
    private mutating func noteRequest(_ entry: IdempotencyEntry) {
        requests[entry.keyHash] = entry
        guard requests.count >= requestCountToLookAt else { return }
        dropExpired(at: entry.arrival)
        requestCountToLookAt = max(Self.requestCountMin, 2 * requests.count)
    }

    private mutating func dropExpired(at now: Timestamp) {
        requests = requests.filter {
            $0.value.arrival.adding(microseconds: Limits.idempotencyWindowMicroseconds) > now
        }
    }
}

extension AppendState {
    /// Whether the session changes of a group may follow what is known. Nil when they may.
    ///
    /// A session that is known to segments only has ended, or is abandoned: else it would have been carried along. One that
    /// the server named itself, after its first event, is new for certain.
    /// - Parameter wasSealed: whether a session that is unknown here stands in a sealed segment.
    func refusal(
        _ header: GroupHeader, _ record: RawSpan, wasSealed: ([UInt8]) throws -> Bool
    ) throws -> CommitRefusal? {
        var entries = GroupEntries(of: header)
        var changed: [[UInt8]: SessionState] = [:]
        var place = ChangePlace(event: -1, session: -1)
        while let entry = try entries.next(record) {
            place.event += 1
            guard entry.family == .sessionChange else { continue }
            let bytes = record.extracting(entry.encoding)
            let fields = try EventFields(family: entry.family, schemaVersion: entry.schemaVersion, reading: bytes)
            let sessionID = bytes.toArray(fields.name)
            let starts = fields.status == SessionChangeKind.started.rawValue
            if starts { place.session += 1 }
            let named = ChangePlace(event: place.event, session: max(0, place.session))
            if let state = changed[sessionID] ?? sessions[sessionID]?.state {
                let isInGroup = changed[sessionID] != nil
                let isEnded = state.isEnded(at: header.arrival, idleMicroseconds: sessionIdleMicroseconds)
                if isEnded, !isInGroup || state.hasEnded { return .sessionEnded(named) }
                changed[sessionID] = state
            } else if !starts || sessionID != Array(fields.id.description.utf8) {
                if try wasSealed(sessionID) { return .sessionEnded(named) }
                if !starts { return .sessionNotFound(named) }
            }
            changed[sessionID, default: SessionState()].apply(
                fields: fields, bytes: bytes, arrival: header.arrival)
            if let excess = changed[sessionID]?.excess(after: fields) {
                return .sessionTooLarge(named, field: excess.field, message: excess.message)
            }
        }
        return nil
    }
}
