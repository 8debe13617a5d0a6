import DaybookTestSupport
import Testing

@Suite(.timeLimit(.minutes(15))) struct RetryTests {
    private struct Fault: Error {}

    @Test func theFirstValueThatIsWantedIsTheResult() async throws {
        var count = 0
        let value = try await retry {
            count += 1
            return count
        } until: {
            $0 >= 3
        }
        #expect(value == 3)
        #expect(count == 3)
    }

    @Test func anErrorEndsItAtOnce() async {
        var count = 0
        await #expect(throws: Fault.self) {
            try await retry {
                count += 1
                throw Fault()
            } until: { _ in
                true
            }
        }
        #expect(count == 1)
    }

    @Test func aCancelledTestWaitsNoLonger() async {
        let waiting = Task {
            try await retry {
                false
            } until: {
                $0
            }
        }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
