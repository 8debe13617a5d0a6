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

    /// Of the encoding; stands in the group record's entry.
    package static let schemaVersion: UInt8 = 1

    /// Kinds 6 to 63 are reserved for organizations, keys and configuration, 64 to 127 for the audit trail.
    enum Kind: UInt8 {
        case organizationCreated = 1
        case keyCreated = 2
        case keyRevoked = 3
        case retentionSet = 4
        case quotaSet = 5
    }

    enum KeyFlags {
        static let expires: UInt8 = 1
    }

    enum RetentionFlags {
        static let isHeld: UInt8 = 1
    }
}
