import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookTools

/// The way of the verbs into a real directory, without a server.
struct StoreDoorTests {
    private let clock = SystemClock()
    private let entropy = SystemEntropy()

    private func field(_ name: String, of object: [UInt8]) throws -> String? {
        try ControlDocument(parsing: object)[name]?.stringValue
    }

    @Test func aNewStoreHasItsOrganizationAndAKey() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        let answer = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        #expect(try field("organization", of: answer) == "acme")
        #expect(try field("api_key", of: answer)?.hasPrefix("dbk_") == true)
        let store = try door.openReadOnly()
        #expect(store.organizations().map(\.id.text) == ["acme"])
    }

    @Test func aSecondStoreInTheSameDirectoryIsRefused() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        #expect(throws: ToolError.self) {
            try door.initialize(organization: "other", clock: clock, entropy: entropy)
        }
    }

    @Test func aBadOrganizationLeavesNoStoreBehind() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        #expect(throws: ToolError.self) {
            try door.initialize(organization: "Bad Name", clock: clock, entropy: entropy)
        }
        let answer = try door.initialize(organization: "good-name", clock: clock, entropy: entropy)
        #expect(try field("organization", of: answer) == "good-name")
    }

    @Test func organizationsAndKeysAreMadeOffline() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let made = try door.administer(
            AdministrativeRequest.createOrganization("second"), clock: clock, entropy: entropy)
        #expect(try field("organization", of: made) == "second")
        let key = try door.administer(
            AdministrativeRequest.createKey(
                organization: "second", name: "ci", scopes: ["ingest"], user: "robot", expiresInSeconds: 60),
            clock: clock, entropy: entropy)
        let keyID = try #require(try field("key_id", of: key))
        let revoked = try door.administer(
            AdministrativeRequest.revokeKey(keyID, organization: "second"), clock: clock, entropy: entropy)
        #expect(try field("key_id", of: revoked) == keyID)
        #expect(throws: ToolError.self) {
            try door.administer(
                AdministrativeRequest.createOrganization("second"), clock: clock, entropy: entropy)
        }
    }

    @Test func signingKeysAreMadeWithTheStoreAndTokensOffline() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        let made = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let file = door.directory + "/" + Layout.signingKeys
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let before = try HostFile.read(file, byteCountMax: 65_536)
        let keyID = try #require(try field("key_id", of: made))
        let issued = try door.administer(
            AdministrativeRequest.issueToken(
                keyID: keyID, organization: "acme", expiresInSeconds: 60, hasRefresh: true),
            clock: clock, entropy: entropy)
        #expect(try HostFile.read(file, byteCountMax: 65_536) == before)
        #expect(try field("access_token", of: issued)?.split(separator: ".").count == 3)
        let grantID = try #require(try field("grant_id", of: issued))
        let listed = try door.administer(
            AdministrativeRequest.listTokens(organization: "acme"), clock: clock, entropy: entropy)
        #expect(try ControlDocument(parsing: listed)["tokens"]?.arrayValue?.count == 1)
        let revoked = try door.administer(
            AdministrativeRequest.revokeToken(grantID, organization: nil), clock: clock, entropy: entropy)
        #expect(try field("token_id", of: revoked) == grantID)
        let rotated = try door.administer(
            AdministrativeRequest.rotateSigningKey(atOnce: false), clock: clock, entropy: entropy)
        #expect(try ControlDocument(parsing: rotated)["old_keys"]?.arrayValue?.count == 1)
        #expect(throws: ToolError.self) {
            try door.administer(
                AdministrativeRequest.revokeToken("tok_nonsense", organization: nil), clock: clock, entropy: entropy)
        }
    }

    @Test func retentionHoldAndQuotaAreSetAndShownOffline() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let set = AdministrativeRequest.setOrganization(
            "acme", retentionDays: ["commands": 30, "sessions": 0], isHeld: true, quotaByteCount: 5_000_000)
        _ = try door.administer(set, clock: clock, entropy: entropy)
        let shown = try door.administer(
            AdministrativeRequest.showOrganization("acme"), clock: clock, entropy: entropy)
        let fields = try ControlDocument(parsing: shown)
        #expect(fields["retention_days"]?["commands"]?.integerValue == 30)
        #expect(fields["retention_days"]?["agents"]?.integerValue == 90)
        #expect(fields["retention_days"]?["sessions"]?.integerValue == 0)
        #expect(fields["quota_bytes"]?.integerValue == 5_000_000)
        #expect(String(decoding: shown, as: UTF8.self).contains(#""legal_hold":true"#))
    }

    @Test func limitsAreSetAndShownOffline() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let set = AdministrativeRequest.setLimits(
            "acme", tier: nil, requestsPerMinute: 30, burst: 3, isAdaptive: false, concurrentBatchCount: 2)
        let answer = try door.administer(set, clock: clock, entropy: entropy)
        let shown = try door.administer(AdministrativeRequest.showLimits("acme"), clock: clock, entropy: entropy)
        #expect(shown == answer)
        let fields = try ControlDocument(parsing: shown)
        #expect(fields["tier"]?.stringValue == "own")
        #expect(fields["batch_per_minute"]?.integerValue == 300)
        #expect(fields["burst"]?.integerValue == 3)
        #expect(fields["adaptive"] == .boolean(false))
        #expect(fields["concurrent_batches"]?.integerValue == 2)
        let tier = AdministrativeRequest.setLimits(
            "acme", tier: "enterprise", requestsPerMinute: nil, burst: nil, isAdaptive: nil, concurrentBatchCount: nil)
        let larger = try ControlDocument(parsing: door.administer(tier, clock: clock, entropy: entropy))
        #expect(larger["single_per_minute"]?.integerValue == 5_000)
        #expect(larger["concurrent_batches"]?.integerValue == 2)
    }

    @Test(arguments: ["commands", "commands=", "commands=1=2", "=", "commands=x"])
    func aRetentionThatIsNoRetentionIsRefused(text: String) {
        #expect(throws: ToolError.self) { try AdministrativeRequest.retentionDays(parsing: [text]) }
    }

    @Test func aFamilyHasOneRetention() throws {
        #expect(
            try AdministrativeRequest.retentionDays(parsing: ["commands=30", "agents=0"])
                == ["commands": 30, "agents": 0])
        #expect(throws: ToolError.self) {
            try AdministrativeRequest.retentionDays(parsing: ["agents=3", "agents=4"])
        }
    }

    @Test func aHeldDirectoryWithoutASocketIsAnErrorThatSaysSo() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        let lock = try DirectoryLock.acquire(directory: door.directory)
        defer { lock.release() }
        #expect(throws: ToolError.self) {
            try door.administer(AdministrativeRequest.listOrganizations(), clock: clock, entropy: entropy)
        }
    }

    @Test func aMissingDirectoryIsAnErrorThatNamesTheCure() {
        let door = StoreDoor(directory: "/nonexistent/daybook")
        let error = #expect(throws: ToolError.self) { try door.openReadOnly() }
        #expect(error?.cure.contains("daybook init") == true)
    }

    @Test func inspectionFindsTheOrganization() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        var kinds: [String] = []
        let store = try door.openReadOnly()
        let inspector = Inspector(disk: try door.disk(), store: store) { kinds.append($0.kind) }
        try inspector.overview()
        try inspector.checkpoint()
        try inspector.journal()
        #expect(kinds.starts(with: ["store", "organization", "checkpoint"]))
        #expect(kinds.contains("journal"))
    }
}
