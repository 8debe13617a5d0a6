internal import DaybookFormat
internal import Synchronization

/// Runs the parts of one query. The server lends its query threads; everyone else runs them one after the other.
package protocol QueryExecutor: Sendable {
    /// How many parts may run at the same time.
    var width: Int { get }
    /// Calls `body` once for each number below `count`, on any threads, and returns when all calls have.
    func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void)
}

extension QueryExecutor {
    /// Cuts `0..<count` into pieces of at least `countMin`, calls `body` with each, and returns what it made of them in
    /// their order.
    func mapPieces<Result: Sendable>(
        of count: Int, countMin: Int, _ body: @escaping @Sendable (Range<Int>) -> Result
    ) -> [Result] {
        // More pieces than threads: one that begins late takes fewer of them.
        let pieceCount = width > 1 ? min(4 * width, count / countMin) : 1
        guard pieceCount > 1 else { return [body(0..<count)] }
        let results = Mutex<[Result?]>(Array(repeating: nil, count: pieceCount))
        run(pieceCount) { piece in
            let result = body(piece * count / pieceCount..<(piece + 1) * count / pieceCount)
            results.withLock { $0[piece] = result }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}

/// Runs all parts on the caller's thread.
package struct SerialExecutor: QueryExecutor {
    package init() {}

    package var width: Int { 1 }

    package func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for part in 0..<count { body(part) }
    }
}

/// What a query may use, apart from what it asks.
package struct QueryOptions: Sendable {
    package var executor: any QueryExecutor = SerialExecutor()
    /// Bytes of memory for groups, distinct values and hits.
    package var memoryByteCountMax = QueryLimits.memoryByteCountDefault
    /// What this query and others have together; nil where nobody else asks.
    package var memory: (any QueryMemory)?
    /// Bytes of the events or sessions of one page of a list, of which there is at least one.
    package var pageByteCountMax = QueryLimits.pageByteCountDefault
    /// Fewer rows than this are scanned sooner than another thread wakes up.
    package var parallelRowCountMin = 131_072
    /// A session without a change for so long is abandoned.
    package var sessionIdleMicroseconds = Limits.sessionIdleMicroseconds

    package init() {}
}
