package import DaybookControl
internal import DaybookFormat
package import DaybookSystem
package import Logging

/// Writes what goes through swift-log: one line each, of a level that can be changed while the server runs.
package struct ServerLogHandler: LogHandler {
    private let label: String
    private let format: LogOptions.Format
    private let logSwitch: LogSwitch
    private let sink: LogSink
    private let clock: any Clock

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package init(
        label: String, format: LogOptions.Format, logSwitch: LogSwitch, sink: LogSink, clock: any Clock
    ) {
        self.label = label
        self.format = format
        self.logSwitch = logSwitch
        self.sink = sink
        self.clock = clock
    }

    /// That of all loggers: setting it for one of them changes nothing.
    package var logLevel: Logger.Level {
        get { Logger.Level(logSwitch.level) }
        set { _ = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        if let error = event.error { fields["error"] = "\(error)" }
        let line = LogLine(
            time: Timestamp(microseconds: clock.wallMicroseconds()), level: LogLevel(event.level), logger: label,
            message: event.message.description,
            fields: fields.sorted { $0.key < $1.key }.map { ($0.key, LogLine.Value($0.value)) })
        sink.take(line.bytes(format))
    }
}

extension LogLine.Value {
    /// Integers stay integers; lists and dictionaries become the text that swift-log makes of them.
    init(_ value: Logger.Metadata.Value) {
        if case .stringConvertible(let number as Int) = value {
            self = .integer(number)
        } else {
            self = .text("\(value)")
        }
    }
}

extension Logger.Level {
    package init(_ level: LogLevel) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}

extension LogLevel {
    init(_ level: Logger.Level) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
