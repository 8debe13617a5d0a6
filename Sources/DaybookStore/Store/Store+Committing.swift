internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem

/// The store's side of a commit. Lives on the committing thread and owns the append states.
final class CommitParticipation: CommitParticipant {
    /// States beyond this many are dropped, least recently used first.
    private static let stateCountMax = 4_096

    private let registry: OrganizationRegistry
    private let shared: SharedState
    private var states: [LogID: AppendState] = [:]
    private var commitNumber: UInt64 = 0
    /// What is known of these logs is to be read again.
    private var forgotten: Set<LogID> = []

    init(registry: OrganizationRegistry, shared: SharedState) {
        self.registry = registry
        self.shared = shared
    }

    func prepare(_ submission: inout Submission) -> Preparation {
        let log = submission.group.header.log
        guard !shared.deletions.contains(log) else { return .answer(.refused(.organizationDeleted)) }
        do {
            forget(log)
            if states[log] == nil { try addState(log) }
        } catch StoreError.unknownOrganization {
            return .answer(.refused(.organizationDeleted))
        } catch StoreError.organizationClosed {
            return .answer(.refused(.organizationDamaged))
        } catch {
            shared.note(error)
            return .answer(.refused(.storageUnavailable))
        }
        let header = submission.group.header
        if let keyHash = header.keyHash, let entry = states[log]!.request(keyHash, at: header.arrival) {
            guard entry.bodyHash == header.bodyHash else { return .answer(.refused(.idempotencyConflict)) }
            return .answer(
                .duplicate(
                    firstSequence: entry.firstSequence, eventCount: Int(entry.eventCount), arrival: entry.arrival,
                    firstEvent: entry.firstEvent))
        }
        let organization = states[log]!.organization
        if let refusal = spaceRefusal(of: organization, byteCount: submission.group.bytes.count) {
            return .answer(.refused(refusal))
        }
        submission.group.seal(
            firstSequence: states[log]!.nextSequence, durableThrough: organization.durableThrough)
        return note(submission.group, log)
    }

    /// Whether there is room for more. Acts of the control log are taken in any case: deletion is one of them.
    private func spaceRefusal(of organization: OrganizationStore, byteCount: Int) -> CommitRefusal? {
        guard organization.log != .control else { return nil }
        if shared.space.isLow { return .storageUnavailable }
        if shared.space.isBeyondQuota(byteCount: byteCount) { return .quotaExceeded }
        let quota = shared.settings.quotaByteCount(of: organization.log)
        guard quota > 0 else { return nil }
        return organization.usedByteCount + UInt64(byteCount) > quota ? .quotaExceeded : nil
    }

    /// Checks session changes and remembers what the group changes.
    private func note(_ group: GroupBuilder, _ log: LogID) -> Preparation {
        do {
            return try group.bytes.withRawSpan { (record: RawSpan) throws -> Preparation in
                if group.header.flags.contains(.sessions) {
                    let organization = states[log]!.organization
                    let refusal = try states[log]!.refusal(group.header, record) { sessionID in
                        try Self.wasSealed(sessionID, organization)
                    }
                    if let refusal { return .answer(.refused(refusal)) }
                }
                if !group.header.flags.isDisjoint(with: [.sessions, .idempotency]) {
                    try states[log]!.note(group.header, record)
                }
                states[log]!.advance(by: group.header.eventCount)
                states[log]!.lastCommit = commitNumber
                return .write
            }
        } catch {
            shared.note(error)
            return .answer(.refused(.storageUnavailable))
        }
    }

    /// Drops the state of a log if somebody has asked for it, unless the present commit relies on it: then the next one
    /// does it.
    private func forget(_ log: LogID) {
        forgotten.formUnion(shared.takeForgotten())
        guard forgotten.contains(log), states[log].map({ $0.lastCommit < commitNumber }) ?? true else { return }
        forgotten.remove(log)
        guard states.removeValue(forKey: log) != nil else { return }
        registry.release(log)
    }

    private func addState(_ log: LogID) throws {
        if states.count >= Self.stateCountMax { dropOldStates() }
        let organization = try registry.lease(log)
        do {
            states[log] = try appendState(organization)
        } catch {
            registry.release(log)
            throw error
        }
    }

    /// A sealing between the snapshot and the reading replaces the carry file; then there is a newer snapshot.
    private func appendState(_ organization: OrganizationStore) throws -> AppendState {
        for _ in 0..<3 {
            do {
                return try AppendState(organization, sessionIdleMicroseconds: shared.sessionIdleMicroseconds)
            } catch CarryError.disk(let error) where error.kind == .notFound {
                continue
            }
        }
        return try AppendState(organization, sessionIdleMicroseconds: shared.sessionIdleMicroseconds)
    }

    /// Drops the older half of the states. Only between commits of their organizations: a state in use by the
    /// present commit is the youngest.
    private func dropOldStates() {
        let middle = states.values.map(\.lastCommit).sorted()[states.count / 2]
        for (log, state) in states where state.lastCommit <= middle && state.lastCommit < commitNumber {
            states[log] = nil
            registry.release(log)
        }
    }

    /// Lets go of organizations that were deleted. Only between commits.
    func dropDeleted() {
        for log in shared.deletions.active where states.removeValue(forKey: log) != nil { registry.release(log) }
    }

    func publish(_ groups: [CommittedGroup], durablePosition: UInt64) {
        var dirty: [LogID] = []
        var byteCount = 0
        for group in groups {
            byteCount += group.bytes.count
            guard let organization = states[group.log]?.organization else {
                preconditionFailure("a committed group has no append state")
            }
            if organization.publish(group) { dirty.append(group.log) }
            shared.space.add(group.bytes.count, to: group.log)
        }
        shared.published(durablePosition: durablePosition, byteCount: byteCount, dirty: dirty, groups: groups)
        commitNumber += 1
    }

    func abandon(_ groups: [CommittedGroup]) {
        for log in Set(groups.map(\.log)) where states[log] != nil {
            states[log] = nil
            registry.release(log)
        }
    }

    /// Lets go of every organization; the next commit opens them again.
    func releaseAll() {
        for log in states.keys { registry.release(log) }
        states.removeAll()
    }

    /// Whether sealed segments know the session. Only changes of unknown sessions ask, and starts of those that a client
    /// has named: their indexes say no, as a rule.
    private static func wasSealed(_ sessionID: [UInt8], _ organization: OrganizationStore) throws -> Bool {
        let snapshot = organization.snapshot()
        for reference in snapshot.segments.reversed() where reference.family == .sessionChange {
            let rowGroups = try snapshot.openIndex(of: reference).rowGroups(.session, containing: sessionID)
            guard !rowGroups.isEmpty else { continue }
            let segment = try snapshot.open(reference)
            for rowGroup in rowGroups {
                let batch = try segment.read(rowGroup: rowGroup, [.session])
                if batch.sessions?.table.code(of: sessionID) != nil { return true }
            }
        }
        return false
    }
}
