import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// The verbs that forget users, over a real store with its threads.
@Suite struct ErasureVerbTests {
    private final class Opened {
        let store: Store
        let registry: KeyRegistry
        let administration: Administration
        private let pause = Wakeup()

        init(_ disk: SimulatedDisk) throws {
            let clock = SystemClock()
            var options = StoreOptions()
            options.journalFileByteCount = 64 << 10
            options.logFileByteCount = 16 << 10
            options.checkpointByteCount = 32 << 10
            if try disk.list("").isEmpty {
                try Store.create(disk: disk, clock: clock, entropy: SystemEntropy(), options: options)
            }
            store = try Store.open(disk: disk, clock: clock, entropy: SystemEntropy(), options: options)
            store.start()
            registry = KeyRegistry(store: store, clock: clock, entropy: SystemEntropy())
            administration = Administration(store: store, registry: registry, clock: clock)
        }

        deinit { store.shutdown() }

        func ask(_ request: String) throws -> ParsedJSON {
            try ParsedJSON(parsing: administration.perform(Array(request.utf8)))
        }

        /// The answer that says that the erasure is done; how long it takes does not matter.
        func done(_ id: String) throws -> ParsedJSON {
            while true {
                let status = try ask(#"{"verb":"erase.status","erasure_id":"\#(id)"}"#)
                guard status["state"]?.string == "begun" else { return status }
                pause.wait(microseconds: 2_000)
            }
        }
    }

    private static let acme = OrganizationID("acme")!

    @Test(.timeLimit(.minutes(15)))
    func aUserIsForgottenAndTheirKeysOpenNothing() throws {
        let disk = SimulatedDisk(seed: 1)
        let opened = try Opened(disk)
        _ = try opened.ask(#"{"verb":"org.create","organization":"acme"}"#)
        let ada = try opened.registry.create(
            organization: Self.acme, name: "ada's", scopes: .all, user: "zqx7-ada", expiresAt: nil)
        let bob = try opened.registry.create(
            organization: Self.acme, name: "bob's", scopes: .all, user: "bob", expiresAt: nil)
        let generation = opened.registry.generation
        let begun = try opened.ask(#"{"verb":"erase.begin","organization":"acme","user":"zqx7-ada"}"#)
        #expect(begun["ok"] == .bool(true))
        let now = Timestamp(microseconds: SystemClock().wallMicroseconds())
        #expect(opened.registry.verify(Array(ada.key.text.utf8), at: now) == nil)
        #expect(opened.registry.verify(Array(bob.key.text.utf8), at: now) != nil)
        #expect(opened.registry.generation > generation)
        #expect(opened.registry.list(organization: Self.acme).map(\.record.user) == ["", "********", "bob"])

        let id = try #require(begun["erasure_id"]?.string)
        let done = try opened.done(id)
        #expect(done["state"]?.string == "done")
        #expect(done["certificate"]?["erasure_id"]?.string == id)
        #expect(done["certificate"]?["state"]?.string == "done")
        #expect(done["user_hash"]?.string?.utf8.count == 64)

        let again = try opened.ask(#"{"verb":"erase.reapply","organization":"acme"}"#)
        #expect(again["erasure_ids"]?[0]?.string == id)
        #expect(try opened.done(id)["state"]?.string == "done")
        let bytes = disk.image().files.values
        #expect(!bytes.contains { String(decoding: $0, as: UTF8.self).contains("zqx7") })
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        let opened = try Opened(SimulatedDisk(seed: 1))
        _ = try opened.ask(#"{"verb":"org.create","organization":"acme"}"#)
        _ = try opened.ask(#"{"verb":"org.create","organization":"held"}"#)
        _ = try opened.ask(#"{"verb":"org.set","organization":"held","legal_hold":true}"#)
        let refusals = [
            (#"{"verb":"erase.begin","organization":"acme"}"#, "validation_failed"),
            (#"{"verb":"erase.begin","organization":"acme","user":""}"#, "validation_failed"),
            (#"{"verb":"erase.begin","organization":"nobody","user":"ada"}"#, "not_found"),
            (#"{"verb":"erase.begin","organization":"held","user":"ada"}"#, "conflict"),
            (#"{"verb":"erase.status","erasure_id":"7"}"#, "validation_failed"),
            (#"{"verb":"erase.status","erasure_id":"0000000000000007"}"#, "not_found"),
            (#"{"verb":"erase.reapply","organization":"nobody"}"#, "not_found"),
        ]
        for (request, code) in refusals {
            #expect(try opened.ask(request)["code"]?.string == code, "\(request)")
        }
    }
}
