internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog

/// Makes the next carry file: the last one, plus the groups that are being sealed, less what has expired or ended.
struct CarryBuilder {
    private let log: LogID
    private let now: Timestamp
    private let sessionIdleMicroseconds: Int64
    private var requests: [IdempotencyEntry] = []
    private var sessions: [[UInt8]: SessionState] = [:]

    init(_ organization: OrganizationStore, now: Timestamp, sessionIdleMicroseconds: Int64) throws {
        log = organization.log
        self.now = now
        self.sessionIdleMicroseconds = sessionIdleMicroseconds
        guard let name = organization.snapshot().manifest.carry else { return }
        let carry = try CarryFile.load(disk: organization.disk, folder: organization.folder, name: name, log: log)
        requests = carry.requests
        for session in carry.sessions {
            sessions[session.sessionID] = try session.decodedState(in: Layout.path(organization.folder, name))
        }
    }

    mutating func note(_ header: GroupHeader, _ record: RawSpan) throws {
        if let keyHash = header.keyHash, let bodyHash = header.bodyHash {
            requests.append(
                IdempotencyEntry(
                    keyHash: keyHash, bodyHash: bodyHash, firstSequence: header.firstSequence,
                    eventCount: UInt32(header.eventCount), arrival: header.arrival,
                    firstEvent: try AppendState.firstEvent(header, record)))
        }
        guard header.flags.contains(.sessions) else { return }
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.family == .sessionChange else { continue }
            let bytes = record.extracting(entry.encoding)
            let fields = try EventFields(family: entry.family, schemaVersion: entry.schemaVersion, reading: bytes)
            sessions[bytes.toArray(fields.name), default: SessionState()].apply(
                fields: fields, bytes: bytes, arrival: header.arrival)
        }
    }

    /// Unexpired requests and live sessions. An ended session is found in its segment when someone asks for it.
    func file(sealedThrough: UInt64) -> CarryFile {
        let unexpired = requests.filter {
            $0.arrival.adding(microseconds: Limits.idempotencyWindowMicroseconds) > now
        }
        let live = sessions.filter { !$0.value.isEnded(at: now, idleMicroseconds: sessionIdleMicroseconds) }
        return CarryFile(
            log: log, sealedThrough: sealedThrough, requests: unexpired,
            sessions: live.map { CarriedSession(sessionID: $0.key, state: $0.value.encoded()) })
    }
}
