internal import DaybookControl
internal import DaybookFormat

/// The OpenAPI 3.1 document of the server, made of the tables beside this file.
struct OpenAPIDocument {
    let tree: JSONTree
    /// The schemas by name, for those who want one alone.
    let schemas: [JSONTree.Member]

    /// - Parameter batchEventCountMax: events that this server takes in one batch.
    init(version: String, batchEventCountMax: Int) {
        schemas = SchemaTable(batchEventCountMax: batchEventCountMax).members
        var assembly = Assembly()
        for operation in OperationTable.all {
            for (position, path) in operation.paths.enumerated() {
                assembly.add(operation, at: path, isAlias: position > 0)
            }
        }
        tree = [
            "openapi": "3.1.0", "jsonSchemaDialect": .text(Self.dialect),
            "info": [
                "title": "Daybook", "version": .text(version),
                "summary": "Collects, stores and answers for the metrics of AI-assisted development.",
                "description": .text(Self.description),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "tags": .array(
                OperationDescriptor.Tag.allCases.map {
                    ["name": .text($0.rawValue), "description": .text($0.meaning)]
                }),
            "paths": assembly.paths,
            "components": [
                "schemas": .object(schemas), "parameters": assembly.parameters, "headers": HeaderTable.components,
                "requestBodies": assembly.bodies, "responses": assembly.responses,
                "securitySchemes": [
                    Self.securityScheme: [
                        "type": "http", "scheme": "bearer",
                        "description":
                            "An API key, or an access token: a JWT from `/api/v1/auth/token`, or of an issuer that the server trusts. It says which organization the request is about, and what it may do.",
                    ]
                ],
            ],
        ]
    }

    static let dialect = "https://json-schema.org/draft/2020-12/schema"
    static let securityScheme = "credential"

    private static let description = """
        Every body is JSON in UTF-8, every error has the form of the schema `Error`, and no answer takes longer than 5 \
        seconds but for imports. Paths under `/api/metrics/` are other names of paths under `/api/v1/metrics/`. Bodies have at \
        most \(Limits.bodyByteCountMax >> 20) MiB, packed or not. A member that is null counts as left out. What a schema \
        cannot say is said in its description.
        """

    /// One schema as a document of its own. References lead to its neighbours.
    /// - Parameter schema: one of `schemas`.
    static func standalone(_ schema: JSONTree.Member) -> JSONTree {
        let head: JSONTree = ["$schema": .text(dialect), "$id": .text("/schemas/\(schema.name).json")]
        let prefix = "#/components/schemas/"
        return head.with(
            schema.value.mappingReferences { target in
                target.hasPrefix(prefix) ? "/schemas/\(target.dropFirst(prefix.count)).json" : target
            })
    }
}

/// The document while it is put together: paths, and what they have in common.
private struct Assembly {
    private(set) var paths: JSONTree = [:]
    private(set) var parameters: JSONTree = [:]
    private(set) var bodies: JSONTree = [:]
    private(set) var responses: JSONTree = [:]

    mutating func add(_ operation: OperationDescriptor, at path: String, isAlias: Bool) {
        let name = Self.named(path, operation.parameters.filter { $0.place == .path })
        var item = paths[name] ?? [:]
        item[operation.method.lowercased()] = tree(of: operation, isAlias: isAlias, isHead: false)
        if operation.method == "GET" {
            item["head"] = tree(of: operation, isAlias: isAlias, isHead: true)
        }
        if item["options"] == nil { item["options"] = options(of: operation, isAlias: isAlias) }
        paths[name] = item
    }

    /// The path with the names of what the client chooses.
    private static func named(_ path: String, _ identifiers: [ParameterDescriptor]) -> String {
        var rest = identifiers[...]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            guard part == "{}" else { return String(part) }
            guard let identifier = rest.popFirst() else { preconditionFailure("a path with an id that has no name") }
            return "{\(identifier.name)}"
        }
        return parts.joined(separator: "/")
    }

    private mutating func tree(of operation: OperationDescriptor, isAlias: Bool, isHead: Bool) -> JSONTree {
        let suffix = (isAlias ? "Alias" : "") + (isHead ? "Head" : "")
        var tree: JSONTree = [
            "operationId": .text(operation.id + suffix), "tags": [.text(operation.tag.rawValue)],
            "summary": .text(isHead ? operation.summary + " Without the body." : operation.summary),
            "security": Self.security(of: operation),
        ]
        if !operation.needs.isEmpty, !operation.isForEveryCredential {
            tree["x-permissions"] = JSONTree(operation.needs.map(\.rawValue))
        }
        tree["parameters"] = .array(operation.parameters.map { reference(to: $0) })
        if let body = operation.body {
            bodies[operation.id] = body.tree
            tree["requestBody"] = ["$ref": .text("#/components/requestBodies/\(operation.id)")]
        }
        tree["responses"] = responses(of: operation, isHead: isHead)
        return tree
    }

    /// What OPTIONS says is the same on every path, and known to everybody.
    private mutating func options(of operation: OperationDescriptor, isAlias: Bool) -> JSONTree {
        let method = operation.method.lowercased()
        var answers: JSONTree = [
            "204": [
                "description": "The methods of the path.",
                "headers": HeaderTable.references(HeaderTable.ofEveryAnswer + HeaderTable.ofOptions),
            ]
        ]
        add(ErrorTable.ofEveryPath.filter { $0.status != 405 }, isHead: false, to: &answers)
        return [
            "operationId": .text(
                "\(method)Options\(operation.id.prefix(1).uppercased())\(operation.id.dropFirst())"
                    + (isAlias ? "Alias" : "")),
            "tags": [.text(operation.tag.rawValue)], "summary": "Tells the methods of the path.", "security": [],
            "parameters": .array(
                operation.parameters.filter { $0.place == .path }.map { reference(to: Self.anything($0)) }
                    + OperationTable.marks.map { reference(to: $0) }),
            "responses": answers,
        ]
    }

    /// Which methods a path has is told whatever stands in it.
    private static func anything(_ identifier: ParameterDescriptor) -> ParameterDescriptor {
        ParameterDescriptor(
            .path, identifier.name, ["type": "string", "minLength": 1], identifier.meaning,
            component: "\(identifier.name).any")
    }

    private static func security(of operation: OperationDescriptor) -> JSONTree {
        let credential: JSONTree = [OpenAPIDocument.securityScheme: []]
        if !operation.needs.isEmpty { return [credential] }
        return operation.knowsCredentials ? [[:], credential] : []
    }

    private mutating func reference(to parameter: ParameterDescriptor) -> JSONTree {
        let tree = parameter.tree
        let known = parameters[parameter.component]
        precondition(known == nil || known == tree, "two parameters of one name: \(parameter.component)")
        parameters[parameter.component] = tree
        return ["$ref": .text("#/components/parameters/\(parameter.component)")]
    }

    // MARK: Answers

    private mutating func responses(of operation: OperationDescriptor, isHead: Bool) -> JSONTree {
        // Who asks with HEAD where GET goes is not refused.
        let errors = operation.everyError.filter { !isHead || $0.status != 405 }
        var answers: JSONTree = [:]
        for answer in operation.answers {
            let name = (isHead ? "Head." : "") + "\(operation.id).\(answer.status)"
            let either = errors.filter { $0.status == answer.status }
            responses[name] = merged(Self.tree(of: answer, isHead: isHead), either, isHead: isHead)
            answers["\(answer.status)"] = ["$ref": .text("#/components/responses/\(name)")]
        }
        add(errors.filter { answers["\($0.status)"] == nil }, isHead: isHead, to: &answers)
        return answers
    }

    /// An answer in whose place errors of the same status may come.
    private mutating func merged(_ answer: JSONTree, _ errors: [ErrorTable.Row], isHead: Bool) -> JSONTree {
        guard !errors.isEmpty else { return answer }
        let error = Self.tree(of: errors, isHead: isHead)
        var answer = answer
        let type = RequestFields.jsonType
        if let schema = answer["content"]?[type]?["schema"], let other = error["content"]?[type]?["schema"] {
            answer["content"]?[type]?["schema"] = ["anyOf": [schema, other]]
        }
        answer["headers"] = answer["headers"]?.with(error["headers"] ?? [:])
        return answer
    }

    private static func tree(of answer: AnswerDescriptor, isHead: Bool) -> JSONTree {
        var tree: JSONTree = [
            "description": .text(answer.meaning),
            "headers": HeaderTable.references(HeaderTable.ofEveryAnswer + answer.headers),
        ]
        if let schema = answer.schema, !isHead {
            let contents = [.init(answer.mediaType, schema)] + answer.others
            tree["content"] = .object(contents.map { .init($0.name, ["schema": $0.value]) })
        }
        if !answer.links.isEmpty, !isHead {
            tree["links"] = .object(
                answer.links.map { link in
                    .init(
                        link.operation,
                        [
                            "operationId": .text(link.operation),
                            "parameters": .object([
                                .init(link.parameter, .text("$response.body#\(link.pointer)"))
                            ]),
                        ])
                })
        }
        return tree
    }

    /// One answer for each status.
    private mutating func add(_ rows: [ErrorTable.Row], isHead: Bool, to answers: inout JSONTree) {
        var statuses: [Int] = []
        for row in rows where !statuses.contains(row.status) { statuses.append(row.status) }
        for status in statuses {
            let errors = rows.filter { $0.status == status }
            let name = ([isHead ? "Head.\(status)" : "\(status)"] + errors.map(\.code)).joined(separator: ".")
            responses[name] = Self.tree(of: errors, isHead: isHead)
            answers["\(status)"] = ["$ref": .text("#/components/responses/\(name)")]
        }
    }

    /// - Parameter rows: of one status.
    private static func tree(of rows: [ErrorTable.Row], isHead: Bool) -> JSONTree {
        var tree: JSONTree = [
            "description": .text(rows.map { "`\($0.code)`: \($0.meaning)" }.joined(separator: " ")),
            "headers": HeaderTable.references(HeaderTable.ofEveryAnswer + HeaderTable.ofError(rows[0].status)),
        ]
        guard !isHead else { return tree }
        tree["content"] = [
            RequestFields.jsonType: [
                "schema": [
                    "allOf": [Schema.reference("Error"), ["properties": ["code": Schema.words(rows.map(\.code))]]]
                ],
                "examples": .object(rows.map { .init($0.code, ["value": .json(Self.example($0.sample))]) }),
            ]
        ]
        return tree
    }

    private static func example(_ error: ErrorResponse) -> [UInt8] {
        error.body(requestID: "019b8d6c-3a50-7c1e-9f2a-5b8e0d4c7a61", latencyNanoseconds: 350_000)
    }
}
