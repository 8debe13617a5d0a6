/// What a load run saw, from the client's side and, where a process id was given, of the server's process.
package struct LoadReport: Sendable, Equatable {
    package var connectionCount = 0
    package var eventsPerRequest = 1
    package var organizationCount = 1
    /// Requests a second that were intended; nil when each connection sent as soon as it was answered.
    package var intendedRate: Double?
    package var elapsedNanoseconds: UInt64 = 0
    /// Answered with 200 or 201.
    package var acknowledgedRequests: UInt64 = 0
    package var acknowledgedEvents: UInt64 = 0
    /// Answers that are no acknowledgement, by HTTP status.
    package var errorsByStatus: [Int: UInt64] = [:]
    package var connectionFailures: UInt64 = 0
    /// Sent and never answered: stored or not, the client cannot know.
    package var unansweredRequests: UInt64 = 0
    package var latency = LatencyHistogram()
    /// The same for each kind of request, where there were several.
    package var latencyOfKind: [LoadKind: LatencyHistogram] = [:]
    package var clientCPUNanoseconds: UInt64 = 0
    package var server: ServerUsage?

    package init() {}

    /// Every answer counts, and an error costs the client as much as an acknowledgement.
    package var answeredRequests: UInt64 { errorsByStatus.values.reduce(acknowledgedRequests, +) }
    package var seconds: Double { Double(elapsedNanoseconds) / 1e9 }
    package var requestsPerSecond: Double { seconds > 0 ? Double(acknowledgedRequests) / seconds : 0 }
    package var eventsPerSecond: Double { seconds > 0 ? Double(acknowledgedEvents) / seconds : 0 }
    package var clientMicrosecondsPerRequest: Double {
        answeredRequests == 0 ? 0 : Double(clientCPUNanoseconds) / 1e3 / Double(answeredRequests)
    }
    package var failed: Bool {
        acknowledgedRequests == 0 || !errorsByStatus.isEmpty || connectionFailures > 0 || unansweredRequests > 0
    }
}

/// What the server's process used while the load ran.
package struct ServerUsage: Sendable, Equatable {
    /// User and system time of all threads until the last answer.
    package var cpuNanoseconds: UInt64 = 0
    /// The highest of the samples taken each second.
    package var anonymousMemoryByteCountMax: UInt64 = 0
    /// The same until the server had nothing left to do, when that was waited for.
    package var settledCPUNanoseconds: UInt64?
    package var settledAfterNanoseconds: UInt64?

    package init() {}
}

extension LoadReport {
    /// One JSON object on one line.
    package func json() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 1_024)
        object.field("connections", connectionCount)
        object.field("events_per_request", eventsPerRequest)
        object.field("organizations", organizationCount)
        object.field("loop", intendedRate == nil ? "closed" : "open")
        if let intendedRate { object.field("intended_requests_per_second", intendedRate) }
        object.field("seconds", seconds)
        object.field("acknowledged_requests", acknowledgedRequests)
        object.field("acknowledged_events", acknowledgedEvents)
        object.field("requests_per_second", requestsPerSecond)
        object.field("events_per_second", eventsPerSecond)
        object.field("latency_ms", json: latencyJSON(latency))
        if !latencyOfKind.isEmpty { object.field("kinds", json: kindsJSON()) }
        object.field("errors_by_status", json: errorsJSON())
        object.field("connection_failures", connectionFailures)
        object.field("unanswered_requests", unansweredRequests)
        object.field("client_cpu_us_per_request", clientMicrosecondsPerRequest)
        object.field("client_cpu_seconds", Double(clientCPUNanoseconds) / 1e9)
        if let server { object.field("server", json: serverJSON(server)) }
        return object.finish()
    }

    private var kinds: [LoadKind] { LoadKind.allCases.filter { latencyOfKind[$0] != nil } }

    private func kindsJSON() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 512)
        for kind in kinds {
            guard let latency = latencyOfKind[kind] else { continue }
            var part = JSONObjectWriter(byteCapacity: 128)
            part.field("answers", latency.count)
            part.field("latency_ms", json: latencyJSON(latency))
            object.field(kind.rawValue, json: part.finish())
        }
        return object.finish()
    }

    private func latencyJSON(_ latency: LatencyHistogram) -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 128)
        object.field("mean", Double(latency.meanNanoseconds) / 1e6)
        for (name, percent) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("p999", 99.9)] {
            object.field(name, Double(latency.percentile(percent)) / 1e6)
        }
        object.field("max", Double(latency.maximumNanoseconds) / 1e6)
        return object.finish()
    }

    private func errorsJSON() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 64)
        for (status, count) in errorsByStatus.sorted(by: { $0.key < $1.key }) { object.field(String(status), count) }
        return object.finish()
    }

    private func serverJSON(_ usage: ServerUsage) -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 256)
        object.field("cpu_seconds", Double(usage.cpuNanoseconds) / 1e9)
        object.field("cpu_seconds_per_million_events", perMillionEvents(usage.cpuNanoseconds))
        object.field("anonymous_memory_mib_max", Double(usage.anonymousMemoryByteCountMax) / Double(1 << 20))
        if let settled = usage.settledCPUNanoseconds, let after = usage.settledAfterNanoseconds {
            object.field("settled_after_seconds", Double(after) / 1e9)
            object.field("settled_cpu_seconds_per_million_events", perMillionEvents(settled))
            object.field("settled_events_per_second", Double(acknowledgedEvents) / max(1e-9, Double(after) / 1e9))
        }
        return object.finish()
    }

    private func perMillionEvents(_ nanoseconds: UInt64) -> Double {
        acknowledgedEvents == 0 ? 0 : Double(nanoseconds) / 1e9 / (Double(acknowledgedEvents) / 1e6)
    }

    /// For people: one line a figure.
    package func table() -> String {
        var rows: [(String, String)] = [
            ("load", loadText),
            ("acknowledged", "\(acknowledgedEvents) events in \(acknowledgedRequests) requests, \(text(seconds, 2)) s"),
            ("rate", "\(text(eventsPerSecond, 0)) events/s, \(text(requestsPerSecond, 0)) requests/s"),
            ("latency", text(latency)),
            ("client", "\(text(clientMicrosecondsPerRequest, 2)) µs of CPU a request"),
        ]
        for kind in kinds {
            guard let latency = latencyOfKind[kind] else { continue }
            rows.append((kind.rawValue, "\(latency.count) answers, \(text(latency))"))
        }
        if !errorsByStatus.isEmpty || connectionFailures > 0 || unansweredRequests > 0 {
            let statuses = errorsByStatus.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }
            let others = ["\(connectionFailures) connections lost", "\(unansweredRequests) requests unanswered"]
            rows.append(("errors", (statuses + others).joined(separator: ", ")))
        }
        if let server {
            rows.append(
                (
                    "server CPU",
                    "\(text(perMillionEvents(server.cpuNanoseconds), 2)) s per million events until acknowledged"
                ))
            if let settled = server.settledCPUNanoseconds, let after = server.settledAfterNanoseconds {
                rows.append(
                    (
                        "settled",
                        "\(text(perMillionEvents(settled), 2)) s per million events, after \(text(Double(after) / 1e9, 2)) s"
                    ))
            }
            let mebibytes = Double(server.anonymousMemoryByteCountMax) / Double(1 << 20)
            rows.append(("server memory", "\(text(mebibytes, 1)) MiB anonymous at most"))
        }
        return rows.map { $0.0 + String(repeating: " ", count: max(1, 16 - $0.0.count)) + $0.1 }.joined(separator: "\n")
    }

    private var loadText: String {
        let pace = intendedRate.map { "open loop at \(text($0, 0)) requests/s" } ?? "closed loop"
        return
            "\(connectionCount) connections, \(eventsPerRequest) events a request, \(organizationCount) organizations, \(pace)"
    }

    private func text(_ latency: LatencyHistogram) -> String {
        [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)]
            .map { "\($0.0) \(text(Double(latency.percentile($0.1)) / 1e6, 3))" }.joined(separator: ", ")
            + ", max \(text(Double(latency.maximumNanoseconds) / 1e6, 3)) ms"
    }

    private func text(_ value: Double, _ decimals: Int) -> String {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        guard decimals > 0 else { return String(scaled) }
        let fraction = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
