internal import DaybookEvent
package import DaybookFormat
package import DaybookStore
package import DaybookSystem

/// What leaves the store by its files, or is mended in them, while nobody asks a server for it.
extension Administration {
    /// The entry is durable before the answer, and so before the first event is out.
    func noteExport(_ request: ControlDocument, _ action: String, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        let now = now
        try store.appendControl([.audited(origin.record(action, id.text, in: id, at: now))])
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("noted_at", now)
        return answer.finished()
    }

    /// Tells the trail of an organization's rebuilding, which wants the directory without a store on it and is over by now.
    /// Blocks until it is durable.
    package static func noteRebuild(of id: OrganizationID, in store: Store, clock: any Clock) throws {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        try store.appendControl([.audited(RequestOrigin.local.record("org.rebuild", id.text, in: id, at: now))])
    }
}
