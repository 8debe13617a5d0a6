internal import DaybookFormat

/// How acts about users and teams are written. Spec: docs/format/control.md.
extension ControlEvent {
    enum UserFlags {
        static let isDisabled: UInt8 = 1
    }

    static func append(_ act: MemberAct, to bytes: inout [UInt8]) {
        switch act {
        case .userSet(let record, let time):
            appendHead(.userSet, time, flags: record.isDisabled ? UserFlags.isDisabled : 0, to: &bytes)
            bytes.append(lengthPrefixed: record.organization.text)
            for text in [record.recordID, record.user, record.name, record.role, record.team] {
                bytes.append(lengthPrefixed: text)
            }
        case .userDeleted(let organization, let recordID, let time):
            appendHead(.userDeleted, time, to: &bytes)
            bytes.append(lengthPrefixed: organization.text)
            bytes.append(lengthPrefixed: recordID)
        case .teamSet(let record, let time):
            appendHead(.teamSet, time, to: &bytes)
            bytes.append(lengthPrefixed: record.organization.text)
            bytes.append(lengthPrefixed: record.team)
            bytes.append(lengthPrefixed: record.name)
        case .teamDeleted(let organization, let team, let time):
            appendHead(.teamDeleted, time, to: &bytes)
            bytes.append(lengthPrefixed: organization.text)
            bytes.append(lengthPrefixed: team)
        }
    }

    static func user(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ flags: UInt8, at time: Timestamp
    ) throws(FormatError) -> MemberAct {
        let organization = try reader.organization(bytes)
        var record = UserRecord(recordID: try reader.validText(bytes), organization: organization, user: "")
        record.user = try reader.validText(bytes)
        record.name = try reader.validText(bytes)
        record.role = try reader.validText(bytes)
        record.team = try reader.validText(bytes)
        record.isDisabled = flags & UserFlags.isDisabled != 0
        guard !record.recordID.isEmpty, !record.user.isEmpty else { throw .invalid("user record") }
        return .userSet(record, at: time)
    }

    /// Precondition: one of the three other kinds.
    static func member(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ kind: Kind, at time: Timestamp
    ) throws(FormatError) -> MemberAct {
        let organization = try reader.organization(bytes)
        let id = try reader.validText(bytes)
        guard !id.isEmpty else { throw .invalid("user or team record") }
        switch kind {
        case .userDeleted: return .userDeleted(organization, recordID: id, at: time)
        case .teamDeleted: return .teamDeleted(organization, team: id, at: time)
        case .teamSet:
            let record = TeamRecord(organization: organization, team: id, name: try reader.validText(bytes))
            return .teamSet(record, at: time)
        default: preconditionFailure("an act about nobody")
        }
    }
}
