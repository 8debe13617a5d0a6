package import DaybookFormat

/// What an organization says of one of its users. Events and keys name users without one, too.
package struct UserRecord: Sendable, Equatable {
    /// Of one organization, deleted ones not counted.
    package static let countMax = 10_000
    package static let nameByteCountMax = Limits.nameByteCountMax

    /// Ours: what the audit trail calls the user. A record that is made again after its end has another one.
    package var recordID: String
    package var organization: OrganizationID
    /// As events and keys name the user.
    package var user: String
    /// For people; may be empty.
    package var name: String
    /// The name of a role: keys of the user may do no more than it says. Empty: no such bound.
    package var role: String
    /// Which team events of the user belong to when they arrive; empty: none.
    package var team: String
    /// Keys of the user open nothing.
    package var isDisabled: Bool

    package init(
        recordID: String, organization: OrganizationID, user: String, name: String = "", role: String = "",
        team: String = "", isDisabled: Bool = false
    ) {
        self.recordID = recordID
        self.organization = organization
        self.user = user
        self.name = name
        self.role = role
        self.team = team
        self.isDisabled = isDisabled
    }

    /// The record of a user who is to be forgotten: of both texts only the lengths are left, so that the act can be
    /// written anew in its place.
    var blanked: UserRecord {
        var record = self
        record.user = BlankText.of(user)
        record.name = BlankText.of(name)
        return record
    }
}

/// A team of an organization.
package struct TeamRecord: Sendable, Equatable {
    /// Of one organization.
    package static let countMax = 1_000
    package static let nameByteCountMax = Limits.nameByteCountMax

    package var organization: OrganizationID
    /// As events name it.
    package var team: String
    /// For people; may be empty.
    package var name: String

    package init(organization: OrganizationID, team: String, name: String = "") {
        self.organization = organization
        self.team = team
        self.name = name
    }
}

/// An act about users and teams, as the control log keeps it.
package enum MemberAct: Sendable, Equatable {
    /// All of the record: the last one with its id counts.
    case userSet(UserRecord, at: Timestamp)
    case userDeleted(OrganizationID, recordID: String, at: Timestamp)
    case teamSet(TeamRecord, at: Timestamp)
    /// Of a team without members.
    case teamDeleted(OrganizationID, team: String, at: Timestamp)

    package var organization: OrganizationID {
        switch self {
        case .userSet(let record, _): record.organization
        case .userDeleted(let organization, _, _), .teamDeleted(let organization, _, _): organization
        case .teamSet(let record, _): record.organization
        }
    }
}

/// What stands where a text was that must not be kept: as many bytes, and no name of anybody.
enum BlankText {
    private static let mark = UInt8(ascii: "*")

    static func of(_ text: String) -> String { String(repeating: "*", count: text.utf8.count) }

    static func isBlank(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 == mark } }
}
