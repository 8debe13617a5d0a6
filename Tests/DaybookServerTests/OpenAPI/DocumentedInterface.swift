import DaybookControl
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// One method of one path, as the document has it.
struct DocumentedOperation: Hashable, CustomStringConvertible, Sendable {
    var method: String
    /// With `{}`, as the table of routes has it.
    var pattern: String

    var description: String { "\(method) \(pattern)" }
}

/// The document as a client reads it, and what a client may hold answers against.
final class DocumentedInterface {
    let document: ParsedJSON
    private let validator: SchemaValidator
    private(set) var trees: [DocumentedOperation: ParsedJSON] = [:]

    /// Of a server with the usual limits.
    convenience init(batchEventCountMax: Int = 1_000) throws {
        let document = OpenAPIDocument(version: "1", batchEventCountMax: batchEventCountMax)
        try self.init(parsing: document.tree.printed)
    }

    init(parsing bytes: [UInt8]) throws {
        document = try ParsedJSON(parsing: bytes)
        validator = SchemaValidator(document: document)
        validator.isStrict = true
        for (path, item) in document["paths"]?.members ?? [:] {
            let pattern = Self.pattern(of: String(decoding: path, as: UTF8.self))
            for (method, tree) in item.members ?? [:] {
                let method = String(decoding: method, as: UTF8.self).uppercased()
                trees[DocumentedOperation(method: method, pattern: pattern)] = tree
            }
        }
    }

    static func pattern(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("{") ? "{}" : String($0) }.joined(separator: "/")
    }

    /// A place of the document, references followed.
    func resolved(_ tree: ParsedJSON?) -> ParsedJSON? {
        guard let target = tree?["$ref"]?.string else { return tree }
        var found: ParsedJSON? = document
        for step in target.dropFirst(2).split(separator: "/") { found = found?[String(step)] }
        return resolved(found)
    }

    func schema(_ name: String) -> ParsedJSON { document["components"]?["schemas"]?[name] ?? .null }

    func mistakes(in value: ParsedJSON, _ schema: ParsedJSON) throws -> [String] {
        try validator.mistakes(in: value, schema)
    }

    /// What an answer has, and the codes that it may have, by its status.
    func answer(_ status: Int, to operation: DocumentedOperation) -> ParsedJSON? {
        resolved(trees[operation]?["responses"]?["\(status)"])
    }

    func statuses(of operation: DocumentedOperation) -> Set<Int> {
        Set(
            (trees[operation]?["responses"]?.members ?? [:]).keys.compactMap {
                Int(String(decoding: $0, as: UTF8.self))
            })
    }

    /// The codes of errors with a status.
    func codes(_ status: Int, of operation: DocumentedOperation) -> [String] {
        let media = answer(status, to: operation)?["content"]?["application/json"]
        return (media?["examples"]?.members ?? [:]).keys.map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Answers

    /// Fields of the transport, which no document names.
    private static let ofTransport: Set = ["content-type", "content-length", "connection", "date", "transfer-encoding"]

    /// What the document does not say of this answer; empty when it says all of it.
    /// - Parameter isHead: whether the server knew that no body is wanted.
    func objections(
        to reply: Reply, of operation: DocumentedOperation, isHead: Bool = false
    ) throws -> [String] {
        guard let answer = answer(reply.status, to: operation) else {
            return ["\(operation): the status \(reply.status) is not documented: \(reply.text.prefix(200))"]
        }
        var found = fieldObjections(reply, answer)
        let contents = answer["content"]?.members ?? [:]
        let sent = contents.first { type, _ in
            reply.fields["content-type"]?.hasPrefix(String(decoding: type, as: UTF8.self)) == true
        }
        guard let (type, media) = sent ?? contents.first else {
            if !reply.body.isEmpty { found.append("a body is not documented") }
            return found.map { "\(operation) \(reply.status): \($0)" }
        }
        if isHead {
            if !reply.body.isEmpty { found.append("HEAD has a body") }
        } else if reply.fields["content-type"]?.hasPrefix(String(decoding: type, as: UTF8.self)) != true {
            found.append("the media type is \(reply.fields["content-type"] ?? "missing")")
        } else if let schema = media["schema"] {
            let isJSON = String(decoding: type, as: UTF8.self) == RequestFields.jsonType
            let value = isJSON ? try reply.json() : ParsedJSON.text(reply.body)
            found += try mistakes(in: value, schema)
            guard let line = schema["x-item-schema"] else { return found.map { "\(operation) \(reply.status): \($0)" } }
            for text in reply.body.split(separator: UInt8(ascii: "\n")) {
                found += try mistakes(in: ParsedJSON(parsing: Array(text)), line)
            }
        }
        return found.map { "\(operation) \(reply.status): \($0)" }
    }

    private func fieldObjections(_ reply: Reply, _ answer: ParsedJSON) -> [String] {
        var found: [String] = []
        var names: Set<String> = []
        for (name, header) in answer["headers"]?.members ?? [:] {
            let name = String(decoding: name, as: UTF8.self)
            names.insert(name.lowercased())
            if resolved(header)?["required"] == .bool(true), reply.fields[name.lowercased()] == nil {
                found.append("the field \(name) is missing")
            }
        }
        for name in reply.fields.keys where !names.contains(name) && !Self.ofTransport.contains(name) {
            found.append("the field \(name) is not documented")
        }
        return found
    }
}

extension OperationDescriptor {
    /// Each of its paths with its method, and with HEAD where GET goes.
    var operations: [DocumentedOperation] {
        paths.flatMap { path in
            (method == "GET" ? ["GET", "HEAD"] : [method]).map { DocumentedOperation(method: $0, pattern: path) }
        }
    }
}
