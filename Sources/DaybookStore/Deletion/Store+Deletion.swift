package import DaybookFormat
internal import DaybookSystem

extension Store {
    /// Deletes an organization. Blocks until that is durable: from then on nobody gets in and nothing of it is taken or
    /// shown, and its files go in the background, whatever ends the process. Its name is not given out again.
    ///
    /// The threads must run.
    /// - Parameter acts: that go with it.
    /// - Throws: `StoreError.unknownOrganization`, `StoreError.held` while a legal hold lasts, or what the store throws.
    package func deleteOrganization(_ id: OrganizationID, with acts: [ControlEvent] = []) throws {
        try administer { state in try deletionActs(of: id, state) + acts }
        threads.wakeSealer()
    }

    /// The acts that delete an organization, for those who append them themselves and then call `take`.
    package func deletionActs(of id: OrganizationID) throws -> [ControlEvent] {
        try deletionActs(of: id, control.state)
    }

    private func deletionActs(of id: OrganizationID, _ state: ControlState) throws -> [ControlEvent] {
        guard let organization = state.organizations[id] else { throw StoreError.unknownOrganization }
        guard !shared.settings.retention(of: organization.log).isHeld else { throw StoreError.held(id) }
        return [.organizationDeleted(id, at: Timestamp(microseconds: clock.wallMicroseconds()))]
    }

    /// What became of an organization that was deleted, and why its removal does not go on for now; nil for any other.
    package func deletion(of id: OrganizationID) -> (organization: DeletedOrganization, lastError: String?)? {
        control.state.deletions.values.first { $0.id == id }.map { ($0, shared.deletions.lastError(of: $0.log)) }
    }
}
