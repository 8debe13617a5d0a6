package import DaybookFormat

/// Which rows of a family a reader may see: retention hides a row at once, long before its bytes go. A row is hidden when
/// its event time and its arrival are both before their cut-off.
package struct RowVisibility: Sendable, Equatable {
    package var timestampCutoff: Timestamp
    package var arrivalCutoff: Timestamp

    package static let everything = RowVisibility(
        timestampCutoff: Timestamp(microseconds: .min), arrivalCutoff: Timestamp(microseconds: .min))

    package init(timestampCutoff: Timestamp, arrivalCutoff: Timestamp) {
        self.timestampCutoff = timestampCutoff
        self.arrivalCutoff = arrivalCutoff
    }

    /// Microseconds since 1970, both.
    package func shows(timestamp: Int64, arrival: Int64) -> Bool {
        timestamp >= timestampCutoff.microseconds || arrival >= arrivalCutoff.microseconds
    }

    /// Whether the zone alone tells that every row is visible.
    package func showsAll(_ zone: Zone) -> Bool {
        zone.timestampMin >= timestampCutoff.microseconds || zone.arrivalMin >= arrivalCutoff.microseconds
    }

    /// Whether the zone alone tells that no row is visible.
    package func hidesAll(_ zone: Zone) -> Bool {
        zone.timestampMax < timestampCutoff.microseconds && zone.arrivalMax < arrivalCutoff.microseconds
    }
}
