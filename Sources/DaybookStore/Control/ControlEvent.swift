package import DaybookFormat

/// One act of the control log. Stands in a group record of `LogID.control` as an entry of family 64.
/// Spec: docs/format/control.md.
package enum ControlEvent: Sendable, Equatable {
    case organizationCreated(OrganizationID, log: LogID, at: Timestamp)
    case keyCreated(KeyRecord)
    case keyRevoked(keyID: String, at: Timestamp)
    case retentionSet(OrganizationID, RetentionPolicy, at: Timestamp)
    /// 0 is without a bound.
    case quotaSet(OrganizationID, byteCount: UInt64, at: Timestamp)
    /// The secret with which the names of an organization's users are hashed where they must not stand.
    case userSecretSet(OrganizationID, secret: [UInt8], at: Timestamp)
    /// From here on nobody sees the user's events up to a sequence. Begun again with the same id, it is done once more.
    case erasureBegun(ErasureRecord)
    /// Nothing of it is left on the disk.
    /// - Parameter generation: of the organization's manifest; an older one is that of a copy from before.
    case erasureDone(id: UInt64, generation: UInt64, at: Timestamp)
    case rateLimitsSet(OrganizationID, RateLimitPolicy, at: Timestamp)
    /// Another key has taken its place: it opens nothing from `until` on.
    case keyRetired(keyID: String, until: Timestamp, at: Timestamp)
    /// When keys were used last, as far as that is written down.
    case keysUsed([KeyUse], at: Timestamp)
    /// Work has failed as often as it is tried by itself.
    case deadLettered(DeadLetter)
    /// It is to be tried again, or nobody wants to be told of it any more.
    case deadLetterRemoved(id: UInt64, isReplayed: Bool, at: Timestamp)
    /// What holds for requests that do not say.
    case durabilitySet(OrganizationID, Durability, at: Timestamp)
    case token(TokenAct, at: Timestamp)
    /// What somebody did, or was not allowed to do. Changes nothing.
    case audited(AuditRecord)
    case members(MemberAct)
    /// What the organization chooses for itself; all of it.
    case configurationSet(OrganizationID, OrganizationConfiguration, at: Timestamp)
    /// Nobody gets in any more, and its name is not given out again. What is left of it goes.
    case organizationDeleted(OrganizationID, at: Timestamp)
    /// Nothing of a deleted organization is left on the disk.
    case organizationRemoved(log: LogID, at: Timestamp)

    /// Of the encoding; stands in the group record's entry.
    package static let schemaVersion: UInt8 = 1

    /// Other kinds up to 63 are reserved for organizations, keys and configuration, 66 to 127 for the audit trail.
    enum Kind: UInt8, CaseIterable {
        case organizationCreated = 1
        case keyCreated = 2
        case keyRevoked = 3
        case retentionSet = 4
        case quotaSet = 5
        case userSecretSet = 6
        case erasureBegun = 7
        case erasureDone = 8
        case rateLimitsSet = 9
        case keyCreatedWithRights = 10
        case keyRetired = 11
        case keysUsed = 12
        case grantBegun = 13
        case grantUsed = 14
        case grantRevoked = 15
        case tokenRevoked = 16
        case userSet = 20
        case userDeleted = 21
        case teamSet = 22
        case teamDeleted = 23
        case configurationSet = 24
        case organizationDeleted = 25
        case organizationRemoved = 26
        case deadLettered = 30
        case deadLetterRemoved = 31
        case durabilitySet = 32
        case actDone = 64
        case accessDenied = 65
    }

    enum KeyFlags {
        static let expires: UInt8 = 1
        /// Of keys with rights only.
        static let isOperator: UInt8 = 2
    }

    enum RetentionFlags {
        static let isHeld: UInt8 = 1
    }

    enum RateLimitFlags {
        static let isSteady: UInt8 = 1
    }

    enum DeadLetterFlags {
        static let isReplayed: UInt8 = 1
    }

    enum GrantFlags {
        /// Of a revocation.
        static let wasUsedTwice: UInt8 = 1
    }
}

extension ControlEvent {
    /// Whether the act itself is of no use any more once the state has taken it in: there are many such, and nobody asks
    /// for them one by one. The store keeps no such act in memory.
    package var isTrail: Bool {
        switch self {
        case .audited, .keysUsed, .deadLettered, .deadLetterRemoved, .token: true
        default: false
        }
    }
}
