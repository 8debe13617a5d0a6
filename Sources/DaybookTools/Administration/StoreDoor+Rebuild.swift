internal import DaybookControl
internal import DaybookFormat
package import DaybookStore
package import DaybookSystem

/// Organizations that are closed because their manifest is damaged.
extension StoreDoor {
    /// What a reader sees of one organization, or, of a closed one, what to do about it.
    package static func snapshot(
        of organization: OrganizationRecord, in store: ReadOnlyStore
    ) throws -> OrganizationSnapshot {
        do {
            return try store.snapshot(of: organization.log)
        } catch StoreError.organizationClosed(let corruption) {
            throw ToolError(
                "The organization \(organization.id) is closed, because its manifest is damaged: \(corruption).",
                cure: "Stop the server and make the manifest anew: daybook org rebuild \(organization.id)")
        }
    }

    /// Makes the manifest of a closed organization anew, and leaves an entry in the audit trail; the fields of `RebuildReport`.
    package func rebuild(organization id: String, clock: any Clock, entropy: any Entropy) throws -> [UInt8] {
        let disk = try disk()
        let lock = try takeLock()
        defer { lock.release() }
        let store = try explained { try ReadOnlyStore.open(disk: disk) }
        let record = try Self.organization(id, in: store)
        let report: RebuildReport
        do {
            report = try OrganizationRebuild.run(disk: disk, log: record.log)
        } catch StoreError.organizationIsOpen {
            throw ToolError(
                "The organization \(id) is not closed: its manifest is whole.",
                cure: "There is nothing to do. Damage of other files: daybook inspect segment --organization \(id)")
        }
        let opened = try explained { try Store.open(disk: disk, clock: clock, entropy: entropy) }
        opened.start()
        defer { opened.shutdown() }
        try Administration.noteRebuild(of: record.id, in: opened, clock: clock)
        return Self.json(report, of: id)
    }

    private static func json(_ report: RebuildReport, of id: String) -> [UInt8] {
        var object = JSONObjectWriter()
        object.field("organization", id)
        object.field("segments", report.segmentCount)
        object.field("sealed_through", report.sealedThrough)
        object.field("lost_events", report.lostEventCount)
        object.field("idempotency_keys_kept", report.hasCarry)
        object.field("restored_groups", report.restoredGroupCount)
        object.field("restored_events", report.restoredEventCount)
        object.field("files_set_aside", report.setAside.count)
        return object.finish()
    }
}
