/// Requests about keys' lives and the audit trail.
extension AdministrativeRequest {
    /// - Parameter graceSeconds: how long the old key goes on opening; nil is a day.
    package static func rotateKey(
        _ keyID: String, organization: String?, graceSeconds: Int?, expiresInSeconds: Int?
    ) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "key.rotate")
        request.field("key_id", keyID)
        if let organization { request.field("organization", organization) }
        if let graceSeconds { request.field("grace_seconds", graceSeconds) }
        if let expiresInSeconds { request.field("expires_in_seconds", expiresInSeconds) }
        return request.finish()
    }

    /// - Parameters:
    ///   - organization: nil for the trail of the whole store.
    ///   - before: only entries with a smaller number.
    package static func listAudit(organization: String?, limit: Int, before: UInt64?) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "audit.list")
        if let organization { request.field("organization", organization) }
        request.field("limit", limit)
        if let before { request.field("cursor", String(before)) }
        return request.finish()
    }
}
