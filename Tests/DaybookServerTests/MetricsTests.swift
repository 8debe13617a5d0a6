import DaybookTestSupport
import Foundation
import Testing

/// `/metrics`, and the page that explains it.
@Suite struct MetricsTests {
    private static func samples(_ text: String) -> [String: Double] {
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let value = Double(parts[1]) else { continue }
            samples[String(parts[0])] = value
        }
        return samples
    }

    @Test func everySeriesHasAHelpATypeAndAFiniteValue() async throws {
        try await TestServer.with { server in
            let text = try await server.request("GET", "/metrics").text
            let samples = Self.samples(text)
            #expect(samples.count > 40)
            for (name, value) in samples {
                #expect(text.contains("# HELP \(name) "))
                #expect(text.contains("# TYPE \(name) \(name.hasSuffix("_total") ? "counter" : "gauge")\n"), "\(name)")
                #expect(value.isFinite && value >= 0, "\(name)")
            }
            #expect(text.split(separator: "\n").count == 3 * samples.count)
        }
    }

    @Test func thePageListsWhatThereIs() async throws {
        let page = try String(
            contentsOf: Repository.root.appending(path: "docs/operations/running.md"), encoding: .utf8)
        let listed = page.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("| `daybook_") else { return nil }
            return String(line.dropFirst(3).prefix { $0 != "`" })
        }
        try await TestServer.with { server in
            let found = Self.samples(try await server.request("GET", "/metrics").text).keys
            // Comes when the checkpoint thread has asked the disk for the first time; and those that come with TLS.
            let all = Set(found).union(["daybook_disk_free_bytes"]).union([
                "daybook_tls_certificate_expiry_seconds", "daybook_tls_reload_failed",
                "daybook_tls_handshake_failures_total",
            ])
            #expect(listed.sorted() == all.sorted())
        }
    }

    @Test func whatHappensIsCounted() async throws {
        try await TestServer.with { server in
            let before = Self.samples(try await server.request("GET", "/metrics").text)
            #expect(
                try await server.request("POST", "/api/v1/metrics/command-execution", body: Bodies.command).status
                    == 201)
            let after = Self.samples(try await server.request("GET", "/metrics").text)
            #expect(after["daybook_events_acknowledged_total"] == 1)
            #expect((after["daybook_events_committed_total"] ?? 0) > (before["daybook_events_committed_total"] ?? 0))
            #expect(after["daybook_disk_low"] == 0)
        }
    }
}
