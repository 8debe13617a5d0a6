internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// What can be set for one organization, while the server runs.
extension Administration {
    private static let families: [(name: String, family: Family)] = [
        ("commands", .commandExecution), ("agents", .agentInteraction), ("sessions", .sessionChange),
        ("productivity", .productivityMetric),
    ]
    /// A hundred years.
    package static let retentionDaysMax: Int64 = 36_525

    func showOrganization(_ request: ControlDocument) throws -> [UInt8] {
        let id = try organization(of: request)
        guard let record = store.organization(id) else { throw KeyRegistry.Failure.organizationNotFound }
        let retention = try store.retention(of: id)
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("created_at", record.createdAt)
        answer.object("retention_days") { days in
            for (name, family) in Self.families { days.field(name, UInt64(retention[family])) }
        }
        answer.field("legal_hold", retention.isHeld)
        answer.field("quota_bytes", try store.quotaByteCount(of: id))
        answer.field("durability", store.durability(of: record.log).name)
        return answer.finished()
    }

    /// Nothing is changed unless every field is good.
    func setOrganization(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        let known = try store.retention(of: id)
        var retention = known
        if let days = request["retention_days"] { try read(days, into: &retention) }
        if let hold = request["legal_hold"] {
            guard case .boolean(let isHeld) = hold else {
                throw Refusal(code: "validation_failed", message: "legal_hold must be true or false.")
            }
            retention.isHeld = isHeld
        }
        let quota = try quotaByteCount(of: request)
        let durability = try durability(of: request)
        let now = now
        var acts: [ControlEvent] = []
        if retention != known { acts.append(.retentionSet(id, retention, at: now)) }
        if let quota { acts.append(.quotaSet(id, byteCount: quota, at: now)) }
        if let durability { acts.append(.durabilitySet(id, durability, at: now)) }
        if !acts.isEmpty {
            try store.appendControl(acts + [.audited(origin.record("org.set", id.text, in: id, at: now))])
        }
        return try showOrganization(request)
    }

    private func read(_ document: ControlDocument, into retention: inout RetentionPolicy) throws(Refusal) {
        guard case .object(let fields) = document, !fields.isEmpty else {
            throw Refusal(
                code: "validation_failed",
                message:
                    "retention_days must be an object with some of \(Self.families.map(\.name).joined(separator: ", "))."
            )
        }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            guard let family = Self.families.first(where: { $0.name == name })?.family else {
                throw Refusal(
                    code: "validation_failed",
                    message: "retention_days.\(name) is none of \(Self.families.map(\.name).joined(separator: ", ")).")
            }
            guard let days = value.integerValue, (0...Self.retentionDaysMax).contains(days) else {
                throw Refusal(
                    code: "validation_failed",
                    message:
                        "retention_days.\(name) must be an integer from 0, which keeps for ever, to \(Self.retentionDaysMax)."
                )
            }
            retention[family] = UInt32(days)
        }
    }

    private func durability(of request: ControlDocument) throws(Refusal) -> Durability? {
        guard let value = request["durability"] else { return nil }
        guard let durability = Durability.allCases.first(where: { $0.name == value.stringValue }) else {
            throw Refusal(code: "validation_failed", message: "durability must be durable or relaxed.")
        }
        return durability
    }

    private func quotaByteCount(of request: ControlDocument) throws(Refusal) -> UInt64? {
        guard let value = request["quota_bytes"] else { return nil }
        guard let byteCount = value.integerValue, byteCount >= 0 else {
            throw Refusal(
                code: "validation_failed", message: "quota_bytes must be an integer from 0, which is no bound.")
        }
        return UInt64(byteCount)
    }
}
