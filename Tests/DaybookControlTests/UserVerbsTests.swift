import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// `user.*` and `team.*`, and what they mean for keys.
struct UserVerbsTests {
    private func set(_ fixture: IdentityFixture, _ user: String, _ fields: String = "") throws -> ParsedJSON {
        let more = fields.isEmpty ? "" : "," + fields
        return try fixture.ask(#"{"verb":"user.set","organization":"acme","user_id":"\#(user)"\#(more)}"#)
    }

    private func setTeam(_ fixture: IdentityFixture, _ team: String, _ fields: String = "") throws -> ParsedJSON {
        let more = fields.isEmpty ? "" : "," + fields
        return try fixture.ask(#"{"verb":"team.set","organization":"acme","team_id":"\#(team)"\#(more)}"#)
    }

    @Test func usersAndTeamsOutliveTheProcess() throws {
        let fixture = try IdentityFixture()
        _ = try setTeam(fixture, "core", #""name":"Core""#)
        let made = try set(fixture, "ada", #""name":"Ada L.","role":"manager","team_id":"core""#)
        #expect(made["role"]?.string == "manager")
        #expect(made["disabled"] == .bool(false))
        let again = try fixture.reopened()
        #expect(try again.ask(#"{"verb":"user.show","organization":"acme","user_id":"ada"}"#) == made)
        let team = try again.ask(#"{"verb":"team.show","organization":"acme","team_id":"core"}"#)
        #expect(team["name"]?.string == "Core")
        #expect(team["members"]?.elements?.compactMap(\.string) == ["ada"])
        let teams = try again.ask(#"{"verb":"team.list","organization":"acme"}"#)
        #expect(teams["teams"]?[0]?["member_count"]?.unsigned == 1)
        let users = try again.ask(#"{"verb":"user.list","organization":"acme"}"#)
        #expect(users["users"]?.elements?.compactMap { $0["user_id"]?.string } == ["ada"])
        #expect(again.store.teams(of: LogID(16))?.team(of: Array("ada".utf8)) == Array("core".utf8))
        #expect(again.store.teams(of: LogID(17)) == nil)
    }

    @Test func whatIsNotNamedStaysAndNullTakesAway() throws {
        let fixture = try IdentityFixture()
        _ = try setTeam(fixture, "core")
        let first = try set(fixture, "ada", #""name":"Ada","role":"viewer","team_id":"core","disabled":true"#)
        let same = try set(fixture, "ada", #""name":"Countess""#)
        #expect(same["record_id"] == first["record_id"])
        #expect(same["role"]?.string == "viewer")
        #expect(same["team_id"]?.string == "core")
        #expect(same["disabled"] == .bool(true))
        let less = try set(fixture, "ada", #""role":null,"team_id":null,"disabled":false"#)
        #expect(less["role"] == .null)
        #expect(less["team_id"] == .null)
        #expect(less["name"]?.string == "Countess")
        #expect(fixture.store.teams(of: LogID(16)) == nil)
    }

    @Test func everyWrongFieldIsNamedAndNothingIsChanged() throws {
        let fixture = try IdentityFixture()
        let answer = try set(fixture, "a b", #""name":7,"role":"king","team_id":"none","disabled":"yes""#)
        let message = try #require(answer["message"]?.string)
        for field in ["user_id", "name", "role", "team_id", "disabled"] {
            #expect(message.contains(field), "\(message)")
        }
        let long = String(repeating: "a", count: 256)
        for fields in [#""name":"\#(long)""#, #""role":7"#, #""team_id":[]"#] {
            #expect(try set(fixture, "ada", fields)["code"]?.string == "validation_failed", "\(fields)")
        }
        #expect(try set(fixture, String(repeating: "a", count: 129))["code"]?.string == "validation_failed")
        #expect(try setTeam(fixture, "käse")["code"]?.string == "validation_failed")
        #expect(fixture.store.members(of: IdentityFixture.acme).userCount == 0)
        #expect(try fixture.trail().isEmpty)
    }

    @Test func aTeamWithMembersStays() throws {
        let fixture = try IdentityFixture()
        _ = try setTeam(fixture, "core")
        _ = try set(fixture, "ada", #""team_id":"core""#)
        let delete = #"{"verb":"team.delete","organization":"acme","team_id":"core"}"#
        #expect(try fixture.ask(delete)["code"]?.string == "conflict")
        _ = try set(fixture, "ada", #""team_id":null"#)
        #expect(try fixture.ask(delete)["team_id"]?.string == "core")
        #expect(try fixture.ask(delete)["code"]?.string == "not_found")
    }

    // MARK: - Keys

    @Test func theRoleOfAUserBoundsTheKeysThereAreAndThoseToCome() throws {
        let fixture = try IdentityFixture()
        let admin = try fixture.make(.admin, user: "ada")
        _ = try set(fixture, "ada", #""role":"viewer""#)
        let later = try fixture.make(nil, .all, user: "ada")
        let operators = try fixture.make(.admin, user: "ada", isOperator: true)
        #expect(fixture.credential(admin)?.permissions == Role.viewer.permissions)
        #expect(fixture.credential(later)?.permissions == Role.viewer.permissions)
        #expect(
            fixture.credential(operators)?.permissions
                == Role.viewer.permissions.union(PermissionsTable.ofOperators))
        let again = try fixture.reopened()
        #expect(again.credential(admin)?.permissions == Role.viewer.permissions)
        _ = try set(again, "ada", #""role":null"#)
        #expect(again.credential(admin)?.permissions == Role.admin.permissions)
    }

    @Test func keysOfOthersAndOfNobodyAreNotBound() throws {
        let fixture = try IdentityFixture()
        let other = try fixture.make(.admin, user: "bob")
        let nobodys = try fixture.make(.admin)
        let foreign = try fixture.make(.admin, user: "ada", in: IdentityFixture.globex)
        for user in ["ada", "owner"] { _ = try set(fixture, user, #""role":"viewer","disabled":true"#) }
        for key in [other, nobodys, foreign] {
            #expect(fixture.credential(key)?.permissions == Role.admin.permissions)
        }
    }

    @Test func keysOfADisabledUserOpenNothingUntilItIsEnabled() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.admin, user: "ada")
        let before = fixture.registry.generation
        _ = try set(fixture, "ada", #""disabled":true"#)
        #expect(fixture.credential(key) == nil)
        #expect(fixture.registry.generation != before)
        // Denials of who is known are written, and a key made meanwhile is no way around.
        #expect(fixture.registry.identify(Array(key.key.text.utf8)) != nil)
        #expect(fixture.credential(try fixture.make(.viewer, user: "ada")) == nil)
        #expect(try fixture.reopened().credential(key) == nil)
    }

    @Test func anEnabledUserComesBack() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.admin, user: "ada")
        _ = try set(fixture, "ada", #""disabled":true"#)
        _ = try set(fixture, "ada", #""disabled":false"#)
        #expect(fixture.credential(key) != nil)
    }

    @Test func keysOfADeletedUserAreRevoked() throws {
        let fixture = try IdentityFixture()
        let keys = try [fixture.make(.admin, user: "ada"), fixture.make(nil, .ingest, user: "ada")]
        let other = try fixture.make(.admin, user: "bob")
        let first = try set(fixture, "ada")
        let answer = try fixture.ask(#"{"verb":"user.delete","organization":"acme","user_id":"ada"}"#)
        #expect(
            answer["revoked_key_ids"]?.elements?.compactMap(\.string) == keys.map(\.record.keyID).sorted())
        for key in keys { #expect(fixture.credential(key) == nil) }
        #expect(fixture.credential(other) != nil)
        // Whoever comes back is somebody else.
        #expect(try set(fixture, "ada")["record_id"] != first["record_id"])
        for key in keys { #expect(fixture.credential(key) == nil) }
    }

    @Test func aRoleOfALaterVersionOpensNothing() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.admin, user: "ada")
        let record = UserRecord(recordID: "u1", organization: IdentityFixture.acme, user: "ada", role: "emperor")
        try fixture.registry.set(record)
        #expect(fixture.credential(key) == nil)
    }

    @Test func anErasedUserHasNoRecordAndMayComeBack() throws {
        let fixture = try IdentityFixture()
        _ = try setTeam(fixture, "core")
        _ = try set(fixture, "ada", #""name":"Ada","team_id":"core""#)
        _ = try fixture.ask(#"{"verb":"erase.begin","organization":"acme","user":"ada"}"#)
        #expect(
            try fixture.ask(#"{"verb":"user.show","organization":"acme","user_id":"ada"}"#)["code"]?.string
                == "not_found")
        #expect(fixture.store.teams(of: LogID(16)) == nil)
        #expect(try set(fixture, "ada")["name"]?.string == "")
    }
}
