internal import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// Damage that an answer was made without: rows that could not be read, and that count nowhere in it.
package struct QueryWarning: Hashable, Sendable {
    /// Path relative to the data directory.
    package var file: String
    /// Of the damaged page.
    package var offset: UInt64
    package var rowGroup: Int?
    /// Of the row group, or of the whole file where that has none; nil where nobody can say.
    package var rows: Range<Int>?
    package var reason: String
}

/// What one query met of damage. Its parts share it.
final class DamageLog: Sendable {
    static let warningCountMax = 100

    private struct State {
        var warnings: Set<QueryWarning> = []
        var droppedCount = 0
    }

    private let state = Mutex(State())

    func note(_ warning: QueryWarning) {
        state.withLock { state in
            if state.warnings.contains(warning) { return }
            if state.warnings.count < Self.warningCountMax {
                state.warnings.insert(warning)
            } else {
                state.droppedCount += 1
            }
        }
    }

    func note(_ error: any Error, file: String, rowGroup: Int?, rows: Range<Int>?) {
        var warning = QueryWarning(file: file, offset: 0, rowGroup: rowGroup, rows: rows, reason: "\(error)")
        if case SegmentError.corrupt(let corruption) = error {
            warning.file = corruption.file
            warning.offset = corruption.offset
            warning.reason = "\(corruption.reason)"
        }
        note(warning)
    }

    /// Damage of some page in the way of some rows. Returns which rows of the row group it takes along: those of the
    /// page, or all of `rows` where that cannot be told.
    @discardableResult
    func note(_ error: any Error, in rows: Range<Int>, _ reader: SegmentReader, _ rowGroup: Int) -> Range<Int> {
        var lost = rows
        if case SegmentError.corrupt(let corruption) = error, let directory = try? reader.directory(rowGroup: rowGroup)
        {
            for column in directory.columns {
                for page in column.pages where page.offset == corruption.offset && page.rows.overlaps(rows) {
                    lost = page.rows
                }
            }
        }
        note(error, file: reader.path, rowGroup: rowGroup, rows: lost)
        return lost
    }

    /// Damage outside of segments. That of a rollup takes no row along: its segment answers instead.
    func note(_ corruption: Corruption) {
        guard !corruption.file.hasSuffix(".dbr") else { return noteRollup(corruption.file, "\(corruption.reason)") }
        note(
            QueryWarning(
                file: corruption.file, offset: corruption.offset, rowGroup: nil, rows: nil,
                reason: "\(corruption.reason)"))
    }

    /// A damaged rollup costs nothing but time.
    func noteRollup(_ file: String, _ reason: String) {
        note(QueryWarning(file: file, offset: 0, rowGroup: nil, rows: 0..<0, reason: "rollup not used: \(reason)"))
    }

    /// By file and place.
    var warnings: [QueryWarning] {
        state.withLock { state in
            state.warnings.sorted { left, right in
                (left.file, left.rowGroup ?? -1, left.rows?.lowerBound ?? -1, left.offset)
                    < (right.file, right.rowGroup ?? -1, right.rows?.lowerBound ?? -1, right.offset)
            }
        }
    }

    /// Those that were too many included.
    var count: Int { state.withLock { $0.warnings.count + $0.droppedCount } }

    /// Whether an error is about bytes that are not what was written, or cannot be had any more: then the rest is
    /// answered. Anything else is about the machine, and ends the query.
    static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? SegmentError else { return false }
        switch error {
        case .corrupt: return true
        case .disk(let error):
            return error.kind == .inputOutput || error.kind == .endOfFile || error.kind == .notFound
        }
    }
}
