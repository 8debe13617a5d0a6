import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookControl

/// The verbs and the keys over a real store.
@Suite struct AdministrationTests {
    private struct Opened {
        let store: Store
        let registry: KeyRegistry
        let administration: Administration

        func ask(_ request: String) throws -> ParsedJSON {
            try ParsedJSON(parsing: administration.perform(Array(request.utf8)))
        }
    }

    private func text(_ json: ParsedJSON?) -> String? {
        guard case .text(let bytes) = json else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("da-\(UUID().uuidString)").path

    private func open(_ defaults: OrganizationDefaults = OrganizationDefaults()) throws -> Opened {
        let disk = try PosixDisk(creatingRoot: root)
        var options = StoreOptions()
        options.journalFileByteCount = 16 << 20
        options.checkpointByteCount = 16 << 20
        if try disk.list("").isEmpty {
            try Store.create(disk: disk, clock: SystemClock(), entropy: SystemEntropy(), options: options)
        }
        let store = try Store.open(disk: disk, clock: SystemClock(), entropy: SystemEntropy(), options: options)
        store.start()
        let registry = KeyRegistry(store: store, clock: SystemClock(), entropy: SystemEntropy())
        return Opened(
            store: store, registry: registry,
            administration: Administration(
                store: store, registry: registry, clock: SystemClock(), defaults: defaults))
    }

    @Test func aNewOrganizationKeepsTheRetentionThatWasConfiguredWhenItWasMade() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        var defaults = OrganizationDefaults()
        defaults.retention = RetentionPolicy(commands: 30, agents: 0, sessions: 365, productivity: 7)
        let first = try open(defaults)
        _ = try first.ask(#"{"verb":"org.create","organization":"acme"}"#)
        first.store.shutdown()
        let again = try open()
        defer { again.store.shutdown() }
        _ = try again.ask(#"{"verb":"org.create","organization":"other"}"#)
        let days = try again.ask(#"{"verb":"org.show","organization":"acme"}"#)["retention_days"]
        #expect(["commands", "agents", "sessions", "productivity"].map { days?[$0]?.integer } == [30, 0, 365, 7])
        let other = try again.ask(#"{"verb":"org.show","organization":"other"}"#)["retention_days"]
        #expect(other?["commands"]?.integer == 90)
    }

    @Test func verbsOfARunningServerAreRefusedWithoutOne() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let opened = try open()
        defer { opened.store.shutdown() }
        for verb in [#"{"verb":"config.show"}"#, #"{"verb":"log.set_level","level":"debug"}"#] {
            #expect(text(try opened.ask(verb)["code"]) == "server_not_running")
        }
    }

    @Test func organizationsAndKeysOutliveTheProcess() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let first = try open()
        let made = try first.ask(#"{"verb":"org.create","organization":"acme"}"#)
        #expect(made["ok"] == .bool(true))
        let key = try #require(text(made["api_key"]))
        let keyID = try #require(text(made["key_id"]))
        let second = try first.ask(
            #"{"verb":"key.create","organization":"acme","name":"ci","scopes":["ingest"],"user":"ada","expires_in_seconds":3600}"#
        )
        let secondKey = try #require(text(second["api_key"]))
        #expect(try first.ask(#"{"verb":"key.revoke","key_id":"\#(keyID)"}"#)["ok"] == .bool(true))
        first.store.shutdown()

        let again = try open()
        defer { again.store.shutdown() }
        let now = Timestamp(microseconds: SystemClock().wallMicroseconds())
        #expect(again.registry.verify(Array(key.utf8), at: now) == nil)
        let credential = try #require(again.registry.verify(Array(secondKey.utf8), at: now))
        #expect(credential.organization.id == OrganizationID("acme"))
        #expect(credential.scopes == .ingest)
        #expect(credential.defaultUser == Array("ada".utf8))
        #expect(again.registry.verify(Array(secondKey.utf8), at: now.adding(microseconds: 3_601_000_000)) == nil)
        let listed = try again.ask(#"{"verb":"key.list","organization":"acme"}"#)
        #expect(text(listed["keys"]?[0]?["key_id"]) == keyID)
        #expect(text(listed["keys"]?[0]?["revoked_at"]) != nil)
        #expect(listed["keys"]?[1]?["revoked_at"] == .null)
        #expect(text(listed["keys"]?[1]?["name"]) == "ci")
        let organizations = try again.ask(#"{"verb":"org.list"}"#)
        #expect(text(organizations["organizations"]?[0]?["organization"]) == "acme")
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let opened = try open()
        defer { opened.store.shutdown() }
        #expect(try opened.ask(#"{"verb":"org.create","organization":"acme"}"#)["ok"] == .bool(true))
        let refusals = [
            (#"{"verb":"org.create","organization":"acme"}"#, "conflict"),
            (#"{"verb":"org.create","organization":"Not An Id"}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"globex"}"#, "not_found"),
            (#"{"verb":"key.create","organization":"acme","scopes":["everything"]}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"acme","scopes":[]}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"acme","user":"a b"}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"acme","expires_in_seconds":0}"#, "validation_failed"),
            (#"{"verb":"key.revoke","key_id":"key_0"}"#, "not_found"),
            (#"{"verb":"key.revoke"}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"acme","role":"owner"}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"acme","operator":1}"#, "validation_failed"),
            (#"{"verb":"key.create","organization":"acme","rank":"high"}"#, "validation_failed"),
            (#"{"verb":"audit.list","limit":0}"#, "invalid_query"),
            (#"{"verb":"none"}"#, "not_found"),
            ("[]", "not_found"),
            ("{", "invalid_json"),
        ]
        for (request, code) in refusals {
            let answer = try opened.ask(request)
            #expect(answer["ok"] == .bool(false), "\(request)")
            #expect(text(answer["code"]) == code, "\(request)")
            #expect(text(answer["message"])?.isEmpty == false)
        }
    }

    @Test func aRevocationChangesTheGenerationAndHoldsOnce() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let opened = try open()
        defer { opened.store.shutdown() }
        let organization = try opened.store.createOrganization(OrganizationID("acme")!)
        let made = try opened.registry.create(
            organization: organization.id, name: "", scopes: .all, user: "", expiresAt: nil)
        let before = opened.registry.generation
        #expect(throws: KeyRegistry.Failure.keyNotFound) {
            try opened.registry.revoke(keyID: made.record.keyID, organization: OrganizationID("globex")!)
        }
        try opened.registry.revoke(keyID: made.record.keyID)
        #expect(opened.registry.generation > before)
        #expect(throws: KeyRegistry.Failure.alreadyRevoked) { try opened.registry.revoke(keyID: made.record.keyID) }
    }

    @Test func settingsAreShownChangedInPartAndOutliveTheProcess() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let first = try open()
        _ = try first.ask(#"{"verb":"org.create","organization":"acme"}"#)
        let standard = try first.ask(#"{"verb":"org.show","organization":"acme"}"#)
        #expect(standard["retention_days"]?["commands"]?.unsigned == 90)
        #expect(standard["retention_days"]?["sessions"]?.unsigned == 365)
        #expect(standard["legal_hold"] == .bool(false))
        #expect(standard["quota_bytes"]?.unsigned == 0)
        let request =
            #"{"verb":"org.set","organization":"acme","retention_days":{"commands":30,"sessions":0},"legal_hold":true,"#
            + #""quota_bytes":1000000}"#
        let changed = try first.ask(request)
        #expect(changed["retention_days"]?["commands"]?.unsigned == 30)
        #expect(changed["retention_days"]?["agents"]?.unsigned == 90)
        first.store.shutdown()
        let again = try open()
        defer { again.store.shutdown() }
        #expect(try again.ask(#"{"verb":"org.show","organization":"acme"}"#) == changed)
        #expect(changed["legal_hold"] == .bool(true))
        #expect(changed["quota_bytes"]?.unsigned == 1_000_000)
    }

    @Test(arguments: [
        (#""retention_days":{"weeks":1}"#, "retention_days.weeks"),
        (#""retention_days":{"commands":-1}"#, "retention_days.commands"),
        (#""retention_days":{"commands":36526}"#, "36525"),
        (#""retention_days":{}"#, "retention_days"),
        (#""retention_days":7"#, "retention_days"),
        (#""legal_hold":"on""#, "legal_hold"),
        (#""retention_days":{"commands":1},"quota_bytes":-1"#, "quota_bytes"),
    ])
    func badSettingsNameTheFieldAndChangeNothing(fields: String, named: String) throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let opened = try open()
        defer { opened.store.shutdown() }
        _ = try opened.ask(#"{"verb":"org.create","organization":"acme"}"#)
        let before = try opened.ask(#"{"verb":"org.show","organization":"acme"}"#)
        let answer = try opened.ask(#"{"verb":"org.set","organization":"acme",\#(fields)}"#)
        #expect(answer["ok"] == .bool(false))
        #expect(text(answer["code"]) == "validation_failed")
        #expect(text(answer["message"])?.contains(named) == true)
        #expect(try opened.ask(#"{"verb":"org.show","organization":"acme"}"#) == before)
        #expect(
            text(try opened.ask(#"{"verb":"org.set","organization":"other","legal_hold":true}"#)["code"]) == "not_found"
        )
    }
}
