package import DaybookControl
internal import DaybookEvent
package import DaybookFormat

/// One line of the log, before it has a form.
package struct LogLine: Sendable {
    package enum Value: Sendable, Equatable {
        case integer(Int)
        case text(String)
    }

    package var time: Timestamp
    package var level: LogLevel
    package var logger: String
    package var message: String
    package var fields: [(name: String, value: Value)]

    package init(
        time: Timestamp, level: LogLevel, logger: String, message: String,
        fields: [(name: String, value: Value)] = []
    ) {
        self.time = time
        self.level = level
        self.logger = logger
        self.message = message
        self.fields = fields
    }

    /// The line with its line feed. Whatever the texts hold, it stays one line.
    package func bytes(_ format: LogOptions.Format) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        switch format {
        case .text: appendText(to: &bytes)
        case .json: appendJSON(to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// `time level logger: message name=value …`; a value that is not plain stands in quotation marks, as in JSON.
    private func appendText(to bytes: inout [UInt8]) {
        TimestampText.append(time, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: level.rawValue.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: logger.utf8)
        bytes.append(contentsOf: ": ".utf8)
        if message.utf8.contains(where: Self.isControl) {
            JSONText.append(message, to: &bytes)
        } else {
            bytes.append(contentsOf: message.utf8)
        }
        for (name, value) in fields {
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: "="))
            switch value {
            case .integer(let number): bytes.append(contentsOf: String(number).utf8)
            case .text(let text) where Self.isPlain(text): bytes.append(contentsOf: text.utf8)
            case .text(let text): JSONText.append(text, to: &bytes)
            }
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
    }

    private static let ownNames: Set<String> = ["time", "level", "logger", "message"]

    /// One flat object. A field with one of the line's own names gets a low line behind it.
    private func appendJSON(to bytes: inout [UInt8]) {
        var object = JSONObjectText()
        object.field("time", time)
        object.field("level", level.rawValue)
        object.field("logger", logger)
        object.field("message", message)
        for (name, value) in fields {
            let name = Self.ownNames.contains(name) ? name + "_" : name
            switch value {
            case .integer(let number): object.field(name, json: Array(String(number).utf8))
            case .text(let text): object.field(name, text)
            }
        }
        bytes.append(contentsOf: object.finished())
    }
}
