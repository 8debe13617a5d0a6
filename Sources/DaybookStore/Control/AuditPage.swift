package import DaybookFormat

/// A page of the audit trail, newest first.
package struct AuditPage: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        /// Its place in the trail that was asked for, from 1, the oldest. An organization's entries are numbered without
        /// gaps, so that a number tells nothing of other organizations.
        package var number: UInt64
        package var record: AuditRecord
    }

    package var entries: [Entry] = []
    /// Whether there are older ones.
    package var hasMore: Bool { (entries.last?.number ?? 1) > 1 }
}

/// Which entries a page has.
package struct AuditQuery: Sendable {
    /// Nil: the trail of the whole store.
    package var organization: OrganizationID?
    /// Only entries with a smaller number.
    package var before: UInt64?
    package var limit: Int

    package init(organization: OrganizationID?, before: UInt64? = nil, limit: Int) {
        precondition(limit > 0)
        self.organization = organization
        self.before = before
        self.limit = limit
    }
}

extension OrganizationSnapshot {
    /// Precondition: of the control log. Complexity: O(bytes of the control log) up to the page, in memory of one page:
    /// the trail is written often and read rarely.
    func auditPage(_ query: AuditQuery) throws -> AuditPage {
        precondition(log == .control)
        var kept: [AuditPage.Entry] = []
        var number: UInt64 = 0
        try forEachControlAct { encoding in
            guard ControlEvent.isAudit(encoding), case .audited(let record) = try ControlEvent(reading: encoding),
                query.organization == nil || record.organization == query.organization
            else { return true }
            if let before = query.before, number + 1 >= before { return false }
            let entry = AuditPage.Entry(number: number + 1, record: record)
            if kept.count < query.limit {
                kept.append(entry)
            } else {
                kept[Int(number % UInt64(query.limit))] = entry
            }
            number += 1
            return true
        }
        return AuditPage(entries: kept.sorted { $0.number > $1.number })
    }
}

extension Store {
    /// Blocks while the control log is read. What is not durable yet is not in it.
    package func auditPage(_ query: AuditQuery) throws -> AuditPage { try snapshot(of: .control).auditPage(query) }
}

extension ReadOnlyStore {
    /// As far as the log reaches at this moment.
    package func auditPage(_ query: AuditQuery) throws -> AuditPage { try snapshot(of: .control).auditPage(query) }
}
