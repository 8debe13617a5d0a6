internal import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem

/// Takes segments away of which everything has expired, after adding up what is kept of them: a row group a step. Nothing
/// is published here.
final class ExpiredDrop: RangeWork {
    private let organization: OrganizationStore
    private let history: HistoryBuilder
    private var base: Replacement
    var range: ClosedRange<UInt64> { base.range }
    private var inputs: ArraySlice<SegmentReference>
    private var reader: SegmentReader?
    private var rowGroup = 0
    private(set) var readByteCount: UInt64 = 0
    var writtenByteCount: UInt64 { history.references.reduce(0) { $0 + $1.byteCount } }
    private(set) var currentInput: SegmentReference?
    let removedCounts: [AbsenceReason: UInt64]

    /// - Parameters:
    ///   - replacement: without the segments, and with their absences.
    ///   - inputs: those of the segments of which something is kept.
    init(
        _ replacement: Replacement, _ inputs: [SegmentReference], of organization: OrganizationStore,
        _ table: VisibilityTable, eventCount: UInt64
    ) {
        self.organization = organization
        base = replacement
        self.inputs = inputs[...]
        history = HistoryBuilder(organization, replacement.range, table)
        removedCounts = [.expired: eventCount]
    }

    func step() throws -> Bool {
        guard let input = inputs.first else {
            try history.finish()
            try organization.disk.synchronizeDirectory(organization.folder)
            return true
        }
        currentInput = input
        do {
            let reader =
                try reader
                ?? SegmentReader.open(
                    disk: organization.disk, path: Layout.path(organization.folder, input.path))
            self.reader = reader
            if rowGroup < reader.rowGroupCount {
                rowGroup += 1
                let batch = try reader.read(rowGroup: rowGroup - 1, HistoryBuilder.selection)
                history.add(batch) { _ in true }
                return false
            }
            readByteCount += input.byteCount
        } catch SegmentError.corrupt {
            // The row group would have gone anyway; what it held is missing from the history.
            if reader != nil { return false }
        }
        inputs.removeFirst()
        reader = nil
        rowGroup = 0
        return false
    }

    var replacement: Replacement {
        var replacement = base
        replacement.history = history.references
        return replacement
    }

    func abandon() { history.abandon() }
}
