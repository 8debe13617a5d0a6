internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem

extension StoreDoor {
    /// A page of the audit trail, newest first: of the server when one runs, which has what is not written yet, else from
    /// the files, without changing a byte.
    /// - Parameters:
    ///   - organization: nil for the trail of the whole store.
    ///   - limit: 1 to 1,000.
    ///   - before: only entries with a smaller number, 1 or more.
    package func audit(organization: String?, limit: Int, before: UInt64?) throws -> [UInt8] {
        _ = try disk()
        if try DirectoryLock.isHeld(directory: directory) {
            return try Self.fields(
                of: try askServer(
                    AdministrativeRequest.listAudit(organization: organization, limit: limit, before: before)))
        }
        let store = try openReadOnly()
        let id = try organization.map { try Self.organization($0, in: store).id }
        let page = try explained {
            try store.auditPage(AuditQuery(organization: id, before: before, limit: limit))
        }
        return Administration.fields(of: page)
    }

    /// Tells the audit trail, before any event is out, that a verb reads an organization's events: the trail of the server
    /// that runs there. Without one nothing is written, so that a copy or a backup stays what it is: whoever may read its
    /// files needs no verb of ours.
    package func noteExport(of organization: String, isReplay: Bool) throws {
        guard try DirectoryLock.isHeld(directory: directory) else { return }
        let request = AdministrativeRequest.noteExport(of: organization, isReplay: isReplay)
        _ = try Self.fields(of: try askServer(request))
    }
}
