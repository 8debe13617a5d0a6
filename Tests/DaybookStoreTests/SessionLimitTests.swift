import DaybookEvent
import DaybookFormat
import DaybookLog
import Testing

@testable import DaybookStore

/// What the changes of one session add up to stays within the limits of one event, wherever the changes are by then.
@Suite struct SessionLimitTests {
    private let log = LogID(16)

    private func start(_ store: SteppedStore) -> CommitOutcome {
        store.send(#"{"session_id":"s"}"#, .sessionStart, to: log)
    }

    private func change(_ store: SteppedStore, _ body: String) -> CommitOutcome {
        store.send(body, .sessionUpdate(sessionID: Array("s".utf8)), to: log)
    }

    private func agents(_ range: Range<Int>) -> String {
        #"{"agents_used":["# + range.map { "\"agent-\($0)\"" }.joined(separator: ",") + "]}"
    }

    private func keys(_ range: Range<Int>) -> String {
        #"{"context":{"# + range.map { "\"key-\($0)\":\($0)" }.joined(separator: ",") + "}}"
    }

    /// A context with this key, which is so long that sixteen of them pass 64 KiB.
    private func text(_ key: Int) -> String {
        #"{"context":{"key-\#(key)":"\#(String(repeating: "x", count: 4_090))"}}"#
    }

    private let tooManyAgents = CommitOutcome.refused(
        .sessionTooLarge(
            ChangePlace(), field: "agents_used", message: "would make the session hold more than 256 names"))
    private let tooManyKeys = CommitOutcome.refused(
        .sessionTooLarge(ChangePlace(), field: "context", message: "would make the session's hold more than 50 keys"))
    private let tooLong = CommitOutcome.refused(
        .sessionTooLarge(ChangePlace(), field: "context", message: "would make the session's longer than 64 KiB"))

    @Test func agentsAreCountedOverAllChanges() throws {
        let store = try SteppedStore()
        #expect(start(store).isCommitted)
        #expect(change(store, agents(0..<200)).isCommitted)
        #expect(change(store, agents(100..<256)).isCommitted)
        #expect(change(store, agents(256..<257)) == tooManyAgents)
        #expect(try store.lastSequence(of: log) == 3)
        // Known agents, and changes of something else, are as welcome as before.
        #expect(change(store, agents(0..<256)).isCommitted)
        #expect(change(store, #"{"commands_executed":7}"#).isCommitted)
        #expect(store.send(#"{"session_id":"s"}"#, .sessionEnd(sessionID: nil), to: log).isCommitted)
    }

    @Test func keysOfTheMergedContextAreCounted() throws {
        let store = try SteppedStore()
        #expect(start(store).isCommitted)
        #expect(change(store, keys(0..<40)).isCommitted)
        #expect(change(store, keys(30..<50)).isCommitted)
        #expect(change(store, keys(50..<51)) == tooManyKeys)
        let end = store.send(
            #"{"session_id":"s","context":{"more":1}}"#, .sessionEnd(sessionID: nil), to: log)
        #expect(end == tooManyKeys)
        #expect(try store.lastSequence(of: log) == 3)
        #expect(change(store, keys(0..<50)).isCommitted)
    }

    @Test func bytesOfTheMergedContextAreCounted() throws {
        let store = try SteppedStore()
        #expect(start(store).isCommitted)
        for key in 0..<15 { #expect(change(store, text(key)).isCommitted) }
        #expect(change(store, text(15)) == tooLong)
        #expect(try store.lastSequence(of: log) == 16)
        // A key that is there already is replaced, not added.
        #expect(change(store, text(14)).isCommitted)
    }

    @Test func theLimitsHoldWithinOneRequestAndNameTheSession() throws {
        let store = try SteppedStore()
        let sessions = ["a", "b", "b"].enumerated().map { index, id in
            """
            {"id":"\(id)","session_start":1767225600000,"status":"active",\
            "agents_used":[\((index * 200..<index * 200 + 200).map { "\"agent-\($0)\"" }.joined(separator: ","))]}
            """
        }
        let outcome = store.send(#"{"user_sessions":[\#(sessions.joined(separator: ","))]}"#, .batch, to: log)
        #expect(
            outcome
                == .refused(
                    .sessionTooLarge(
                        ChangePlace(event: 5, session: 2), field: "agents_used",
                        message: "would make the session hold more than 256 names")))
        #expect(try store.lastSequence(of: log) == 0)
        #expect(store.send(#"{"user_sessions":[\#(sessions[0]),\#(sessions[1])]}"#, .batch, to: log).isCommitted)
    }

    @Test func theLimitsHoldAfterARestartOverJournalLogAndSegments() throws {
        let store = try SteppedStore()
        #expect(start(store).isCommitted)
        #expect(change(store, agents(0..<250)).isCommitted)
        #expect(change(store, keys(0..<45)).isCommitted)
        store.checkpointAndSeal()
        for number in 0..<3 { #expect(change(store, text(number)).isCommitted) }
        store.checkpointAndSeal()
        #expect(change(store, agents(250..<256)).isCommitted)
        let snapshot = try store.store.snapshot(of: log)
        #expect(!snapshot.segments.isEmpty && snapshot.tailExtentCount > 0 && snapshot.pendingGroupCount > 0)
        let count = try store.lastSequence(of: log)
        try store.restart()
        #expect(change(store, agents(256..<257)) == tooManyAgents)
        #expect(change(store, keys(45..<51)) == tooManyKeys)
        #expect(try store.lastSequence(of: log) == count)
        #expect(change(store, keys(45..<50)).isCommitted)
    }
}
