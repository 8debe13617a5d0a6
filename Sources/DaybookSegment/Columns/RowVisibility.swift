package import DaybookFormat

/// Which rows of a family a reader may see: retention and erasure hide a row at once, long before its bytes go. A row is
/// hidden when its event time and its arrival are both before their cut-off, or when its user is to be forgotten.
package struct RowVisibility: Sendable, Equatable {
    package var timestampCutoff: Timestamp
    package var arrivalCutoff: Timestamp
    /// Nil when no user is to be forgotten.
    package var erased: ErasedUsers?

    package static let everything = RowVisibility(
        timestampCutoff: Timestamp(microseconds: .min), arrivalCutoff: Timestamp(microseconds: .min))

    package init(timestampCutoff: Timestamp, arrivalCutoff: Timestamp) {
        self.timestampCutoff = timestampCutoff
        self.arrivalCutoff = arrivalCutoff
    }

    package static func == (left: RowVisibility, right: RowVisibility) -> Bool {
        left.timestampCutoff == right.timestampCutoff && left.arrivalCutoff == right.arrivalCutoff
            && left.erased?.users == right.erased?.users
    }

    /// Whether retention shows a row. Microseconds since 1970, both.
    package func shows(timestamp: Int64, arrival: Int64) -> Bool {
        timestamp >= timestampCutoff.microseconds || arrival >= arrivalCutoff.microseconds
    }

    /// Whether the zone alone tells that every row is visible.
    package func showsAll(_ zone: Zone) -> Bool {
        (zone.timestampMin >= timestampCutoff.microseconds || zone.arrivalMin >= arrivalCutoff.microseconds)
            && !mayErase(zone)
    }

    /// Whether rows of users who are to be forgotten may be among those of the zone: then users must be looked at.
    package func mayErase(_ zone: Zone) -> Bool { zone.sequenceMin <= erased?.through ?? 0 }

    /// Whether the row of this user is one to be forgotten.
    package func erases(user: [UInt8], sequence: UInt64) -> Bool {
        guard let erased, sequence <= erased.through else { return false }
        return sequence <= erased.end(of: user)
    }

    /// Rows of a batch whose users are to be forgotten; nil when there are none. Precondition: users and sequences were
    /// selected, if there is anybody to forget.
    package func erasedRows(of batch: ColumnBatch) -> [Bool]? { erased?.hiddenRows(of: batch) }

    /// Whether the zone alone tells that no row is visible.
    package func hidesAll(_ zone: Zone) -> Bool {
        zone.timestampMax < timestampCutoff.microseconds && zone.arrivalMax < arrivalCutoff.microseconds
    }
}
