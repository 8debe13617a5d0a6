import DaybookSystem
import Testing

struct CallersThreadTests {
    private actor Account {
        private var balance = 0

        func add(_ amount: Int) -> Int {
            balance += amount
            return balance
        }
    }

    private struct Refused: Error {}

    @Test func asynchronousWorkRunsToItsEnd() throws {
        let account = Account()
        let sum = try CallersThread.run {
            for amount in 1...100 { _ = await account.add(amount) }
            return await account.add(0)
        }
        #expect(sum == 5_050)
    }

    @Test func anErrorComesThrough() {
        #expect(throws: Refused.self) { try CallersThread.run { throw Refused() } }
    }
}
