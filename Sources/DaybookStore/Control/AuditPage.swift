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
    /// Precondition: of the control log. Complexity: O(entries of the page), each with the block that it stands in.
    /// - Parameters:
    ///   - trail: not newer than the snapshot.
    ///   - places: of the control log.
    func auditPage(_ query: AuditQuery, _ trail: AuditIndex.Trail, _ places: RecordPlaces) throws -> AuditPage {
        precondition(log == .control)
        var page = AuditPage()
        var upper = min(query.before ?? .max, trail.entryCount + 1)
        // What damage has taken is made up for by older entries.
        while page.entries.count < query.limit, upper > 1 {
            let lower = upper - min(upper - 1, UInt64(query.limit - page.entries.count))
            let reader = AuditReader(organization: query.organization, numbers: lower..<upper, trail: trail)
            page.entries += try reader.read(from: self, places).reversed()
            upper = lower
        }
        return page
    }
}

/// Reads entries of one trail by their numbers, oldest first.
private struct AuditReader {
    /// What is read of a file at a time: a page of the trail is small.
    private static let windowByteCount = 32 << 10
    /// Blocks with fewer others between them are read in one go: the next walk would begin among these anyway.
    private static let gapMax: UInt64 = 2

    let organization: OrganizationID?
    let numbers: Range<UInt64>
    let trail: AuditIndex.Trail

    func read(from snapshot: OrganizationSnapshot, _ places: RecordPlaces) throws -> [AuditPage.Entry] {
        var entries: [AuditPage.Entry] = []
        var rest = trail.marks(of: numbers)
        while let first = rest.first {
            var end = rest.startIndex + 1
            while end < rest.endIndex, rest[end].block - rest[end - 1].block <= Self.gapMax + 1 { end += 1 }
            try read(rest[..<end], first.block...rest[end - 1].block, snapshot, places, into: &entries)
            rest = rest[end...]
        }
        return entries
    }

    /// - Parameter marks: of blocks near to each other, the first and the last of `blocks` among them.
    private func read(
        _ marks: ArraySlice<AuditIndex.Mark>, _ blocks: ClosedRange<UInt64>, _ snapshot: OrganizationSnapshot,
        _ places: RecordPlaces, into entries: inout [AuditPage.Entry]
    ) throws {
        var rest = marks
        var number: UInt64 = 0
        try snapshot.forEachControlAct(
            from: blocks.lowerBound << trail.blockShift, places, windowByteCount: Self.windowByteCount
        ) { sequence, encoding in
            let block = sequence >> trail.blockShift
            guard block <= blocks.upperBound else { return false }
            while let mark = rest.first, mark.block <= block {
                number = mark.entryCountBefore
                rest = rest.dropFirst()
            }
            guard block >= blocks.lowerBound, ControlEvent.isAudit(encoding),
                case .audited(let record) = try ControlEvent(reading: encoding),
                organization == nil || record.organization == organization
            else { return true }
            number += 1
            guard number < numbers.upperBound else { return false }
            if number >= numbers.lowerBound { entries.append(AuditPage.Entry(number: number, record: record)) }
            return number + 1 < numbers.upperBound
        }
    }
}

extension Store {
    /// Blocks while the page is read. What is not durable yet is not in it.
    package func auditPage(_ query: AuditQuery) throws -> AuditPage {
        // Before the snapshot: what the index tells of is durable.
        let trail = control.trail(of: query.organization)
        return try snapshot(of: .control).auditPage(query, trail, control.places)
    }
}

extension ReadOnlyStore {
    /// As far as the log reached when the store was opened.
    package func auditPage(_ query: AuditQuery) throws -> AuditPage {
        try snapshot(of: .control).auditPage(query, history.trail(of: query.organization), history.places)
    }
}
