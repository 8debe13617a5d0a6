package import DaybookFormat
internal import DaybookLog
package import DaybookSystem
internal import Synchronization

extension Store {
    /// Begins the erasure of a user of an organization, and returns its entry of the ledger. Blocks until that is durable:
    /// from then on nobody sees the user's events, the user's keys open nothing, and the rest goes on in the background,
    /// whatever ends the process. Events that come later are those of a user who came back.
    ///
    /// The threads must run. Beginning what is under way already, with nothing new to erase, returns what is there.
    /// - Parameter acts: that go with the beginning.
    package func beginErasure(
        of user: String, in organization: OrganizationID, entropy: any Entropy,
        with acts: (ErasureRecord) -> [ControlEvent] = { _ in [] }
    ) throws -> ErasureRecord {
        var begun: ErasureRecord?
        try administer { state in
            let proposal = try erasureProposal(of: user, in: organization, state, entropy: entropy)
            begun = proposal.record
            return proposal.acts.isEmpty ? [] : proposal.acts + acts(proposal.record)
        }
        guard let begun else { preconditionFailure("an erasure without an entry") }
        threads.wakeSealer()
        return begun
    }

    /// The acts that begin an erasure, for those who append them themselves and then call `take`.
    package func erasureActs(
        of user: String, in organization: OrganizationID, entropy: any Entropy
    ) throws -> (record: ErasureRecord, acts: [ControlEvent]) {
        try erasureProposal(of: user, in: organization, control.state, entropy: entropy)
    }

    /// Takes in acts that somebody has appended to the control log and that are durable.
    package func take(_ acts: [ControlEvent], from firstSequence: UInt64) { control.take(acts, from: firstSequence) }

    private func erasureProposal(
        of user: String, in id: OrganizationID, _ state: ControlState, entropy: any Entropy
    ) throws -> (record: ErasureRecord, acts: [ControlEvent]) {
        guard let organization = state.organizations[id] else { throw StoreError.unknownOrganization }
        guard !shared.settings.retention(of: organization.log).isHeld else { throw StoreError.held(id) }
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        var acts: [ControlEvent] = []
        let secret = state.userSecrets[id] ?? entropy.bytes(ErasureRecord.secretByteCount)
        if state.userSecrets[id] == nil { acts.append(.userSecretSet(id, secret: secret, at: now)) }
        var known = state
        for act in acts { try known.apply(act) }
        guard let hash = known.userHash(of: id) else { preconditionFailure("a secret that was set is unknown") }
        let userHash = hash(Array(user.utf8))
        let through = try registry.with(organization.log) { $0.durableThrough }
        let same = state.erasures.values.first {
            $0.organization == id && $0.userHash == userHash && $0.through == through && $0.done == nil
        }
        let keys = known.keys(of: userHash, id, hash)
        let users = known.users(of: userHash, id, hash)
        if let same, keys.isEmpty, users.isEmpty { return (same, []) }
        for key in keys where known.revocations[key.keyID] == nil {
            acts.append(.keyRevoked(keyID: key.keyID, at: now))
        }
        for user in users where !user.isDeleted {
            acts.append(.members(.userDeleted(id, recordID: user.record.recordID, at: now)))
        }
        var number = entropy.next()
        while state.erasures[number] != nil { number = entropy.next() }
        let record = ErasureRecord(id: number, organization: id, userHash: userHash, through: through, begunAt: now)
        return (record, acts + [.erasureBegun(record)])
    }

    /// Begins all erasures of an organization, or of all of them, once more: for files that came back out of a copy.
    /// Returns their ids. Blocks until the ledger says so. The threads must run.
    /// - Parameter acts: that go with it.
    package func reapplyErasures(
        of organization: OrganizationID? = nil, with acts: [ControlEvent] = []
    ) throws -> [UInt64] {
        var ids: [UInt64] = []
        try administer { state in
            if let organization, state.organizations[organization] == nil { throw StoreError.unknownOrganization }
            let records = state.erasures.values
                .filter { organization ?? $0.organization == $0.organization }
                .filter { state.organizations[$0.organization] != nil }
                .sorted { ($0.begunAt, $0.id) < ($1.begunAt, $1.id) }
            ids = records.map(\.id)
            return records.filter { $0.done != nil }.map { record in
                var again = record
                again.done = nil
                return .erasureBegun(again)
            } + acts
        }
        threads.wakeSealer()
        return ids
    }

    /// How far an erasure has come; nil when the ledger does not have it, or its
    /// organization was deleted.
    package func erasureStatus(_ id: UInt64) -> ErasureStatus? {
        shared.erasures.status(of: id).flatMap { organization($0.record.organization) == nil ? nil : $0 }
    }

    /// The ledger of one organization, oldest first.
    package func erasures(of organization: OrganizationID) -> [ErasureRecord] {
        control.state.erasures.values.filter { $0.organization == organization }
            .sorted { ($0.begunAt, $0.id) < ($1.begunAt, $1.id) }
    }

    /// The certificate as it stands in the organization's folder; nil when there is none yet.
    package func erasureCertificate(_ id: UInt64) throws -> [UInt8]? {
        let state = control.state
        guard let record = state.erasures[id], let organization = state.organizations[record.organization] else {
            return nil
        }
        let path = Layout.path(Layout.folder(of: organization.log), .certificate(id: id))
        return try inStore { try disk.exists(path) ? disk.readAll(path) : nil }
    }
}
