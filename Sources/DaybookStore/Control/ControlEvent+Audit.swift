internal import DaybookFormat

/// How entries of the audit trail are written. Spec: docs/format/control.md.
extension ControlEvent {
    private enum ActorKind: UInt8 {
        case local = 0
        case key = 1
        case token = 2
    }

    static func append(_ record: AuditRecord, to bytes: inout [UInt8]) {
        appendHead(record.outcome == .done ? .actDone : .accessDenied, record.at, to: &bytes)
        if record.outcome != .done {
            bytes.append(record.outcome.rawValue)
            bytes.append(varint: record.count)
        }
        switch record.actor {
        case .local: bytes.append(ActorKind.local.rawValue)
        case .key(let id):
            bytes.append(ActorKind.key.rawValue)
            bytes.append(lengthPrefixed: id)
        case .token(let id):
            bytes.append(ActorKind.token.rawValue)
            bytes.append(lengthPrefixed: id)
        }
        bytes.append(lengthPrefixed: record.organization?.text ?? "")
        for text in [record.action, record.target, record.route, record.requestID, record.address] {
            bytes.append(lengthPrefixed: text)
        }
    }

    static func audit(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ kind: Kind, at time: Timestamp
    ) throws(FormatError) -> AuditRecord {
        var outcome = AuditRecord.Outcome.done
        var count: UInt64 = 1
        if kind == .accessDenied {
            guard let denied = AuditRecord.Outcome(rawValue: try reader.uint8(bytes)), denied != .done else {
                throw .invalid("audit outcome")
            }
            outcome = denied
            count = try reader.varint(bytes)
            guard count > 0 else { throw .invalid("audit count") }
        }
        let actor: AuditRecord.Actor
        switch ActorKind(rawValue: try reader.uint8(bytes)) {
        case .local: actor = .local
        case .key: actor = .key(try reader.validText(bytes))
        case .token: actor = .token(try reader.validText(bytes))
        case nil: throw .invalid("audit actor")
        }
        let name = try reader.validText(bytes)
        let organization = OrganizationID(name)
        guard name.isEmpty || organization != nil else { throw .invalid("organization id") }
        return AuditRecord(
            at: time, organization: organization, actor: actor, action: try reader.validText(bytes),
            target: try reader.validText(bytes), route: try reader.validText(bytes),
            requestID: try reader.validText(bytes), address: try reader.validText(bytes), outcome: outcome,
            count: count)
    }

    /// Whether an encoding is an entry of the audit trail, without reading it.
    static func isAudit(_ encoding: RawSpan) -> Bool {
        var reader = ByteReader()
        guard let byte = try? reader.uint8(encoding), let kind = Kind(rawValue: byte) else { return false }
        return kind == .actDone || kind == .accessDenied
    }
}
