import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Acts about users and teams, and what they amount to.
struct MemberActTests {
    private static let acme = OrganizationID("acme")!
    private static let umbrella = OrganizationID("umbrella")!
    private static let now = Timestamp(microseconds: 1_000)
    private static let later = Timestamp(microseconds: 2_000)

    static func json(_ act: MemberAct) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        func object(_ kind: Int, _ time: Timestamp, _ fields: [String: ParsedJSON]) -> ParsedJSON {
            let common = [
                "kind": Build.number(kind), "at": Build.number(time.microseconds),
                "organization": Build.text(act.organization.text),
            ]
            return Build.object(common.merging(fields) { $1 })
        }
        switch act {
        case .userSet(let record, let time):
            return object(
                20, time,
                [
                    "record_id": Build.text(record.recordID), "user": Build.text(record.user),
                    "name": Build.text(record.name), "role": Build.text(record.role), "team": Build.text(record.team),
                    "disabled": .bool(record.isDisabled),
                ])
        case .userDeleted(_, let recordID, let time): return object(21, time, ["record_id": Build.text(recordID)])
        case .teamSet(let record, let time):
            return object(22, time, ["team": Build.text(record.team), "name": Build.text(record.name)])
        case .teamDeleted(_, let team, let time): return object(23, time, ["team": Build.text(team)])
        }
    }

    private static func user(
        _ recordID: String, _ user: String, name: String = "", team: String = "", at time: Timestamp = now
    ) -> ControlEvent {
        .members(
            .userSet(
                UserRecord(recordID: recordID, organization: acme, user: user, name: name, team: team), at: time))
    }

    private static func team(_ team: String) -> ControlEvent {
        .members(.teamSet(TeamRecord(organization: acme, team: team), at: now))
    }

    private static func gone(_ recordID: String) -> ControlEvent {
        .members(.userDeleted(acme, recordID: recordID, at: later))
    }

    private static let acts: [ControlEvent] = [
        .organizationCreated(acme, log: LogID(16), at: now), team("core"), team("edge"),
        user("u1", "ada", name: "Ada", team: "core"), user("u2", "bob", team: "core"),
        user("u3", "eve"), gone("u3"),
    ]

    @Test func actsAmountToUsersAndTeams() throws {
        let state = try ControlState(replaying: Self.acts + [Self.user("u2", "bob", team: "edge", at: Self.later)])
        let members = try #require(state.members[Self.acme])
        #expect(members.users.map(\.record.user) == ["ada", "bob"])
        #expect(members.teams.map(\.record.team) == ["core", "edge"])
        #expect(members.members(of: "core") == ["ada"])
        #expect(members.memberCounts == ["core": 1, "edge": 1])
        #expect(members.user("bob")?.createdAt == Self.now)
        #expect(members.user("bob")?.updatedAt == Self.later)
        #expect(members.user("eve") == nil)
        let index = try #require(members.teamIndex)
        #expect(index.team(of: Array("ada".utf8)) == Array("core".utf8))
        #expect(index.team(of: Array("bob".utf8)) == Array("edge".utf8))
        #expect(index.team(of: Array("eve".utf8)) == nil)
    }

    @Test func aUserWhoWasDeletedMayComeBackUnderAnotherRecord() throws {
        let state = try ControlState(replaying: Self.acts + [Self.user("u4", "eve")])
        #expect(state.members[Self.acme]?.user("eve")?.record.recordID == "u4")
    }

    @Test(arguments: [
        (user("u9", "ada"), ControlContradiction.userExists(recordID: "u1")),
        (user("u2", "ada"), .userExists(recordID: "u1")),
        (user("u3", "eve"), .userUnknown(recordID: "u3")),
        (user("u9", "carol", team: "none"), .teamUnknown("none")),
        (gone("u3"), .userUnknown(recordID: "u3")), (gone("u9"), .userUnknown(recordID: "u9")),
        (.members(.teamDeleted(acme, team: "none", at: now)), .teamUnknown("none")),
        (.members(.teamDeleted(acme, team: "core", at: now)), .teamHasMembers("core")),
        (
            .members(.teamSet(TeamRecord(organization: umbrella, team: "core"), at: now)),
            .organizationUnknown(umbrella)
        ),
    ])
    func aContradictionIsNamedAndChangesNothing(event: ControlEvent, contradiction: ControlContradiction) throws {
        let before = try ControlState(replaying: Self.acts)
        var state = before
        #expect(throws: contradiction) { try state.apply(event) }
        #expect(state == before)
    }

    // MARK: - Forgetting

    /// The acts of an erasure of ada, as they are appended.
    private static func erasure() throws -> [ControlEvent] {
        let secret = ControlEvent.userSecretSet(acme, secret: [UInt8](repeating: 7, count: 32), at: now)
        let state = try ControlState(replaying: acts + [secret])
        let hash = try #require(state.userHash(of: acme))
        let record = ErasureRecord(
            id: 5, organization: acme, userHash: hash(Array("ada".utf8)), through: 1, begunAt: now)
        return [secret, gone("u1"), .erasureBegun(record)]
    }

    @Test func anErasedUserLeavesNoTextInAnyAct() throws {
        let before = Self.acts + [Self.user("u1", "ada", name: "Countess Ada", team: "core")]
        let all = before + (try Self.erasure())
        let state = try ControlState(replaying: all)
        #expect(state.members[Self.acme]?.user("ada") == nil)
        let redacted = state.redacting(all)
        for (act, known) in zip(redacted, all) {
            let bytes = act.encoded()
            #expect(bytes.count == known.encoded().count)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(!text.contains("ada") && !text.contains("Ada"))
        }
        // Bob keeps his name, and the acts still replay, to the same state.
        #expect(redacted.contains(Self.user("u2", "bob", team: "core")))
        #expect(try ControlState(replaying: redacted) == state)
    }

    @Test func actsThatAreRedactedInPartReplayAndAreRedactedFurther() throws {
        let all = Self.acts + [Self.user("u1", "ada", name: "Countess", team: "core")] + (try Self.erasure())
        let state = try ControlState(replaying: all)
        let redacted = state.redacting(all)
        for count in all.indices {
            let mixed = Array(redacted[..<count] + all[count...])
            let replayed = try ControlState(replaying: mixed)
            #expect(replayed.redacting(mixed) == redacted, "\(count)")
        }
    }

    @Test func severalErasedUsersWithNamesOfOneLengthReplay() throws {
        let acts = [
            Self.acts[0], Self.user("u1", "***"), Self.user("u2", "***"), Self.gone("u1"), Self.gone("u2"),
        ]
        let state = try ControlState(replaying: acts)
        #expect(state.members[Self.acme]?.userCount == 0)
    }
}
