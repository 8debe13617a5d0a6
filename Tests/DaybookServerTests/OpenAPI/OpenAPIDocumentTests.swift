import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookControl
@testable import DaybookServer

/// The document says what the code says.
@Suite struct OpenAPIDocumentTests {
    private static let sources: String = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("Sources").path
    }()

    private func source(_ path: String) throws -> String {
        let bytes = try #require(FileManager.default.contents(atPath: Self.sources + "/" + path), "\(path) is missing")
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Routes

    @Test func theDocumentAndTheTableOfRoutesNameTheSameMethodsOfTheSamePaths() throws {
        var routes: Set<DocumentedOperation> = []
        for route in RouteTable.all {
            for method in route.methods + ["OPTIONS"] {
                routes.insert(DocumentedOperation(method: method, pattern: route.path))
            }
        }
        let documented = Set(try DocumentedInterface().trees.keys)
        #expect(routes.subtracting(documented).map(\.description).sorted() == [], "without a descriptor")
        #expect(documented.subtracting(routes).map(\.description).sorted() == [], "without a route")
    }

    @Test func everyOperationHasANameOfItsOwn() throws {
        let trees = try DocumentedInterface().trees
        let names = trees.values.compactMap { $0["operationId"]?.string }
        #expect(names.count == trees.count)
        #expect(Set(names).count == names.count)
    }

    /// What each permission opens is tested with every role and scope along the same list.
    @Test func permissionsAreThoseThatRolesAreTestedWith() {
        for route in RouteCase.all {
            let descriptor = OperationTable.all.first {
                $0.method == route.method && $0.paths.contains(route.pattern)
            }
            #expect(descriptor?.needs == route.needs, "\(route)")
        }
    }

    /// Fields that a request over HTTP may not have: tokens are made for the key that asks.
    private static let onlyOfTheVerb: [String: Set<String>] = ["token.issue": ["key_id", "organization"]]
    /// Over HTTP a holder asks for the own tokens; who looks over all of them has the command line.
    private static let withoutRoute: Set = ["token.list"]

    @Test func verbsAndTheirRoutesHaveTheSameFields() throws {
        let interface = try DocumentedInterface()
        // Several operations may be one verb.
        var fields: [String: Set<String>] = [:]
        for descriptor in OperationTable.all {
            guard let name = descriptor.verb else { continue }
            let verb = try #require(Administration.verbs[name], "\(name)")
            #expect(verb.isForEverybody || verb.permission.map { [$0] } == descriptor.needs, "\(name)")
            fields[name, default: []].formUnion(
                descriptor.parameters.filter { $0.place != .header }.map(\.name))
            guard let body = descriptor.body else { continue }
            let schema = interface.resolved(try ParsedJSON(parsing: body.schema.printed))
            for member in schema?["properties"]?.members?.keys ?? [:].keys {
                fields[name, default: []].insert(String(decoding: member, as: UTF8.self))
            }
        }
        for (name, fields) in fields {
            let known = try #require(Administration.verbs[name]?.fields)
            #expect(fields == known.subtracting(Self.onlyOfTheVerb[name] ?? []), "\(name)")
        }
        let routed = Set(OperationTable.all.compactMap(\.verb))
        for (name, verb) in Administration.verbs where verb.permission != nil && !Self.withoutRoute.contains(name) {
            #expect(routed.contains(name), "\(name) may be asked for over HTTP, and no descriptor names it")
        }
    }

    // MARK: Against the sources

    /// Every status and code that stands in a source is in the table, and the other way round.
    @Test func everyErrorOfTheSourcesIsInTheTable() throws {
        let names = try #require(FileManager.default.enumerator(atPath: Self.sources + "/DaybookServer"))
        var found: Set<String> = []
        for case let name as String in names where name.hasSuffix(".swift") && !name.hasPrefix("OpenAPI/") {
            let text = try source("DaybookServer/" + name)
            for match in text.matches(of: /\b([45][0-9][0-9]),\s*"([a-z_]+)"/) { found.insert("\(match.1) \(match.2)") }
        }
        // Codes that come through as they are have their status beside them.
        for code in ["not_found", "conflict", "forbidden"] { #expect(found.contains { $0.hasSuffix(code) }) }
        found.formUnion(["400 validation_failed", "400 invalid_query"])
        let rows = Set(ErrorTable.all.map { "\($0.status) \($0.code)" })
        #expect(found.subtracting(rows).sorted() == [], "not in the table")
        #expect(rows.subtracting(found).sorted() == [], "only in the table")
        #expect(rows.count == ErrorTable.all.count)
    }

    /// A parameter that queries read by name is documented on some query.
    @Test func everyParameterThatQueriesReadIsDocumented() throws {
        let text = try source("DaybookQuery/QueryParameters.swift")
        var read: Set<String> = ["group_by"]
        for match in text.matches(of: /(?:single|time|milliseconds)\("([a-z_]+)"\)/) { read.insert(String(match.1)) }
        #expect(read.count > 10)
        let documented = Set(OperationTable.queries.flatMap(\.parameters).map(\.name))
        #expect(read.subtracting(documented).sorted() == [])
    }

    // MARK: Schemas

    /// For those who read exports: no route lists single changes.
    private static let onlyServedAlone: Set = ["StoredSessionChange"]

    @Test func everyReferenceLeadsSomewhereAndEverythingSharedIsUsed() throws {
        let interface = try DocumentedInterface()
        var targets: Set<String> = []
        func collect(_ tree: ParsedJSON) {
            for element in tree.elements ?? [] { collect(element) }
            for (name, value) in tree.members ?? [:] {
                if name == Array("$ref".utf8), let target = value.string {
                    targets.insert(target)
                } else {
                    collect(value)
                }
            }
        }
        collect(interface.document)
        for target in targets {
            #expect(interface.resolved(.object([Array("$ref".utf8): .text(Array(target.utf8))])) != nil, "\(target)")
        }
        for (kind, shared) in interface.document["components"]?.members ?? [:] {
            let kind = String(decoding: kind, as: UTF8.self)
            guard kind != "securitySchemes" else { continue }
            for name in shared.members?.keys ?? [:].keys {
                let name = String(decoding: name, as: UTF8.self)
                guard !Self.onlyServedAlone.contains(name) else { continue }
                let target = "#/components/\(kind)/\(name)"
                #expect(targets.contains(target), "nothing leads to \(target)")
            }
        }
    }

    @Test func everyExampleFitsItsSchema() throws {
        let interface = try DocumentedInterface()
        var count = 0
        func check(_ tree: ParsedJSON, _ place: String) throws {
            if let schema = tree["schema"] {
                for (name, example) in tree["examples"]?.members ?? [:] {
                    let value = try #require(example["value"])
                    #expect(
                        try interface.mistakes(in: value, schema) == [],
                        "\(place) \(String(decoding: name, as: UTF8.self))")
                    count += 1
                }
            }
            for example in tree["examples"]?.elements ?? [] {
                #expect(try interface.mistakes(in: example, tree) == [], "\(place)")
                count += 1
            }
            for element in tree.elements ?? [] { try check(element, place) }
            for (name, value) in tree.members ?? [:] where name != Array("examples".utf8) {
                try check(value, place + "/" + String(decoding: name, as: UTF8.self))
            }
        }
        try check(interface.document, "")
        #expect(count > 40)
    }

    @Test func theLargestBatchIsThatOfTheServer() async throws {
        try await TestServer.with(batchEventCountMax: 3) { server in
            let reply = try await server.request("GET", "/openapi.json")
            let batch = try reply.json()["components"]?["schemas"]?["Batch"]
            #expect(
                batch?["properties"]?["command_executions"]?["maxItems"]?.integer == 3
                    || batch?["properties"]?["command_executions"]?["anyOf"]?[0]?["maxItems"]?.integer == 3)
        }
    }

    // MARK: Over HTTP

    @Test func theDocumentIsServedToEverybodyAndKeptByItsTag() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            let reply = try await connection.request("GET", "/openapi.json", key: nil)
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "application/json")
            #expect(reply.fields["cache-control"] == "public, max-age=300")
            #expect(try reply.json()["openapi"]?.string == "3.1.0")
            let tag = try #require(reply.fields["etag"])
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let again = try await connection.request(
                    "GET", "/openapi.json", key: nil, fields: ["If-None-Match: \(known)"])
                #expect(again.status == 304, "\(known)")
                #expect(again.fields["etag"] == tag)
                #expect(again.body.isEmpty)
            }
            let other = try await connection.request(
                "GET", "/openapi.json", key: nil, fields: ["If-None-Match: \"other\""])
            #expect(other.status == 200)
            let head = try await connection.request("HEAD", "/openapi.json", key: nil)
            #expect(head.status == 200)
            #expect(head.fields["etag"] == tag)
            connection.close()
        }
    }

    @Test func everySchemaIsServedAloneAndLeadsToItsNeighbours() async throws {
        try await TestServer.with { server in
            let names = OpenAPIDocument(version: "1", batchEventCountMax: 1_000).schemas.map(\.name)
            let connection = try await server.connect()
            defer { connection.close() }
            var all: [String: ParsedJSON] = [:]
            for name in names {
                let reply = try await connection.request("GET", "/schemas/\(name).json", key: nil)
                #expect(reply.status == 200)
                all["/schemas/\(name).json"] = try reply.json()
            }
            let validator = SchemaValidator { all[$0] }
            let event = try ParsedJSON(parsing: Array(#"{"command_executions":[\#(Bodies.command)]}"#.utf8))
            let batch = try #require(all["/schemas/Batch.json"])
            #expect(batch["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
            #expect(batch["$id"]?.string == "/schemas/Batch.json")
            #expect(try validator.mistakes(in: event, batch) == [])
            #expect(try validator.mistakes(in: .object([:]), batch) != [])
            try (await connection.request("GET", "/schemas/Nothing.json", key: nil)).expect(404, "not_found")
            try (await connection.request("GET", "/schemas/..%2Fopenapi.json", key: nil)).expect(404, "not_found")
        }
    }

    @Test func aPathWithARouteOfItsOwnIsNoSession() async throws {
        try await TestServer.with { server in
            let started = try await server.request(
                "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"start"}"#)
            #expect(started.status == 201)
            for path in ["/api/v1/metrics/session/start", "/api/v1/metrics/session/end", "/api/metrics/sessions/start"]
            {
                try (await server.request("PUT", path, body: "{}")).expect(405, "method_not_allowed")
            }
            #expect(try await server.request("PUT", "/api/v1/metrics/session/st%61rt", body: "{}").status == 201)
        }
    }
}
