import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

/// What an organization with a damaged manifest answers on every route, after a kill that left its events in the
/// journal, and that the others notice nothing.
@Suite(.timeLimit(.minutes(15))) struct ClosedOrganizationRouteTests {
    private let globex = OrganizationID("globex")!
    private let writing: [(method: String, target: String, body: String)] = [
        ("POST", "/api/v1/metrics/command-execution", Bodies.command),
        ("POST", "/api/metrics/commands", Bodies.command),
        ("POST", "/api/v1/metrics/agent-interaction", Bodies.agent), ("POST", "/api/metrics/agents", Bodies.agent),
        ("POST", "/api/v1/metrics/productivity", Bodies.productivity),
        ("POST", "/api/metrics/productivity", Bodies.productivity),
        ("POST", "/api/v1/metrics/session/start", "{}"), ("POST", "/api/metrics/sessions/start", "{}"),
        ("PUT", "/api/v1/metrics/session/s", "{}"), ("PUT", "/api/metrics/sessions/s", "{}"),
        ("POST", "/api/v1/metrics/session/end", #"{"session_id":"s"}"#), ("POST", "/api/metrics/sessions/s/end", "{}"),
        ("POST", "/api/v1/metrics/batch", #"{"command_executions":[\#(Bodies.command)]}"#),
        ("POST", "/api/metrics/batch", #"{"command_executions":[\#(Bodies.command)]}"#),
        ("POST", "/api/v1/metrics/import", #"{"type":"command_execution","# + Bodies.command.dropFirst()),
    ]
    private let reading = ["aggregated", "commands", "agents", "sessions", "productivity"].flatMap {
        ["/api/v1/metrics/\($0)", "/api/metrics/\($0)"]
    }

    /// The files of a server that was killed after it had acknowledged events of two organizations, with a manifest of
    /// the first that is none.
    private func killed() async throws -> TemporaryDirectory {
        let copy = try TemporaryDirectory()
        // A checkpoint while the events arrive, on a slow machine, would move some from the journal into a log file.
        var options = TestServer.storeOptions
        options.checkpointIntervalMicroseconds = 24 * 3_600_000_000
        try await TestServer.with(storeOptions: options) { server in
            let other = try server.store.createOrganization(globex)
            let key = try server.key(.all, organization: other.id)
            for _ in 0..<3 {
                for key in [server.key, key] {
                    let reply = try await server.request(
                        "POST", "/api/v1/metrics/command-execution", body: Bodies.command, key: key)
                    #expect(reply.status == 201)
                }
            }
            for name in try FileManager.default.contentsOfDirectory(atPath: server.root) {
                try FileManager.default.copyItem(atPath: "\(server.root)/\(name)", toPath: "\(copy.path)/\(name)")
            }
            let folder = copy.path + "/" + Layout.folder(of: server.organization.log)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("this is no manifest, whatever it was".utf8).write(
                to: URL(fileURLWithPath: folder + "/manifest.dbm"))
        }
        return copy
    }

    private func expectClosed(_ reply: Reply, _ target: String) throws {
        try reply.expect(503, "storage_unavailable")
        #expect(try reply.json()["message"]?.string?.contains("organization is closed") == true, "\(target)")
        #expect(reply.fields["retry-after"] == "30")
    }

    @Test func everyRouteOfItSaysSoAndTheOtherGoesOn() async throws {
        let directory = try await killed()
        try await TestServer.with(directory) { server in
            for (method, target, body) in writing {
                let type = target.hasSuffix("import") ? "application/x-ndjson" : "application/json"
                let reply = try await server.request(method, target, body: body, fields: ["Content-Type: \(type)"])
                try expectClosed(reply, target)
            }
            for target in reading { try expectClosed(try await server.request("GET", target), target) }
            let key = try server.key(.all, organization: globex)
            for (method, target, body) in writing where !target.contains("session") {
                let type = target.hasSuffix("import") ? "application/x-ndjson" : "application/json"
                let reply = try await server.request(
                    method, target, body: body, key: key, fields: ["Content-Type: \(type)"])
                #expect(reply.status == 201 || reply.status == 200, "\(target)")
            }
            for target in reading { #expect(try await server.request("GET", target, key: key).status == 200) }
            let commands = try await server.request("GET", "/api/v1/metrics/commands", key: key)
            #expect(try commands.json()["data"]?["items"]?.count == 8)
        }
    }

    @Test func healthAndMetricsTellOfIt() async throws {
        let directory = try await killed()
        try await TestServer.with(directory) { server in
            try expectClosed(try await server.request("GET", "/api/v1/metrics/commands"), "commands")
            let stranger = try await server.connect()
            let reply = try await stranger.request("GET", "/health", key: nil)
            #expect(reply.status == 200)
            #expect(reply.text == #"{"status":"degraded"}"#)
            stranger.close()
            let known = try await server.request("GET", "/health")
            #expect(try known.json()["checks"]?[0]?["status"]?.string == "degraded")
            #expect(try known.json()["checks"]?[0]?["message"]?.string?.contains("closed organizations") == true)
            let metrics = try await server.request("GET", "/metrics")
            #expect(metrics.text.contains("\ndaybook_closed_organizations 1\n"))
        }
    }

    @Test func afterRebuildingItAnswersWithEverythingThatWasAcknowledged() async throws {
        let directory = try await killed()
        var log = LogID(0)
        // A whole life of the server in between: its checkpoint gives the journal's files back.
        try await TestServer.with(directory) { server in
            log = server.organization.log
            try expectClosed(try await server.request("GET", "/api/v1/metrics/commands"), "commands")
        }
        let report = try OrganizationRebuild.run(disk: try PosixDisk(root: directory.path), log: log)
        #expect(report.restoredEventCount == 3)
        #expect(report.lostEventCount == 0)
        try await TestServer.with(directory) { server in
            let commands = try await server.request("GET", "/api/v1/metrics/commands")
            #expect(try commands.json()["data"]?["items"]?.count == 3)
            let stored = try await server.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command)
            #expect(try stored.json()["data"]?["sequence"]?.unsigned == 4)
            #expect(try await server.request("GET", "/health").json()["status"]?.string == "healthy")
        }
    }
}
