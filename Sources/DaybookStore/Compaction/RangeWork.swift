internal import DaybookFormat

/// Work on whole ranges that ends in one publication.
protocol RangeWork: AnyObject {
    var range: ClosedRange<UInt64> { get }
    /// One piece of work. True when everything is written and synchronized.
    func step() throws -> Bool
    /// What is to be published once `step` has said that all is done.
    var replacement: Replacement { get }
    /// Rows that were left out, by reason.
    var removedCounts: [AbsenceReason: UInt64] { get }
    /// Bytes of the files, about.
    var readByteCount: UInt64 { get }
    var writtenByteCount: UInt64 { get }
    /// The segment that was read last: the one to blame when the disk fails.
    var currentInput: SegmentReference? { get }
    /// Removes what was written. Only before anything was published.
    func abandon()
}
