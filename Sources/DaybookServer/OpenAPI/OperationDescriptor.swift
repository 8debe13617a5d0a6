internal import DaybookControl

/// One method of one path and of its aliases, as the document tells of it. A new route has its line in `RouteTable` and its
/// descriptor in `OperationTable`; HEAD and OPTIONS are told of by themselves.
struct OperationDescriptor: Sendable {
    enum Tag: String, CaseIterable, Sendable {
        case collection = "Collection"
        case queries = "Queries"
        case keys = "Keys"
        case tokens = "Tokens"
        case members = "Users and teams"
        case settings = "Settings"
        case organizations = "Organizations"
        case audit = "Audit"
        case deadLetters = "Dead letters"
        case service = "Service"

        var meaning: String {
            switch self {
            case .collection: "Storing events."
            case .queries: "Asking for events, and for what they add up to."
            case .keys: "Keys of an organization."
            case .tokens: "Access tokens of some minutes, in place of keys."
            case .members: "The people of an organization."
            case .settings: "What an organization is set to: by itself, and by the operator."
            case .organizations: "The organizations of the instance: its operator's business."
            case .audit: "Who did what, and who was not allowed to."
            case .deadLetters: "Background work that has failed too often."
            case .service: "The service itself."
            }
        }
    }

    var method: String
    /// As in `RouteTable`; the first is the one that clients should use.
    var paths: [String]
    /// The operation's name in the document and in clients made of it.
    var id: String
    var summary: String
    var tag: Tag
    /// Any of these will do; none: it is open to everybody; all: to whoever has a credential.
    var needs: [Permission] = []
    /// Open to everybody, and says more to those with a credential.
    var knowsCredentials = false
    /// Of the path, of the query and of the head.
    var parameters: [ParameterDescriptor] = []
    var body: BodyDescriptor?
    var answers: [AnswerDescriptor]
    /// Beside those of every path, and beside what follows from `needs`.
    var errors: [ErrorTable.Row] = []
    /// The administrative verb that does the work.
    var verb: String?

    /// Whether any credential will do.
    var isForEveryCredential: Bool { needs == Permission.allCases }

    /// Every error that it may answer, in the order of the table.
    var everyError: [ErrorTable.Row] {
        let own =
            errors + (needs.isEmpty ? [] : [ErrorTable.unauthorized])
            + (needs.isEmpty || isForEveryCredential ? [] : [ErrorTable.forbidden])
        let names = Set((ErrorTable.ofEveryPath + own).map { "\($0.status) \($0.code)" })
        return ErrorTable.all.filter { names.contains("\($0.status) \($0.code)") }
    }
}

struct ParameterDescriptor: Sendable {
    enum Place: String, Sendable {
        case path, query, header
    }

    var place: Place
    var name: String
    var schema: JSONTree
    var meaning: String
    /// Where it stands among the components; parameters of one name that differ have different ones.
    var component: String
    /// May come several times.
    var isRepeated = false
    /// Without a value it counts as left out.
    var mayBeEmpty = false

    init(
        _ place: Place, _ name: String, _ schema: JSONTree, _ meaning: String, component: String? = nil,
        isRepeated: Bool = false
    ) {
        self.place = place
        self.name = name
        self.schema = schema
        self.meaning = meaning
        self.component = "\(place.rawValue).\(component ?? name)"
        self.isRepeated = isRepeated
    }

    /// Of one value.
    var readSchema: JSONTree {
        // Any text may be empty as it is.
        guard mayBeEmpty, schema != Schema.text else { return schema }
        return ["anyOf": [schema, ["const": ""]]]
    }

    var tree: JSONTree {
        var tree: JSONTree = [
            "name": .text(name), "in": .text(place.rawValue), "description": .text(meaning),
            "required": .boolean(place == .path),
            "schema": isRepeated ? Schema.array(schema) : readSchema,
        ]
        if mayBeEmpty { tree["allowEmptyValue"] = true }
        if isRepeated { tree = tree.with(["style": "form", "explode": true]) }
        return tree
    }
}

struct BodyDescriptor: Sendable {
    var mediaTypes = [RequestFields.jsonType]
    /// Of the body under the first type, and under every other that is not named below.
    var schema: JSONTree
    /// Types under which another schema holds.
    var schemas: [JSONTree.Member] = []
    var isRequired = true
    /// Each is sent by a test, and taken.
    var examples: [JSONTree.Member]

    init(_ schemaName: String, isRequired: Bool = true, _ examples: [JSONTree.Member]) {
        schema = Schema.reference(schemaName)
        self.isRequired = isRequired
        self.examples = examples
    }

    init(
        mediaTypes: [String], _ schema: JSONTree, others schemas: [JSONTree.Member], _ examples: [JSONTree.Member]
    ) {
        self.mediaTypes = mediaTypes
        self.schema = schema
        self.schemas = schemas
        self.examples = examples
    }

    var tree: JSONTree {
        let shown: JSONTree = ["examples": .object(examples.map { .init($0.name, ["value": $0.value]) })]
        let media = mediaTypes.map { type in
            let other = schemas.first { $0.name == type }?.value
            return JSONTree.Member(
                type, other.map { ["schema": $0] } ?? JSONTree.object([.init("schema", schema)]).with(shown))
        }
        return ["required": .boolean(isRequired), "content": .object(media)]
    }
}

struct AnswerDescriptor: Sendable {
    /// A way from an answer to what can be asked next: the other operation, and the members of the answer that its
    /// parameters take.
    struct Link: Sendable {
        var operation: String
        var parameter: String
        /// A JSON pointer into the body.
        var pointer: String
    }

    var status: Int
    var meaning: String
    var mediaType = RequestFields.jsonType
    /// Nil where there is no body.
    var schema: JSONTree?
    /// What clients get that accept another type, by that type.
    var others: [JSONTree.Member] = []
    /// Beside those of every answer.
    var headers: [HeaderTable.Name] = []
    var links: [Link] = []
}
