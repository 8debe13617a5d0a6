/// The JSON requests that `Administration` understands.
package enum AdministrativeRequest {
    /// - Parameter isOperators: whether its first key is also the operator's.
    package static func createOrganization(_ id: String, isOperators: Bool = false) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "org.create")
        request.field("organization", id)
        if isOperators { request.field("operator", true) }
        return request.finish()
    }

    package static func listOrganizations() -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "org.list")
        return request.finish()
    }

    package static func showOrganization(_ id: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "org.show")
        request.field("organization", id)
        return request.finish()
    }

    /// - Parameter isReplay: else it is an export.
    package static func noteExport(of organization: String, isReplay: Bool) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", isReplay ? "org.replay" : "org.export")
        request.field("organization", organization)
        return request.finish()
    }

    /// Days by family, as a command line has them: `commands=30`, each family once.
    package static func retentionDays(parsing texts: [String]) throws(ToolError) -> [String: Int] {
        var days: [String: Int] = [:]
        for text in texts {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, let count = Int(parts[1]) else {
                throw ToolError("--retention \(text) is not of the form family=days.", cure: "Write commands=30.")
            }
            guard days.updateValue(count, forKey: String(parts[0])) == nil else {
                throw ToolError("--retention names \(parts[0]) twice.", cure: "Name each family once.")
            }
        }
        return days
    }

    /// - Parameter retentionDays: by the names `commands`, `agents`, `sessions` and `productivity`; 0 keeps for ever.
    package static func setOrganization(
        _ id: String, retentionDays: [String: Int], isHeld: Bool?, quotaByteCount: Int?, durability: String? = nil
    ) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "org.set")
        request.field("organization", id)
        if !retentionDays.isEmpty {
            var days = JSONObjectWriter()
            for (name, count) in retentionDays.sorted(by: { $0.key < $1.key }) { days.field(name, count) }
            request.field("retention_days", json: days.finish())
        }
        if let isHeld { request.field("legal_hold", isHeld) }
        if let quotaByteCount { request.field("quota_bytes", quotaByteCount) }
        if let durability { request.field("durability", durability) }
        return request.finish()
    }

    package static func createKey(
        organization: String, name: String?, scopes: [String], user: String?, expiresInSeconds: Int?,
        role: String? = nil, isOperators: Bool = false
    ) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "key.create")
        request.field("organization", organization)
        if let name { request.field("name", name) }
        if let role { request.field("role", role) }
        if isOperators { request.field("operator", true) }
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

    package static func showConfiguration() -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "config.show")
        return request.finish()
    }

    /// - Parameter level: one of swift-log's.
    package static func setLogLevel(_ level: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "log.set_level")
        request.field("level", level)
        return request.finish()
    }

    package static func beginErasure(of user: String, organization: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "erase.begin")
        request.field("organization", organization)
        request.field("user", user)
        return request.finish()
    }

    package static func erasureStatus(_ id: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "erase.status")
        request.field("erasure_id", id)
        return request.finish()
    }

    package static func reapplyErasures(organization: String?) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "erase.reapply")
        if let organization { request.field("organization", organization) }
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
