import DaybookFormat
import Testing

@testable import DaybookServer

@Suite struct MemoryBudgetTests {
    private let flood = LogID(10)
    private let quiet = LogID(11)

    @Test func oneOrganizationLeavesSomethingForTheOthers() {
        let budget = MemoryBudget(byteCountMax: 100, byteCountMaxOfOne: 80)
        #expect(budget.charge(80, of: flood))
        #expect(!budget.charge(1, of: flood))
        #expect(budget.charge(20, of: quiet))
        #expect(!budget.charge(1, of: quiet))
        #expect(budget.byteCount == 100)
    }

    @Test func whatIsGivenBackServesAgain() {
        let budget = MemoryBudget(byteCountMax: 100, byteCountMaxOfOne: 80)
        #expect(budget.charge(50, of: flood))
        #expect(budget.charge(30, of: flood))
        budget.refund(50, of: flood)
        #expect(budget.byteCount == 30)
        #expect(!budget.charge(51, of: flood))
        #expect(budget.charge(50, of: flood))
    }

    @Test func aShareIsGivenBackWithItsLastReference() {
        let budget = MemoryBudget(byteCountMax: 100, byteCountMaxOfOne: 80)
        do {
            let share = BudgetShare(80, of: flood, from: budget)
            #expect(share != nil)
            #expect(BudgetShare(1, of: flood, from: budget) == nil)
            withExtendedLifetime(share) {}
        }
        #expect(budget.byteCount == 0)
    }

    @Test func theLargestBodyFitsIntoTheShareOfOneOrganization() {
        #expect(MemoryBudget().charge(Limits.bodyByteCountMax, of: flood))
    }
}
