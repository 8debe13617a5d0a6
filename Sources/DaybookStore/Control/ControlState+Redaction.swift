internal import DaybookCrypto
package import DaybookFormat

/// Whose names are to be in no act.
extension ControlState {
    /// How names of an organization's users are hashed; nil before its first erasure.
    package func userHash(of organization: OrganizationID) -> (@Sendable ([UInt8]) -> [UInt8])? {
        guard let secret = userSecrets[organization] else { return nil }
        let code = HMACSHA256(key: secret)
        return { code.code(of: $0) }
    }

    /// The keys that were made for a user, in the order of their ids.
    func keys(
        of userHash: [UInt8], _ organization: OrganizationID, _ hash: ([UInt8]) -> [UInt8]
    ) -> [KeyRecord] {
        keys.values.filter {
            $0.organization == organization && !$0.user.isEmpty && hash(Array($0.user.utf8)) == userHash
        }.sorted { $0.keyID < $1.keyID }
    }

    /// The records of a user, in the order of their ids.
    func users(
        of userHash: [UInt8], _ organization: OrganizationID, _ hash: ([UInt8]) -> [UInt8]
    ) -> [OrganizationMembers.User] {
        members[organization]?.records { hash(Array($0.utf8)) == userHash } ?? []
    }

    /// Acts without what must not be kept.
    func redacting(_ acts: [ControlEvent]) -> [ControlEvent] { acts.map { redacted($0) ?? $0 } }

    /// The act without the names of users who are to be forgotten, or of an organization that was deleted; as long as
    /// before. Nil when it has none.
    func redacted(_ act: ControlEvent) -> ControlEvent? {
        switch act {
        case .keyCreated(let key):
            guard let known = keys[key.keyID], known != key else { return nil }
            return .keyCreated(known)
        case .members(let act): return members[act.organization]?.redacted(act).map { .members($0) }
        case .configurationSet(let organization, let configuration, let time):
            guard organizations[organization] == nil, configuration != configuration.blanked else { return nil }
            return .configurationSet(organization, configuration.blanked, at: time)
        default: return nil
        }
    }
}
