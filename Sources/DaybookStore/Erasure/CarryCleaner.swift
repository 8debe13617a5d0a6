internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem

/// Makes the carry file anew without a user: the idempotency keys of requests that held nobody else's events, and what the
/// user's changes brought into the states of sessions. A segment a step. Must run before the user's rows are gone: they
/// tell which requests and sessions are meant.
struct CarryCleaner {
    private struct Tally {
        var erasedCount = 0
        /// Of the request's events of others the first one: what a repeated request is answered with.
        var firstSurvivor: (sequence: UInt64, id: EventID)?
        var isUnreadable = false
    }

    private let organization: OrganizationStore
    private let users: ErasedUsers
    private let carry: CarryFile
    private let segments: [SegmentReference]
    private var next = 0
    private var tallies: [Tally]
    private var touched: Set<[UInt8]> = []
    private var states: [[UInt8]: SessionState] = [:]
    private var isRebuilding = false

    /// Nil when there is no carry file.
    init?(_ organization: OrganizationStore, _ users: ErasedUsers) throws {
        let manifest = organization.snapshot().manifest
        guard let name = manifest.carry else { return nil }
        self.organization = organization
        self.users = users
        carry = try CarryFile.load(
            disk: organization.disk, folder: organization.folder, name: name, log: organization.log)
        segments = manifest.segments
        tallies = [Tally](repeating: Tally(), count: carry.requests.count)
        for session in carry.sessions {
            let state = try session.decodedState(in: Layout.path(organization.folder, name))
            if users.end(of: state.user) > 0 { touched.insert(session.sessionID) }
        }
    }

    /// False when everything was looked at.
    mutating func step() throws -> Bool {
        while next < segments.count {
            let segment = segments[next]
            next += 1
            guard isRebuilding ? segment.family == .sessionChange : isRelevant(segment) else { continue }
            do {
                try isRebuilding ? rebuild(segment) : look(segment)
            } catch SegmentError.corrupt {
                giveUp(segment)
            } catch SegmentError.disk(let error) where error.kind == .notFound {
                giveUp(segment)
            }
            return true
        }
        guard !isRebuilding, !touched.isEmpty else { return false }
        isRebuilding = true
        next = 0
        return true
    }

    private func isRelevant(_ segment: SegmentReference) -> Bool {
        guard segment.firstSequence <= users.through else { return false }
        if segment.family == .sessionChange, !carry.sessions.isEmpty { return true }
        guard let last = carry.requests.last else { return false }
        return segment.lastSequence >= carry.requests[0].firstSequence && segment.firstSequence <= last.lastSequence
    }

    /// What stands in a segment that cannot be read may be the user's.
    private mutating func giveUp(_ segment: SegmentReference) {
        if segment.family == .sessionChange { touched.formUnion(carry.sessions.map(\.sessionID)) }
        for (index, request) in carry.requests.enumerated()
        where request.firstSequence <= segment.lastSequence && request.lastSequence >= segment.firstSequence
            && request.firstSequence <= users.through
        {
            tallies[index].isUnreadable = true
        }
    }

    private func open(_ segment: SegmentReference) throws -> SegmentReader {
        try SegmentReader.open(
            disk: organization.disk, path: Layout.path(organization.folder, segment.path))
    }

    private mutating func look(_ segment: SegmentReference) throws {
        let reader = try open(segment)
        var selection: ColumnSelection = [.sequence, .user, .identifier]
        if segment.family == .sessionChange { selection.insert(.session) }
        for rowGroup in 0..<reader.rowGroupCount {
            let batch = try reader.read(rowGroup: rowGroup, selection)
            let hidden = users.hiddenRows(of: batch)
            for row in 0..<batch.rowCount {
                let isHidden = hidden?[row] == true
                count(batch.sequences[row], batch.identifiers[row], isHidden: isHidden)
                guard isHidden, let column = batch.sessions, column.codes[row] < column.table.count else { continue }
                touched.insert(Array(column.table.bytes[column.table.range(of: column.codes[row])]))
            }
        }
    }

    private mutating func count(_ sequence: UInt64, _ id: EventID, isHidden: Bool) {
        let index = carry.requests.partitioningIndex { $0.firstSequence > sequence } - 1
        guard index >= 0, sequence <= carry.requests[index].lastSequence else { return }
        if isHidden {
            tallies[index].erasedCount += 1
        } else if sequence < tallies[index].firstSurvivor?.sequence ?? .max {
            tallies[index].firstSurvivor = (sequence, id)
        }
    }

    /// Takes in the changes of touched sessions that stay, in sequence order.
    private mutating func rebuild(_ segment: SegmentReference) throws {
        let reader = try open(segment)
        for rowGroup in 0..<reader.rowGroupCount {
            let table = try reader.table(rowGroup: rowGroup, .session)
            let isWanted = (0..<UInt32(table.count)).contains {
                touched.contains(Array(table.bytes[table.range(of: $0)]))
            }
            guard isWanted else { continue }
            let batch = try reader.read(rowGroup: rowGroup, .all)
            let hidden = users.hiddenRows(of: batch)
            for row in 0..<batch.rowCount where hidden?[row] != true { try apply(batch, row) }
        }
    }

    private mutating func apply(_ batch: ColumnBatch, _ row: Int) throws {
        var encoding: [UInt8] = []
        batch.appendEncoding(row: row, to: &encoding)
        try encoding.withRawSpan { (bytes: RawSpan) throws(FormatError) in
            let fields = try EventFields(family: .sessionChange, schemaVersion: batch.schemaVersion, reading: bytes)
            let id = bytes.toArray(fields.name)
            guard touched.contains(id) else { return }
            states[id, default: SessionState()].apply(
                fields: fields, bytes: bytes, arrival: Timestamp(microseconds: batch.arrivals[row]))
        }
    }

    /// The carry file as it is to be; nil when it is as it should be. Precondition: `step` has said that nothing is left.
    func cleaned() -> (carry: CarryFile, droppedRequestCount: Int, droppedSessionCount: Int)? {
        var requests: [IdempotencyEntry] = []
        for (request, tally) in zip(carry.requests, tallies) {
            guard !tally.isUnreadable else { continue }
            var request = request
            if tally.erasedCount > 0 {
                guard let survivor = tally.firstSurvivor else { continue }
                if survivor.sequence > request.firstSequence { request.firstEvent = survivor.id }
            }
            requests.append(request)
        }
        var sessions: [CarriedSession] = []
        for session in carry.sessions {
            guard touched.contains(session.sessionID) else {
                sessions.append(session)
                continue
            }
            guard let state = states[session.sessionID] else { continue }
            sessions.append(CarriedSession(sessionID: session.sessionID, state: state.encoded()))
        }
        let result = CarryFile(
            log: carry.log, sealedThrough: carry.sealedThrough, requests: requests, sessions: sessions)
        guard result != carry else { return nil }
        return (result, carry.requests.count - requests.count, carry.sessions.count - sessions.count)
    }
}

extension IdempotencyEntry {
    fileprivate var lastSequence: UInt64 { firstSequence + UInt64(eventCount) - 1 }
}
