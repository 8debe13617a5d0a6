internal import DaybookEvent
internal import DaybookFormat

/// Pieces of JSON Schema (2020-12), and the names under which whole schemas stand in the document.
enum Schema {
    static func reference(_ name: String) -> JSONTree { ["$ref": .text("#/components/schemas/\(name)")] }

    /// An object whose members are described; further ones may come with later versions.
    static func object(
        _ properties: [JSONTree.Member], required: [String]? = nil, _ more: JSONTree = [:]
    ) -> JSONTree {
        let schema: JSONTree = [
            "type": "object", "required": JSONTree(required ?? properties.map(\.name)),
            "properties": .object(properties),
        ]
        return schema.with(more)
    }

    /// An object that holds nothing but these members: what the server takes. Null stands for a member that is left out.
    static func request(_ properties: [JSONTree.Member], required: [String] = []) -> JSONTree {
        let members = properties.map { member in
            required.contains(member.name) ? member : JSONTree.Member(member.name, nullable(member.value))
        }
        return object(members, required: required, ["additionalProperties": false])
    }

    static func nullable(_ schema: JSONTree) -> JSONTree {
        if case .text(let type) = schema["type"], schema["enum"] == nil, schema["const"] == nil {
            var schema = schema
            schema["type"] = JSONTree([type, "null"])
            return schema
        }
        // What describes a member stays beside it.
        var inner = schema
        inner["description"] = nil
        let choice: JSONTree = ["anyOf": [inner, ["type": "null"]]]
        guard let description = schema["description"] else { return choice }
        return choice.with(["description": description])
    }

    static func words(_ words: [String]) -> JSONTree { ["type": "string", "enum": JSONTree(words)] }

    static func array(_ items: JSONTree) -> JSONTree { ["type": "array", "items": items] }

    static func integer(_ minimum: some BinaryInteger, _ maximum: some BinaryInteger) -> JSONTree {
        ["type": "integer", "minimum": JSONTree(minimum), "maximum": JSONTree(maximum)]
    }

    /// 0 to 2^64-1.
    static let count = integer(UInt64.min, UInt64.max)
    static let amount: JSONTree = ["type": "number", "minimum": 0]
    static let text: JSONTree = ["type": "string"]
    static let flag: JSONTree = ["type": "boolean"]
    static let uuid: JSONTree = ["type": "string", "format": "uuid"]
    static let time = reference("Time")
    static let user = pattern(of: "user_id", in: .commandExecution)
    static let name = pattern(of: "command_name", in: .commandExecution)
    static let session = pattern(of: "session_id", in: .sessionEnd)
    static let organization: JSONTree = ["type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"]

    /// Text of the same pattern as a member of a body.
    private static func pattern(of name: String, in shape: BodyShape) -> JSONTree {
        guard case .pattern(let expression, _)? = shape.members.first(where: { $0.name == name })?.value else {
            preconditionFailure("a member without a pattern")
        }
        return ["type": "string", "pattern": .text(expression)]
    }

    /// Text is measured in bytes of UTF-8, which no keyword says: a text of so many characters has at least as many bytes.
    static func text(byteCountMax: Int) -> JSONTree {
        ["type": "string", "maxLength": JSONTree(byteCountMax)]
    }

    /// Every successful answer.
    static func answer(_ data: JSONTree) -> JSONTree {
        object([
            .init("success", ["const": true]), .init("data", data), .init("rate_limit", reference("RateLimit")),
            .init("performance", reference("Performance")),
        ])
    }

    /// The data of an answer that is one page of a list.
    static func page(of items: JSONTree, _ more: [JSONTree.Member] = []) -> JSONTree {
        object([.init("items", array(items)), .init("pagination", reference("Pagination"))] + more)
    }
}

/// The schemas of the document by name.
struct SchemaTable {
    private(set) var members: [JSONTree.Member] = []

    /// All of them.
    /// - Parameter batchEventCountMax: events that this server takes in one batch.
    init(batchEventCountMax: Int) {
        addCommon()
        addBodies(batchEventCountMax: batchEventCountMax)
        addStoredEvents()
        addReceipts()
        addQueries()
        addAdministration()
        addMembers()
        addSettings()
        addService()
    }

    mutating func add(_ name: String, _ schema: JSONTree) {
        precondition(!members.contains { $0.name == name }, "two schemas of one name")
        members.append(JSONTree.Member(name, schema))
    }
}
