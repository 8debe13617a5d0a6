/// The JSON requests that `Administration` understands.
package enum AdministrativeRequest {
    package static func createOrganization(_ id: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "org.create")
        request.field("organization", id)
        return request.finish()
    }

    package static func listOrganizations() -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "org.list")
        return request.finish()
    }

    package static func createKey(
        organization: String, name: String?, scopes: [String], user: String?, expiresInSeconds: Int?
    ) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "key.create")
        request.field("organization", organization)
        if let name { request.field("name", name) }
        if !scopes.isEmpty { request.field("scopes", strings: scopes) }
        if let user { request.field("user", user) }
        if let expiresInSeconds { request.field("expires_in_seconds", expiresInSeconds) }
        return request.finish()
    }

    package static func listKeys(organization: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "key.list")
        request.field("organization", organization)
        return request.finish()
    }

    package static func revokeKey(_ keyID: String, organization: String?) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "key.revoke")
        request.field("key_id", keyID)
        if let organization { request.field("organization", organization) }
        return request.finish()
    }
}
