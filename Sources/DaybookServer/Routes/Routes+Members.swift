internal import DaybookControl
internal import Hummingbird

/// Users and teams.
extension Routes {
    func addMembers(to router: Router<RouteContext>) {
        router.get("api/v1/users") { request, context in
            try await answer(
                request, context, .readUsers, "user.list", query: ["limit", "cursor", "organization", "team_id"])
        }
        router.get("api/v1/teams") { request, context in
            try await answer(request, context, .readUsers, "team.list", query: ["limit", "cursor", "organization"])
        }
        for (path, verbs, id) in [("users", "user", "user_id"), ("teams", "team", "team_id")] {
            let path = RouterPath("api/v1/\(path)/:id")
            router.get(path) { request, context in
                try await answer(request, context, .readUsers, "\(verbs).show", query: ["organization"], id: id)
            }
            router.put(path) { request, context in
                try await answer(request, context, .manageUsers, "\(verbs).set", hasBody: true, id: id)
            }
            router.delete(path) { request, context in
                try await answer(request, context, .manageUsers, "\(verbs).delete", query: ["organization"], id: id)
            }
        }
    }
}
