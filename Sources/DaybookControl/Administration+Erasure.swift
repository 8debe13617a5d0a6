internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// Forgetting users.
extension Administration {
    func beginErasure(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        guard let user = request["user"]?.stringValue, (1...Limits.userByteCountMax).contains(user.utf8.count) else {
            throw Refusal(code: "validation_failed", message: "user must be a string of 1 to 128 bytes.")
        }
        do {
            let now = now
            let erasure = try registry.beginErasure(of: user, in: id) { erasure in
                [.audited(origin.record("erase.begin", hexText(erasure.id), in: id, at: now))]
            }
            return try status(of: erasure.id)
        } catch StoreError.held {
            throw Refusal(
                code: "conflict",
                message: "A legal hold keeps every event of the organization \(id). Lift it first.")
        }
    }

    func erasureStatus(_ request: ControlDocument) throws -> [UInt8] {
        guard let text = request["erasure_id"]?.stringValue, let id = hexNumber(text[...]) else {
            throw Refusal(code: "validation_failed", message: "erasure_id must be 16 hexadecimal digits.")
        }
        return try status(of: id)
    }

    func reapplyErasures(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let scope = request["organization"] == nil ? nil : try organization(of: request)
        if let scope, store.organization(scope) == nil { throw KeyRegistry.Failure.organizationNotFound }
        var answer = JSONObjectText()
        let act = ControlEvent.audited(origin.record("erase.reapply", in: scope, at: now))
        answer.field("erasure_ids", try store.reapplyErasures(of: scope, with: [act]).map { hexText($0) })
        return answer.finished()
    }

    private func status(of id: UInt64) throws -> [UInt8] {
        guard let status = store.erasureStatus(id) else {
            throw Refusal(code: "not_found", message: "There is no such erasure.")
        }
        var answer = JSONObjectText()
        answer.field("erasure_id", hexText(id))
        answer.field("organization", status.record.organization.text)
        answer.field("user_hash", status.record.userHash.map { hexText(UInt64($0), width: 2) }.joined())
        answer.field("through_sequence", status.record.through)
        answer.field("begun_at", status.record.begunAt)
        answer.field("state", status.isDone ? "done" : "begun")
        answer.field("phase", status.phase)
        answer.field("awaited", status.awaited)
        if let error = status.lastError {
            answer.field("last_error", error)
        } else {
            answer.field("last_error", json: nil)
        }
        // One that goes on may still have the certificate of an earlier time, or half of one.
        answer.field("certificate", json: status.isDone ? try store.erasureCertificate(id).map(Self.line) : nil)
        return answer.finished()
    }

    /// Without the line feed: an answer is one line.
    private static func line(_ bytes: [UInt8]) -> [UInt8] { bytes.filter { $0 != UInt8(ascii: "\n") } }
}
