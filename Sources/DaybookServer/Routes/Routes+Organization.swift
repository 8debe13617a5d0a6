internal import DaybookControl
internal import Hummingbird

/// What an organization is set to: by itself, and by its operator.
extension Routes {
    func addOrganization(to router: Router<RouteContext>) {
        router.put("api/v1/organizations/:id") { request, context in
            try await answer(
                request, context, .manageOrganizations, "org.set", hasBody: true, id: "organization")
        }
        router.delete("api/v1/organizations/:id") { request, context in
            try await answer(request, context, .manageOrganizations, "org.delete", id: "organization")
        }
        router.get("api/v1/organization/config") { request, context in
            try await answer(request, context, .configureOrganization, "org.show_config", query: ["organization"])
        }
        router.put("api/v1/organization/config") { request, context in
            try await answer(
                request, context, .configureOrganization, "org.set_config", query: ["organization"], hasBody: true)
        }
        addLimits(to: router, "api/v1/organization/limits", isWrapped: true)
        addLimits(to: router, "admin/rate-limits", isWrapped: false)
    }

    private func addLimits(to router: Router<RouteContext>, _ path: RouterPath, isWrapped: Bool) {
        router.get(path) { request, context in
            try await answer(
                request, context, .readLimits, "limits.show", query: ["organization"], isWrapped: isWrapped)
        }
        router.put(path) { request, context in
            try await answer(
                request, context, .manageOrganizations, "limits.set", query: ["organization"], hasBody: true,
                isWrapped: isWrapped)
        }
    }
}
