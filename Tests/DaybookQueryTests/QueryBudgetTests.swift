import Synchronization
import Testing

@testable import DaybookQuery

@Suite struct QueryBudgetTests {
    private static let piece = QueryBudget.pieceByteCount

    @Test func aSmallQueryAsksNobody() throws {
        let memory = CountedMemory(byteCountMax: 0)
        let budget = QueryBudget(limit: 1 << 30, memory: memory)
        var paid = 0
        try budget.charge(Self.piece, paid: &paid)
        #expect(paid == Self.piece)
        #expect(throws: QueryError.overloaded) { try budget.charge(Self.piece + 1, paid: &paid) }
        #expect(memory.takeCount == 1)
    }

    @Test func aLargeOneDrawsPiecesAndGivesThemBackInTheEnd() throws {
        let memory = CountedMemory(byteCountMax: 100 * Self.piece)
        do {
            let budget = QueryBudget(limit: 1 << 30, memory: memory)
            var paid = 0
            for byteCount in stride(from: 1_000, through: 10 * Self.piece, by: 1_000) {
                try budget.charge(byteCount, paid: &paid)
            }
            #expect(memory.byteCount == 9 * Self.piece)
            #expect(memory.takeCount == 9)
            // What one part gives back serves the next one.
            budget.release(5 * Self.piece)
            var other = 0
            try budget.charge(5 * Self.piece, paid: &other)
            #expect(memory.byteCount == 9 * Self.piece)
            withExtendedLifetime(budget) {}
        }
        #expect(memory.byteCount == 0)
    }

    @Test func queriesTogetherHaveNoMoreThanThereIs() throws {
        let memory = CountedMemory(byteCountMax: 10 * Self.piece)
        var first: QueryBudget? = QueryBudget(limit: 1 << 30, memory: memory)
        let second = QueryBudget(limit: 1 << 30, memory: memory)
        var paid = 0
        try first?.charge(9 * Self.piece, paid: &paid)
        var others = 0
        #expect(throws: QueryError.overloaded) { try second.charge(4 * Self.piece, paid: &others) }
        #expect(memory.byteCount == 8 * Self.piece)
        first = nil
        let third = QueryBudget(limit: 1 << 30, memory: memory)
        try third.charge(11 * Self.piece, paid: &others)
        #expect(memory.byteCount == 10 * Self.piece)
    }

    @Test func theLimitOfOneQueryIsToldApartFromThatOfAll() {
        let budget = QueryBudget(limit: 2 * Self.piece, memory: CountedMemory(byteCountMax: 100 * Self.piece))
        var paid = 0
        #expect(throws: QueryError.outOfMemory(limit: 2 * Self.piece)) {
            try budget.charge(3 * Self.piece, paid: &paid)
        }
    }
}

private final class CountedMemory: QueryMemory {
    private let byteCountMax: Int
    private let state = Mutex((byteCount: 0, takeCount: 0))

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    var byteCount: Int { state.withLock { $0.byteCount } }
    var takeCount: Int { state.withLock { $0.takeCount } }

    func take(_ byteCount: Int) -> Bool {
        state.withLock { state in
            state.takeCount += 1
            guard state.byteCount + byteCount <= byteCountMax else { return false }
            state.byteCount += byteCount
            return true
        }
    }

    func giveBack(_ byteCount: Int) { state.withLock { $0.byteCount -= byteCount } }
}
