internal import DaybookControl
internal import DaybookFormat

/// Users and teams.
extension OperationTable {
    private static let userID = identifier("user_id", Schema.user, "Names the user.")
    private static let teamID = identifier("team_id", Schema.user, "Names the team.")
    private static let team = ParameterDescriptor(
        .query, "team_id", Schema.user, "Only members of this team.", component: "team_id.members")

    static let users: [OperationDescriptor] = [
        administration(
            "GET", "/api/v1/users", "listUsers", "Lists the users of the organization.", tag: .members,
            needs: [.readUsers], verb: "user.list", parameters: [organization, team] + paging,
            answer: Schema.page(of: Schema.reference("ListedUser")), errors: [ErrorTable.notFound]),
        administration(
            "GET", "/api/v1/users/{}", "showUser", "Shows one user.", tag: .members, needs: [.readUsers],
            verb: "user.show", parameters: [userID, organization], answer: Schema.reference("User"),
            errors: [ErrorTable.notFound]),
        administration(
            "PUT", "/api/v1/users/{}", "setUser",
            "Makes a user, or changes what is named: null takes away, what is left out stays.", tag: .members,
            needs: [.manageUsers], verb: "user.set", parameters: [userID],
            body: BodyDescriptor("SetUser", [.init("user", ["name": "Ada", "role": "developer"])]),
            answer: Schema.reference("User"), errors: [ErrorTable.notFound, ErrorTable.conflict]),
        administration(
            "DELETE", "/api/v1/users/{}", "deleteUser", "Deletes a user and revokes the keys made for it.",
            tag: .members, needs: [.manageUsers], verb: "user.delete", parameters: [userID, organization],
            answer: Schema.reference("DeletedUser"), errors: [ErrorTable.notFound, ErrorTable.conflict]),
    ]

    static let teams: [OperationDescriptor] = [
        administration(
            "GET", "/api/v1/teams", "listTeams", "Lists the teams of the organization.", tag: .members,
            needs: [.readUsers], verb: "team.list", parameters: [organization] + paging,
            answer: Schema.page(of: Schema.reference("ListedTeam")), errors: [ErrorTable.notFound]),
        administration(
            "GET", "/api/v1/teams/{}", "showTeam", "Shows one team and its members.", tag: .members,
            needs: [.readUsers], verb: "team.show", parameters: [teamID, organization],
            answer: Schema.reference("Team"), errors: [ErrorTable.notFound]),
        administration(
            "PUT", "/api/v1/teams/{}", "setTeam", "Makes a team, or changes what is named.", tag: .members,
            needs: [.manageUsers], verb: "team.set", parameters: [teamID],
            body: BodyDescriptor("SetTeam", [.init("team", ["name": "Compilers"])]),
            answer: Schema.reference("Team"), errors: [ErrorTable.notFound, ErrorTable.conflict]),
        administration(
            "DELETE", "/api/v1/teams/{}", "deleteTeam", "Deletes a team that has no members.", tag: .members,
            needs: [.manageUsers], verb: "team.delete", parameters: [teamID, organization],
            answer: Schema.reference("DeletedTeam"), errors: [ErrorTable.notFound, ErrorTable.conflict]),
    ]
}
