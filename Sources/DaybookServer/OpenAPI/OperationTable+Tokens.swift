internal import DaybookControl
internal import DaybookFormat

/// Access tokens and the keys that verify them.
extension OperationTable {
    static let tokens: [OperationDescriptor] = [
        administration(
            "POST", "/api/v1/auth/token", "issueToken",
            "Gives an access token, and a refresh token, for the API key that asks.", tag: .tokens,
            needs: Permission.allCases, verb: "token.issue",
            body: BodyDescriptor("IssueToken", isRequired: false, [.init("short", ["expires_in_seconds": 300])]),
            answer: Schema.reference("IssuedTokens"), errors: [ErrorTable.forbidden]),
        OperationDescriptor(
            method: "POST", paths: ["/api/v1/auth/refresh"], id: "refreshToken",
            summary: "Gives the next access token and the next refresh token; the refresh token is the credential.",
            tag: .tokens, parameters: marks,
            body: BodyDescriptor(
                "RefreshToken", [.init("refresh", ["refresh_token": "the one that came with the access token"])]),
            answers: [
                AnswerDescriptor(
                    status: 200, meaning: "Done.", schema: Schema.answer(Schema.reference("IssuedTokens")))
            ],
            errors: [
                ErrorTable.invalidJSON, ErrorTable.validationFailed, ErrorTable.unauthorized,
                ErrorTable.unsupportedMediaType, ErrorTable.storageUnavailable, ErrorTable.durabilityUnknown,
            ], verb: "token.refresh"),
        administration(
            "POST", "/api/v1/auth/revoke", "revokeToken",
            "Ends a token, or all that come of one refresh token, at once; without a name the token that asks.",
            tag: .tokens, needs: Permission.allCases, verb: "token.revoke",
            body: BodyDescriptor(
                "RevokeToken", isRequired: false,
                [.init("grant", ["token_id": "tok_0000000000000000_key_0000000000000000"])]),
            answer: Schema.reference("RevokedToken"), errors: [ErrorTable.notFound, ErrorTable.conflict]),
        OperationDescriptor(
            method: "GET", paths: ["/.well-known/jwks.json"], id: "keySet",
            summary: "The public keys that verify access tokens, as a JWK set.", tag: .tokens, parameters: marks,
            answers: [AnswerDescriptor(status: 200, meaning: "The set.", schema: Schema.reference("KeySet"))],
            errors: [ErrorTable.storageUnavailable]),
    ]
}
