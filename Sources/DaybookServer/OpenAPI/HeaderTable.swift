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
        case contentSecurity = "Content-Security-Policy"
        case resourcePolicy = "Cross-Origin-Resource-Policy"
        case referrerPolicy = "Referrer-Policy"
        case contentTypeOptions = "X-Content-Type-Options"
        case frameOptions = "X-Frame-Options"
        case transportSecurity = "Strict-Transport-Security"
        case vary = "Vary"
        case allowedOrigin = "Access-Control-Allow-Origin"
        case exposedFields = "Access-Control-Expose-Headers"
        case allowedMethods = "Access-Control-Allow-Methods"
        case allowedFields = "Access-Control-Allow-Headers"
        case originAge = "Access-Control-Max-Age"
    }

    /// Of every answer of every path.
    static let ofEveryAnswer: [Name] = [
        .requestID, .rateLimit, .rateRemaining, .rateReset, .cacheControl, .contentSecurity, .resourcePolicy,
        .referrerPolicy, .contentTypeOptions, .frameOptions, .transportSecurity, .vary, .allowedOrigin, .exposedFields,
    ]

    /// Of what OPTIONS says, beside those: the last three to browsers that ask what their pages may send.
    static let ofOptions: [Name] = [.allow, .allowedMethods, .allowedFields, .originAge]

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
            case .cacheControl: ("Whether the answer may be kept.", Schema.text, true)
            case .entityTag: ("For `If-None-Match`.", Schema.text, true)
            default: browserField(name)
            }
        return ["description": .text(meaning), "required": .boolean(isRequired), "schema": schema]
    }

    /// What is said to browsers.
    private static func browserField(_ name: Name) -> (String, JSONTree, Bool) {
        switch name {
        case .contentSecurity: ("An answer is no page and loads nothing.", Schema.text, true)
        case .resourcePolicy: ("Pages of other sites do not embed it.", ["const": "same-origin"], true)
        case .referrerPolicy: ("No address is told to others.", ["const": "no-referrer"], true)
        case .contentTypeOptions: ("The type is what it says.", ["const": "nosniff"], true)
        case .frameOptions: ("No frame shows it.", ["const": "DENY"], true)
        case .transportSecurity: ("Over TLS only: come by TLS again.", Schema.text, false)
        case .vary: ("Where origins are allowed.", ["const": "Origin"], false)
        case .allowedOrigin: ("The origin of the page that asks, where it is allowed.", Schema.text, false)
        case .exposedFields: ("Fields that such a page may read.", Schema.text, false)
        case .allowedMethods: ("Methods that such a page may use.", Schema.text, false)
        case .allowedFields: ("Fields that such a page may send.", Schema.text, false)
        case .originAge: ("Seconds for which the browser need not ask again.", Schema.count, false)
        default: preconditionFailure("a field that is no matter of browsers")
        }
    }
}
