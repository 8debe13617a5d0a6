import DaybookControl
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookTools

/// The verb that forgets users, on a directory that no server holds.
struct EraseVerbTests {
    private let clock = SystemClock()
    private let entropy = SystemEntropy()
    private let directory: TemporaryDirectory
    private let door: StoreDoor

    init() throws {
        directory = try TemporaryDirectory()
        door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
    }

    @Test func withoutAServerTheVerbItselfIsDoneWhenItReturns() throws {
        _ = try door.administer(
            AdministrativeRequest.createKey(
                organization: "acme", name: "laptop", scopes: [], user: "zqx7-ada", expiresInSeconds: nil),
            clock: clock, entropy: entropy)
        let outcome = try door.erase(
            user: "zqx7-ada", organization: "acme", waits: false, clock: clock, entropy: entropy)
        #expect(outcome.isDone)
        let fields = try ControlDocument(parsing: outcome.fields)
        let id = try #require(fields["erasure_id"]?.stringValue)
        #expect(fields["certificate"]?["state"]?.stringValue == "done")
        #expect(try ObjectTable.text(outcome.fields).contains(id))
        let status = try door.administer(AdministrativeRequest.erasureStatus(id), clock: clock, entropy: entropy)
        #expect(try ControlDocument(parsing: status)["state"]?.stringValue == "done")
        let keys = try door.administer(
            AdministrativeRequest.listKeys(organization: "acme"), clock: clock, entropy: entropy)
        #expect(!String(decoding: keys, as: UTF8.self).contains("zqx7"))
        #expect(String(decoding: keys, as: UTF8.self).contains("********"))
    }

    @Test func howFarAnErasureIsIsToldWheneverThatIsAnotherText() throws {
        func answer(_ state: String, _ phase: String, awaited: String = "") -> [UInt8] {
            Array(#"{"erasure_id":"01","state":"\#(state)","phase":"\#(phase)","awaited":[\#(awaited)]}"#.utf8)
        }
        var answers = [
            answer("begun", "rewriting"), answer("begun", "rewriting"),
            answer("begun", "sweeping", awaited: #""a.seg","b.seg""#), answer("done", "done"),
        ]
        var told: [String] = []
        let outcome = try door.follow(
            answers.removeFirst(), waits: true, isServed: true, { _ in answers.removeFirst() }, { told.append($0) })
        #expect(told == ["rewriting", "sweeping, waiting for readers of a.seg, b.seg"])
        #expect(outcome.isDone && answers.isEmpty)
    }

    @Test func anOrganizationThatDoesNotExistIsToldWithWhatToDo() throws {
        let error = try #require(throws: ToolError.self) {
            try door.erase(user: "ada", organization: "nobody", waits: false, clock: clock, entropy: entropy)
        }
        #expect(error.cure.contains("daybook org list"))
    }

    @Test func nothingIsReappliedWhereNothingWasErased() throws {
        #expect(try door.reapplyErasures(organization: nil, waits: true, clock: clock, entropy: entropy).isEmpty)
    }
}
