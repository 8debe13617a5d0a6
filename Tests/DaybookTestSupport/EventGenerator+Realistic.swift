import DaybookFormat

/// What the tools of a team of developers send.
extension EventGenerator {
    private static let commands = [
        "/build", "/test", "/review", "/commit", "/deploy", "/lint", "/explain", "/refactor", "/plan", "/search",
        "git:status", "git:push", "npm:install", "swift:build", "docker:compose", "db:migrate",
    ]
    private static let agents = ["code-reviewer", "test-writer", "planner", "debugger", "architect", "documenter"]
    private static let kinds = ["tool_call", "delegation", "response", "code_generation"]
    private static let metrics = ["completion_rate", "error_rate", "efficiency_score", "code_quality", "collaboration"]
    private static let errors = [
        "Process exited with code 1", "Timed out after 120000 ms waiting for the build to finish",
        "fatal: unable to access repository: could not resolve host", "Test suite failed: 3 of 214 tests failed",
    ]
    private static let projects = ["api-gateway", "billing", "web-frontend", "mobile-app", "data-pipeline", "infra"]
    private static let branches = ["main", "develop", "feature/login", "feature/export", "fix/timeout"]

    mutating func realisticEncoding(_ family: Family) -> [UInt8] {
        switch family {
        case .commandExecution: realisticCommand()
        case .agentInteraction: realisticAgent()
        case .sessionChange: realisticSessionChange()
        case .productivityMetric: realisticMetric()
        case .control: preconditionFailure("control events have no encoding")
        }
    }

    private mutating func realisticCommand() -> [UInt8] {
        let failed = random.oneIn(12)
        var bytes = realisticHead(flags: 0x1B | (failed ? 0x4 : 0), status: failed ? UInt8(1 + random.below(2)) : 0)
        let user = random.below(40)
        bytes.append(text: "developer-\(user)")
        bytes.append(text: Self.commands[min(random.below(16), random.below(16))])
        bytes.append(text: session())
        bytes.append(text: "team-\(user % 6)")
        if failed { bytes.append(text: Self.errors[random.below(4)]) }
        bytes.append(text: "{\"force\":\(random.oneIn(2)),\"target\":\"module-\(random.below(60))\"}")
        bytes.append(text: context(user))
        return bytes
    }

    private mutating func realisticAgent() -> [UInt8] {
        let failed = random.oneIn(20)
        var bytes = realisticHead(flags: 0xB | (failed ? 0x4 : 0), status: failed ? 1 : 0)
        let user = random.below(40)
        bytes.append(varint: UInt64(200 + random.below(8_000)))
        bytes.append(varint: UInt64(20 + random.below(2_000)))
        bytes.append(text: "developer-\(user)")
        bytes.append(text: Self.agents[random.below(6)])
        bytes.append(text: Self.kinds[random.below(4)])
        bytes.append(text: session())
        bytes.append(text: "team-\(user % 6)")
        if failed { bytes.append(text: Self.errors[random.below(4)]) }
        bytes.append(text: context(user))
        return bytes
    }

    private mutating func realisticSessionChange() -> [UInt8] {
        let kind = UInt8(1 + random.below(3))
        let flags: UInt16 = kind == 3 ? 0xDA : 0xA
        var bytes = realisticHead(flags: flags & (kind == 1 ? 0xFF7F : 0xFFFF), status: kind)
        if kind != 3 { bytes.replaceSubrange(28..<36, with: repeatElement(0, count: 8)) }
        let user = random.below(40)
        if kind == 3 { bytes.append(varint: UInt64(random.below(60))) }
        bytes.append(text: "developer-\(user)")
        bytes.append(text: session())
        bytes.append(text: "team-\(user % 6)")
        if kind == 3 {
            bytes.append(varint: 2)
            bytes.append(text: Self.agents[random.below(3)])
            bytes.append(text: Self.agents[3 + random.below(3)])
        }
        bytes.append(text: context(user))
        return bytes
    }

    private mutating func realisticMetric() -> [UInt8] {
        var bytes = realisticHead(flags: 0x7A, status: 0)
        bytes.replaceSubrange(28..<36, with: repeatElement(0, count: 8))
        let user = random.below(40)
        bytes.append(2)
        bytes.append(littleEndian: ((Double(random.below(10_000)) + 0.5) / 100).bitPattern)
        let hour = now - now % 3_600_000_000
        bytes.append(littleEndian: hour)
        bytes.append(littleEndian: hour + 3_600_000_000)
        bytes.append(text: "developer-\(user)")
        bytes.append(text: Self.metrics[random.below(5)])
        bytes.append(text: "percent")
        bytes.append(text: "team-\(user % 6)")
        bytes.append(text: "{\"project\":\"\(Self.projects[user % 6])\"}")
        return bytes
    }

    private mutating func realisticHead(flags: UInt16, status: UInt8) -> [UInt8] {
        let time = now - Int64(random.below(2_000_000))
        let high = UInt64(now / 1_000) << 16 | 0x7000 | random.next() & 0xFFF
        let low = 1 << 63 | random.next() >> 2
        // Mostly short, sometimes a thousand times longer; whole tenths of milliseconds.
        let duration = UInt64(1 + random.below(1 << (4 + random.below(14)))) * 100_000
        return Self.head(flags: flags, status: status, id: (high, low), time: time, duration: duration)
    }

    private mutating func session() -> String {
        if sessions.count < 25 || random.oneIn(200) {
            let name = "ses_" + hexText(random.next())
            if sessions.count < 25 { sessions.append(name) } else { sessions[random.below(25)] = name }
        }
        return sessions[random.below(sessions.count)]
    }

    private mutating func context(_ user: Int) -> String {
        let project = Self.projects[user % 6]
        let branch = Self.branches[random.below(5)]
        return
            "{\"branch\":\"\(branch)\",\"cwd\":\"/home/developer-\(user)/src/\(project)\",\"files\":\(random.below(30)),"
            + "\"model\":\"model-\(random.below(3))\",\"project\":\"\(project)\"}"
    }
}

extension [UInt8] {
    fileprivate mutating func append(text: String) {
        append(varint: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
