import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookTools

/// Keys' lives and the audit trail through the door of the verbs, without a server.
struct AuditVerbTests {
    private let clock = SystemClock()
    private let entropy = SystemEntropy()

    private func field(_ name: String, of object: [UInt8]) throws -> String? {
        try ControlDocument(parsing: object)[name]?.stringValue
    }

    @Test func theTrailOfADirectoryIsReadWithoutChangingIt() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        let first = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let keyID = try #require(try field("key_id", of: first))
        #expect(try field("role", of: first) == "admin")
        let rotated = try door.administer(
            AdministrativeRequest.rotateKey(keyID, organization: "acme", graceSeconds: 3_600, expiresInSeconds: nil),
            clock: clock, entropy: entropy)
        #expect(try field("rotated_from", of: rotated) == keyID)
        let before = try door.disk().list("control")
        let trail = try ControlDocument(parsing: try door.audit(organization: "acme", limit: 3, before: nil))
        let actions = trail["items"]?.arrayValue?.compactMap { $0["action"]?.stringValue }
        #expect(actions == ["key.create", "key.rotate", "key.create"])
        #expect(try door.disk().list("control") == before)
        let rest = try ControlDocument(parsing: try door.audit(organization: nil, limit: 3, before: 2))
        #expect(rest["items"]?.arrayValue?.first?["action"]?.stringValue == "org.create")
        #expect(throws: ToolError.self) { try door.audit(organization: "other", limit: 1, before: nil) }
        let table = try ObjectTable.text(try door.audit(organization: "acme", limit: 1, before: nil))
        #expect(table.contains("local"))
        #expect(table.contains("key.create"))
    }

    @Test func aRoleIsGivenOnTheCommandLine() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let made = try door.administer(
            AdministrativeRequest.createKey(
                organization: "acme", name: nil, scopes: [], user: "ada", expiresInSeconds: nil, role: "developer"),
            clock: clock, entropy: entropy)
        #expect(try field("role", of: made) == "developer")
        #expect(throws: ToolError.self) {
            try door.administer(
                AdministrativeRequest.createKey(
                    organization: "acme", name: nil, scopes: [], user: nil, expiresInSeconds: nil, role: "king"),
                clock: clock, entropy: entropy)
        }
    }
}
