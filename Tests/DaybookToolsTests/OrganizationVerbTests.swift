import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookTools

/// Users, teams, configurations and the end of organizations, on a directory that no server holds.
struct OrganizationVerbTests {
    private let clock = SystemClock()
    private let entropy = SystemEntropy()
    private let directory: TemporaryDirectory
    private let door: StoreDoor

    init() throws {
        directory = try TemporaryDirectory()
        door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
    }

    private func ask(_ request: [UInt8]) throws -> ControlDocument {
        try ControlDocument(parsing: try door.administer(request, clock: clock, entropy: entropy))
    }

    @Test func usersAndTeamsAreSetShownAndDeleted() throws {
        let team = try ask(AdministrativeRequest.setTeam("core", organization: "acme", name: "Core"))
        #expect(team["members"]?.arrayValue?.isEmpty == true)
        let made = try ask(
            AdministrativeRequest.setUser(
                "ada", organization: "acme", name: "Ada", role: "manager", team: "core", isDisabled: nil))
        #expect(made["role"]?.stringValue == "manager")
        let changed = try ask(
            AdministrativeRequest.setUser(
                "ada", organization: "acme", name: nil, role: .some(nil), team: .some(nil), isDisabled: true))
        #expect(changed["name"]?.stringValue == "Ada")
        #expect(changed.isNull("role") && changed.isNull("team_id"))
        #expect(changed["disabled"] == .boolean(true))
        let users = try ask(AdministrativeRequest.listUsers(organization: "acme", team: nil))
        #expect(users["users"]?.arrayValue?.count == 1)
        #expect(try ask(AdministrativeRequest.listUsers(organization: "acme", team: "core"))["users"] == .array([]))
        #expect(try ask(AdministrativeRequest.listTeams(organization: "acme"))["teams"]?.arrayValue?.count == 1)
        _ = try ask(AdministrativeRequest.user("user.delete", "ada", organization: "acme"))
        _ = try ask(AdministrativeRequest.team("team.delete", "core", organization: "acme"))
        let error = try #require(throws: ToolError.self) {
            try ask(AdministrativeRequest.user("user.show", "ada", organization: "acme"))
        }
        #expect(error.message.contains("no such user"))
    }

    @Test func aConfigurationIsReadFromAnyLayoutOfItsDocument() throws {
        let document = """
            {
              "performance": {"batch_size_limit": 50},
              "alerts": {"high_error_rate_threshold": 2.50, "webhook_url": "https://a.b/\\u0063"}
            }

            """
        let request = try AdministrativeRequest.setOrganizationConfiguration("acme", document: Array(document.utf8))
        #expect(!request.contains(UInt8(ascii: "\n")))
        let answer = try ask(request)
        #expect(answer["performance"]?["batch_size_limit"] == .integer(50))
        #expect(answer["alerts"]?["high_error_rate_threshold"] == .decimal("2.5"))
        #expect(answer["alerts"]?["webhook_url"]?.stringValue == "https://a.b/c")
        // What is shown is a document that may be set.
        let shown = try door.administer(
            AdministrativeRequest.showOrganizationConfiguration("acme"), clock: clock, entropy: entropy)
        let again = try ask(try AdministrativeRequest.setOrganizationConfiguration("acme", document: shown))
        #expect(again == answer)
    }

    @Test(arguments: ["", "[]", "{", #"{"organization":"other"}"#, #"{"verb":"org.list"}"#, #"{"a":1,"a":2}"#])
    func whatIsNoDocumentOfTheOrganizationIsRefused(document: String) {
        #expect(throws: ToolError.self) {
            try AdministrativeRequest.setOrganizationConfiguration("acme", document: Array(document.utf8))
        }
    }

    @Test func withoutAServerADeletionIsDoneWhenTheVerbReturns() throws {
        _ = try ask(AdministrativeRequest.createOrganization("second"))
        let log = try #require(try door.openReadOnly().organization(OrganizationID("second")!)).log
        let answer = try door.delete(organization: "second", waits: false, clock: clock, entropy: entropy)
        let fields = try ControlDocument(parsing: answer)
        #expect(fields["removed_at"]?.stringValue != nil)
        #expect(try !door.disk().exists(Layout.folder(of: log)))
        #expect(try door.openReadOnly().organizations().map(\.id.text) == ["acme"])
        #expect(throws: ToolError.self) { try ask(AdministrativeRequest.createOrganization("second")) }
        #expect(throws: ToolError.self) {
            try door.delete(organization: "nobody", waits: false, clock: clock, entropy: entropy)
        }
    }
}
