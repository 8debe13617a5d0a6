internal import DaybookFormat
internal import DaybookQuery
internal import NIOCore

/// An answer on its way to the client, which may read it slowly: what it holds stays charged until it is out.
struct QueryAnswer: Sendable {
    /// The body.
    let parts: [ByteBuffer]
    /// Nil for one that is too small to matter.
    let memory: BudgetShare?

    /// As much as the buffers of a connection hold anyway.
    static let freeByteCount = 16 << 10

    /// - Throws: `QueryError.overloaded` when other questions and answers leave no room for it, `outOfMemory` when there
    ///   would never be any.
    init(_ parts: [ByteBuffer], of organization: LogID, from budget: MemoryBudget) throws(QueryError) {
        let byteCount = parts.reduce(0) { $0 + $1.readableBytes }
        self.parts = parts
        guard byteCount > Self.freeByteCount else {
            memory = nil
            return
        }
        guard byteCount <= budget.byteCountMaxOfOne else { throw .outOfMemory(limit: budget.byteCountMaxOfOne) }
        guard let share = BudgetShare(byteCount, of: organization, from: budget) else { throw .overloaded }
        memory = share
    }

    var byteCount: Int { parts.reduce(0) { $0 + $1.readableBytes } }
}

/// The part of the memory of questions that one organization may have.
struct OrganizationQueryMemory: QueryMemory {
    let budget: MemoryBudget
    let organization: LogID

    func take(_ byteCount: Int) -> Bool { budget.charge(byteCount, of: organization) }
    func giveBack(_ byteCount: Int) { budget.refund(byteCount, of: organization) }
}
