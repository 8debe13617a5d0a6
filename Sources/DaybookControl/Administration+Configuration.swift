package import DaybookEvent
internal import DaybookStore

/// What administrative verbs may see and change of the server that runs.
package struct RunningServer: Sendable {
    package let configuration: Configuration
    package let logSwitch: LogSwitch

    package init(configuration: Configuration, logSwitch: LogSwitch) {
        self.configuration = configuration
        self.logSwitch = logSwitch
    }
}

extension Administration {
    private func running() throws(Refusal) -> RunningServer {
        guard let server else {
            throw Refusal(code: "server_not_running", message: "No server runs on this data directory.")
        }
        return server
    }

    func showConfiguration() throws(Refusal) -> [UInt8] {
        let server = try running()
        var configuration = server.configuration
        let level = server.logSwitch.level
        if level != configuration.log.level {
            configuration.log.level = level
            configuration.origins["log.level"] = .verb("config set-log-level")
        }
        var answer = JSONObjectText()
        configuration.describe(to: &answer)
        return answer.finished()
    }

    func setLogLevel(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let server = try running()
        guard let level = request["level"]?.stringValue.flatMap(LogLevel.init) else {
            let words = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(code: "validation_failed", message: "level must be one of \(words).")
        }
        try store.appendControl([.audited(origin.record("log.set_level", level.rawValue, in: nil, at: now))])
        let previous = server.logSwitch.exchange(level)
        var answer = JSONObjectText()
        answer.field("level", level.rawValue)
        answer.field("previous_level", previous.rawValue)
        return answer.finished()
    }
}

extension Configuration {
    /// The field `settings`: every setting with its value and its origin, in the order of `ConfigurationKey.all`.
    package func describe(to answer: inout JSONObjectText) {
        answer.list("settings", ConfigurationKey.all) { key, item in
            let origin = origin(of: key)
            item.field("name", key.name)
            switch key.value(in: self) {
            case .integer(let number): item.field("value", json: Array(String(number).utf8))
            case .boolean(let flag): item.field("value", flag)
            case .text(let text): item.field("value", text)
            }
            item.field("origin", origin.kind)
            if let place = origin.place { item.field("place", place) } else { item.field("place", json: nil) }
        }
    }
}
