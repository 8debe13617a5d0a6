import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// `dlq.*` over a store with its threads.
struct DeadLetterVerbTests {
    private func add(_ count: UInt64, _ organization: OrganizationID, _ fixture: IdentityFixture) throws -> [String] {
        let letters = (0..<count).map { number in
            DeadLetter(
                organization: organization, kind: .sealing, sequences: number + 1...number + 1, subject: "",
                attemptCount: 3, firstAttemptAt: fixture.now, lastAttemptAt: fixture.now, error: "it failed")
        }
        try fixture.store.appendControl(letters.map { .deadLettered($0) })
        return letters.map { hexText($0.id) }
    }

    private func listed(_ fixture: IdentityFixture, _ fields: String = "") throws -> [String] {
        let answer = try fixture.ask(#"{"verb":"dlq.list"\#(fields)}"#)
        return (answer["dead_letters"]?.elements ?? []).compactMap { $0["dead_letter_id"]?.string }
    }

    @Test func lettersOutliveTheProcessAndAreListedByOrganization() throws {
        let fixture = try IdentityFixture()
        let acme = try add(2, IdentityFixture.acme, fixture)
        let globex = try add(1, IdentityFixture.globex, fixture)
        #expect(try listed(fixture) == acme + globex)
        let again = try fixture.reopened()
        #expect(try listed(again) == acme + globex)
        #expect(try listed(again, #","organization":"globex""#) == globex)
        let shown = try again.ask(#"{"verb":"dlq.show","dead_letter_id":"\#(acme[1])"}"#)
        #expect(shown["kind"]?.string == "sealing")
        #expect(shown["first_sequence"]?.unsigned == 2)
    }

    @Test func allOrOneAreReplayedOrPurgedAndEachOrganizationGetsItsEntry() throws {
        let fixture = try IdentityFixture()
        let acme = try add(3, IdentityFixture.acme, fixture)
        let globex = try add(2, IdentityFixture.globex, fixture)
        #expect(
            try fixture.ask(#"{"verb":"dlq.replay","dead_letter_id":"\#(acme[0])"}"#)["replayed"]?.unsigned == 1)
        #expect(
            try fixture.ask(#"{"verb":"dlq.purge","organization":"globex","dead_letter_id":"\#(globex[1])"}"#)[
                "purged"]?
                .unsigned == 1)
        #expect(try listed(fixture) == [acme[1], acme[2], globex[0]])
        #expect(try fixture.ask(#"{"verb":"dlq.replay"}"#)["replayed"]?.unsigned == 3)
        #expect(try listed(fixture) == [])
        #expect(try fixture.trail().map { "\($0.action) \($0.target)" } == ["dlq.replay ", "dlq.replay \(acme[0])"])
        #expect(
            try fixture.trail(of: IdentityFixture.globex).map { "\($0.action) \($0.target)" }
                == ["dlq.replay ", "dlq.purge \(globex[1])"])
    }

    @Test(arguments: [
        (#"{"verb":"dlq.show"}"#, "validation_failed"), (#"{"verb":"dlq.show","dead_letter_id":"ff"}"#, "not_found"),
        (#"{"verb":"dlq.replay","dead_letter_id":"ff"}"#, "not_found"),
        (#"{"verb":"dlq.purge","dead_letter_id":7}"#, "not_found"),
        (#"{"verb":"dlq.list","organization":"nobody"}"#, "not_found"),
        (#"{"verb":"dlq.list","organization":"-"}"#, "validation_failed"),
        (#"{"verb":"dlq.list","limit":0}"#, "invalid_query"),
        (#"{"verb":"dlq.list","kind":"sealing"}"#, "validation_failed"),
    ])
    func whatIsWrongIsNamedAndNothingGoes(request: String, code: String) throws {
        let fixture = try IdentityFixture()
        let letters = try add(1, IdentityFixture.acme, fixture)
        #expect(try fixture.ask(request)["code"]?.string == code)
        #expect(try listed(fixture) == letters)
    }
}
