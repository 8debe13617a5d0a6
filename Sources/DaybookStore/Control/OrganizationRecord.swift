package import DaybookFormat

/// An organization as the control log made it.
package struct OrganizationRecord: Sendable, Equatable {
    package var id: OrganizationID
    /// Its log; at least `Layout.firstOrganizationLog`, never used again.
    package var log: LogID
    package var createdAt: Timestamp

    package init(id: OrganizationID, log: LogID, createdAt: Timestamp) {
        self.id = id
        self.log = log
        self.createdAt = createdAt
    }
}

/// An organization that is no more. Its name and its log are not given out again.
package struct DeletedOrganization: Sendable, Equatable {
    package var id: OrganizationID
    package var log: LogID
    package var deletedAt: Timestamp
    /// When nothing of it was left on the disk; nil before.
    package var removedAt: Timestamp?
}
