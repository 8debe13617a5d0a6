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
        #expect(change(store) == .refused(.sessionEnded(ChangePlace())))
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

    /// What the client is told of a session does not depend on where its changes are by then.
    @Test(arguments: ["ended", "abandoned"])
    func aSessionThatIsOverStaysSoAfterASealingAndARestart(how: String) throws {
        let store = try store(idleSeconds: 60)
        #expect(store.send(#"{"session_id":"s"}"#, .sessionStart, to: log).isCommitted)
        if how == "ended" {
            #expect(store.send(#"{"session_id":"s"}"#, .sessionEnd(sessionID: nil), to: log).isCommitted)
        }
        for number in 0..<60 { #expect(store.commitCommands(UInt64(number)..<UInt64(number) + 1, to: log).isCommitted) }
        store.clock.advance(seconds: 61)
        func expectConflict(_ comment: Comment) {
            let requests: [(String, EventParser.Kind)] = [
                ("{}", .sessionUpdate(sessionID: Array("s".utf8))), (#"{"session_id":"s"}"#, .sessionStart),
                (#"{"session_id":"s"}"#, .sessionEnd(sessionID: nil)),
                (#"{"user_sessions":[{"id":"s","session_start":1767225600000}]}"#, .batch),
            ]
            for (body, kind) in requests {
                #expect(
                    store.send(body, kind, to: log) == .refused(.sessionEnded(ChangePlace())), "\(kind), \(comment)")
            }
        }
        expectConflict("in the log")
        store.checkpointAndSeal()
        #expect(try store.store.snapshot(of: log).manifest.sealedThrough > 1)
        expectConflict("sealed")
        try store.restart()
        expectConflict("after a restart")
        // Another name is another session, and one that the server names is always new.
        #expect(store.send(#"{"session_id":"t"}"#, .sessionStart, to: log).isCommitted)
        #expect(store.send("{}", .sessionStart, to: log).isCommitted)
    }

    @Test func aRefusalNamesTheEventAndTheSession() throws {
        let store = try store(idleSeconds: 60)
        #expect(store.send(#"{"session_id":"s"}"#, .sessionStart, to: log).isCommitted)
        #expect(store.send(#"{"session_id":"s"}"#, .sessionEnd(sessionID: nil), to: log).isCommitted)
        let batch = """
            {"command_executions":[{"command_name":"a","execution_time_ms":1,"status":"success"}],"user_sessions":[\
            {"id":"t","session_start":1767225600000,"commands_executed":2},{"id":"s","session_start":1767225600000}]}
            """
        #expect(store.send(batch, .batch, to: log) == .refused(.sessionEnded(ChangePlace(event: 3, session: 1))))
    }
}
