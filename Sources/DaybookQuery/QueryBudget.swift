internal import Synchronization

/// Memory that queries have together.
package protocol QueryMemory: Sendable {
    /// False, and nothing taken, when that is not left.
    func take(_ byteCount: Int) -> Bool
    /// Precondition: it was taken.
    func giveBack(_ byteCount: Int)
}

/// What of its memory a query has left. Its parts share it.
///
/// The first piece is the query's own, so that small ones ask nobody, and are not refused for what others hold. What is
/// more comes out of the memory of all, in pieces, and goes back with the last reference to the budget.
final class QueryBudget: Sendable {
    static let pieceByteCount = 256 << 10

    private let limit: Int
    private let memory: (any QueryMemory)?
    private let used = Atomic<Int>(0)
    /// With the first piece.
    private let drawn = Atomic<Int>(pieceByteCount)
    private let drawing = Mutex<Void>(())

    init(limit: Int, memory: (any QueryMemory)? = nil) {
        self.limit = limit
        self.memory = memory
    }

    deinit {
        let taken = drawn.load(ordering: .relaxed) - Self.pieceByteCount
        if taken > 0 { memory?.giveBack(taken) }
    }

    /// Charges what a part holds beyond what it has paid for.
    func charge(_ byteCount: Int, paid: inout Int) throws(QueryError) {
        guard byteCount > paid else { return }
        let added = byteCount - paid
        let sum = used.add(added, ordering: .relaxed).newValue
        guard sum <= limit else { throw .outOfMemory(limit: limit) }
        guard sum <= drawn.load(ordering: .relaxed) || draw(sum) else { throw .overloaded }
        paid = byteCount
    }

    /// Gives back what a part has paid for that is no more.
    func release(_ byteCount: Int) { used.subtract(byteCount, ordering: .relaxed) }

    /// Takes as many pieces as it needs for `sum`.
    private func draw(_ sum: Int) -> Bool {
        guard let memory else { return true }
        return drawing.withLock { _ in
            let missing = sum - drawn.load(ordering: .relaxed)
            guard missing > 0 else { return true }
            let byteCount = (missing + Self.pieceByteCount - 1) / Self.pieceByteCount * Self.pieceByteCount
            guard memory.take(byteCount) else { return false }
            drawn.add(byteCount, ordering: .relaxed)
            return true
        }
    }
}
