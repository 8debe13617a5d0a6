internal import DaybookEvent
package import DaybookFormat
package import DaybookStore
import Synchronization

/// The end of an organization.
extension Administration {
    /// Asked again, it says how far the removal of the files has come.
    func deleteOrganization(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request)
        guard origin.credential?.organization.id != id else {
            throw Refusal(code: "conflict", message: "Nobody deletes the own organization.")
        }
        if store.organization(id) != nil {
            let act = ControlEvent.audited(origin.record("org.delete", id.text, in: id, at: now))
            do {
                try registry.deleteOrganization(id, with: [act])
            } catch StoreError.held {
                throw Refusal(
                    code: "conflict",
                    message: "A legal hold keeps every event of the organization \(id). Lift it first.")
            }
        }
        guard let (deletion, lastError) = store.deletion(of: id) else {
            throw KeyRegistry.Failure.organizationNotFound
        }
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("deleted_at", deletion.deletedAt)
        answer.field("removed_at", deletion.removedAt)
        if let lastError { answer.field("last_error", lastError) } else { answer.field("last_error", json: nil) }
        return answer.finished()
    }
}

extension KeyRegistry {
    /// Deletes an organization: its keys open nothing when this returns.
    package func deleteOrganization(_ id: OrganizationID, with acts: [ControlEvent] = []) throws {
        try self.acts.withLock { _ in
            try store.deleteOrganization(id, with: acts)
            state.withLock { state in
                state.entries = state.entries.filter { $0.value.record.organization != id }
                state.identifiersByHash = state.identifiersByHash.filter { state.entries[$0.value] != nil }
            }
            newGeneration()
        }
    }
}
