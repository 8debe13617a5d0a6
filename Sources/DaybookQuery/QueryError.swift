internal import Synchronization

/// Why there is no answer. Errors of the store pass through as they are.
package enum QueryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The cursor is not one of ours, is damaged, or belongs to another query.
    case invalidCursor
    /// More groups, sessions or distinct values than one answer may have: a narrower range or a filter helps.
    case tooLarge(limit: Int)
    /// Groups, distinct values, sessions, hits or the rows of a list would take more bytes than the query may have: the
    /// same helps.
    case outOfMemory(limit: Int)
    /// Other queries hold the memory that this one needs: it may succeed later.
    case overloaded
    /// The caller asked to stop.
    case cancelled

    package var description: String {
        switch self {
        case .invalidCursor: "the cursor does not belong to this query"
        case .tooLarge(let limit): "more than \(limit) groups; narrow the range or add a filter"
        case .outOfMemory(let limit):
            "more than \(limit >> 20) MiB of groups and values; narrow the range, group by less, or add a filter"
        case .overloaded: "other queries hold the memory that this one needs"
        case .cancelled: "the query was cancelled"
        }
    }
}

/// A wish to stop, looked at between pages. One side sets it, the query's thread reads it.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    package init() {}

    package func cancel() { flag.store(true, ordering: .relaxed) }

    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func check() throws(QueryError) {
        if isCancelled { throw .cancelled }
    }
}

/// Bounds of one query.
package enum QueryLimits {
    package static let itemCountMax = 1_000
    package static let itemCountDefault = 100
    package static let groupDimensionCountMax = 4
    package static let groupCountMax = 100_000
    package static let sessionCountMax = 100_000
    /// Bytes of all distinct values of one grouping dimension.
    package static let dimensionByteCountMax = 32 << 20
    package static let percentileCountMax = 20
    /// For groups, distinct values and hits of one query, and for the rows of a list.
    package static let memoryByteCountDefault = 32 << 20
    /// A page of larger events has fewer of them: it is there three times, as encodings, as text, and as what is sent.
    package static let pageByteCountDefault = 4 << 20
    package static let filterValueCountMax = 1_000
}
