/// How access tokens are made and judged.
package struct TokenOptions: Sendable, Equatable {
    /// What this store calls itself in its tokens.
    package var issuer = "daybook"
    /// Whom its tokens are for.
    package var audience = "daybook"
    /// Of signing keys that are made from now on.
    package var algorithm = SigningAlgorithm.rs256
    package var accessSeconds: Int64 = 900
    /// A grant ends so long after it began, however often it is used.
    package var refreshSeconds: Int64 = 604_800
    /// A file with other issuers whose tokens are accepted; empty: there are none.
    package var issuersFile = ""

    package init() {}
}
