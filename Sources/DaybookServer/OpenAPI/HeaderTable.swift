/// The header fields of answers.
enum HeaderTable {
    enum Name: String, CaseIterable, Sendable {
        case requestID = "X-Request-Id"
        case rateLimit = "RateLimit-Limit"
        case rateRemaining = "RateLimit-Remaining"
        case rateReset = "RateLimit-Reset"
        case retryAfter = "Retry-After"
        case allow = "Allow"
        case authenticate = "WWW-Authenticate"
        case durability = "Daybook-Durability"
        case cacheControl = "Cache-Control"
        case entityTag = "ETag"
    }

    /// Of every answer of every path.
    static let ofEveryAnswer: [Name] = [.requestID, .rateLimit, .rateRemaining, .rateReset]

    /// Of an error, beside those.
    static func ofError(_ status: Int) -> [Name] {
        switch status {
        case 401: [.authenticate]
        case 405: [.allow]
        case 429, 503: [.retryAfter]
        default: []
        }
    }

    static var components: JSONTree { .object(Name.allCases.map { .init($0.rawValue, tree(of: $0)) }) }

    static func references(_ names: [Name]) -> JSONTree {
        .object(names.map { .init($0.rawValue, ["$ref": .text("#/components/headers/\($0.rawValue)")]) })
    }

    private static func tree(of name: Name) -> JSONTree {
        let (meaning, schema, isRequired): (String, JSONTree, Bool) =
            switch name {
            case .requestID:
                ("The caller's own id when it was well-formed, else one of the server's.", Schema.text, true)
            case .rateLimit: ("Requests in any 60 seconds. Only where the caller has a limit.", Schema.count, false)
            case .rateRemaining: ("How many are left.", Schema.count, false)
            case .rateReset: ("Seconds until the whole limit is there again.", Schema.count, false)
            case .retryAfter: ("Seconds.", Schema.count, false)
            case .allow: ("The methods of the path.", Schema.text, true)
            case .authenticate: ("The kind of credential that is wanted.", ["const": "Bearer"], true)
            case .durability:
                ("Whether the events are on stable storage.", Schema.words(["durable", "relaxed"]), true)
            case .cacheControl: ("Whether the answer may be kept.", Schema.text, false)
            case .entityTag: ("For `If-None-Match`.", Schema.text, true)
            }
        return ["description": .text(meaning), "required": .boolean(isRequired), "schema": schema]
    }
}
