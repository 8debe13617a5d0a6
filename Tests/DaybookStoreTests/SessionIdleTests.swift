import DaybookEvent
import DaybookFormat
import DaybookLog
import Testing

@testable import DaybookStore

/// A session that nobody changes is abandoned after the time that the options say.
@Suite struct SessionIdleTests {
    private let log = LogID(16)

    private func store(idleSeconds: Int64) throws -> SteppedStore {
        var options = SteppedStore.options
        options.sessionIdleMicroseconds = idleSeconds * 1_000_000
        return try SteppedStore(options)
    }

    private func change(_ store: SteppedStore) -> CommitOutcome {
        store.send(#"{"commands_executed":1}"#, .sessionUpdate(sessionID: Array("s".utf8)), to: log)
    }

    @Test(arguments: [60, 7_200] as [Int64])
    func aSessionTakesChangesUntilItsIdleTimeIsOver(seconds: Int64) throws {
        let store = try store(idleSeconds: seconds)
        #expect(store.send(#"{"session_id":"s"}"#, .sessionStart, to: log).isCommitted)
        store.clock.advance(seconds: UInt64(seconds))
        #expect(change(store).isCommitted)
        store.clock.advance(seconds: UInt64(seconds) + 1)
        #expect(change(store) == .refused(.sessionEnded))
    }

    @Test func theTimeHoldsAfterARestartAndASealingToo() throws {
        let store = try store(idleSeconds: 7_200)
        #expect(store.send(#"{"session_id":"s"}"#, .sessionStart, to: log).isCommitted)
        for number in 0..<60 { #expect(store.commitCommands(UInt64(number)..<UInt64(number) + 1, to: log).isCommitted) }
        store.clock.advance(seconds: 7_000)
        store.checkpointAndSeal()
        #expect(try store.store.snapshot(of: log).manifest.sealedThrough > 1)
        try store.restart()
        #expect(change(store).isCommitted)
    }
}
