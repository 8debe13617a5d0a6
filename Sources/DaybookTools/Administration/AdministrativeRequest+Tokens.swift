/// Requests about access tokens, refresh tokens and the keys that sign them.
extension AdministrativeRequest {
    /// - Parameters:
    ///   - keyID: of the API key that the tokens are made for.
    ///   - expiresInSeconds: nil is what is configured.
    package static func issueToken(
        keyID: String, organization: String?, expiresInSeconds: Int?, hasRefresh: Bool
    ) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "token.issue")
        request.field("key_id", keyID)
        if let organization { request.field("organization", organization) }
        if let expiresInSeconds { request.field("expires_in_seconds", expiresInSeconds) }
        request.field("refresh", hasRefresh)
        return request.finish()
    }

    package static func listTokens(organization: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "token.list")
        request.field("organization", organization)
        return request.finish()
    }

    package static func revokeToken(_ id: String, organization: String?) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "token.revoke")
        request.field("token_id", id)
        if let organization { request.field("organization", organization) }
        return request.finish()
    }

    /// - Parameter atOnce: whether every token that was made before ends now.
    package static func rotateSigningKey(atOnce: Bool) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "token.rotate_key")
        request.field("at_once", atOnce)
        return request.finish()
    }
}
