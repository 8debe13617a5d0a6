import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Logging
import Synchronization
import Testing

@testable import DaybookServer

/// A log whose lines a test can read.
final class CapturedLog: Sendable {
    let logSwitch: LogSwitch
    let logger: Logger
    private let sink: LogSink
    private let written: CapturedBytes

    /// What a sink wrote.
    final class CapturedBytes: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        func append(_ more: [UInt8]) { bytes.withLock { $0 += more } }
        var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    }

    init(_ level: LogLevel, format: LogOptions.Format = .json) {
        let written = CapturedBytes()
        let sink = LogSink(droppedLine: { Array("dropped \($0)\n".utf8) }, output: { written.append($0) })
        let logSwitch = LogSwitch(level)
        let clock = ManualClock(wallMicroseconds: 1_767_225_600_000_000)
        logger = Logger(label: "test") { label in
            ServerLogHandler(label: label, format: format, logSwitch: logSwitch, sink: sink, clock: clock)
        }
        self.logSwitch = logSwitch
        self.sink = sink
        self.written = written
    }

    /// Writes what was taken until now, and returns all lines.
    func lines() -> [String] {
        sink.start()
        sink.stop()
        return written.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}

@Suite struct LogLineTests {
    private func line(_ message: String, _ fields: [(name: String, value: LogLine.Value)] = []) -> LogLine {
        LogLine(
            time: Timestamp(microseconds: 1_767_225_600_000_000), level: .warning, logger: "daybook", message: message,
            fields: fields)
    }

    private func text(_ line: LogLine, _ format: LogOptions.Format) -> String {
        String(decoding: line.bytes(format), as: UTF8.self)
    }

    @Test func aTextLineHasTimeLevelLoggerMessageAndFields() {
        let line = line("It broke.", [("count", .integer(3)), ("plain", .text("a/b")), ("spaced", .text("a b"))])
        #expect(
            text(line, .text)
                == "2026-01-01T00:00:00.000000Z warning daybook: It broke. count=3 plain=a/b spaced=\"a b\"\n")
    }

    @Test func aJSONLineIsOneFlatObject() throws {
        let line = line("It \"broke\".", [("count", .integer(3)), ("level", .text("x"))])
        #expect(
            text(line, .json)
                == #"{"time":"2026-01-01T00:00:00.000000Z","level":"warning","logger":"daybook","message":"It \"broke\".","count":3,"level_":"x"}"#
                + "\n")
    }

    @Test(arguments: LogOptions.Format.allCases)
    func whateverTheTextsHoldItStaysOneLine(format: LogOptions.Format) {
        let line = line("a\nb\u{1B}[2J", [("field", .text("c\r\nd")), ("empty", .text("")), ("quote", .text("\"=x"))])
        let text = text(line, format)
        #expect(text.split(separator: "\n").count == 1)
        #expect(text.utf8.dropLast().allSatisfy { $0 >= 0x20 })
    }
}

@Suite struct LogSinkTests {
    @Test func linesComeOutWholeAndInTheirOrder() {
        let written = CapturedLog.CapturedBytes()
        let sink = LogSink(droppedLine: { _ in [] }, output: { written.append($0) })
        sink.start()
        for number in 0..<1_000 { sink.take(Array("\(number)\n".utf8)) }
        sink.stop()
        #expect(written.text == (0..<1_000).map { "\($0)\n" }.joined())
    }

    @Test func whatDoesNotFitIsDroppedAndCounted() {
        let written = CapturedLog.CapturedBytes()
        let sink = LogSink(droppedLine: { Array("dropped \($0)\n".utf8) }, output: { written.append($0) })
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1_023) + [UInt8(ascii: "\n")]
        for _ in 0..<1_030 { sink.take(line) }
        sink.start()
        sink.stop()
        #expect(written.text.hasSuffix("x\ndropped 6\n"))
        #expect(written.text.utf8.count == LogSink.byteCountMax + "dropped 6\n".utf8.count)
    }

    @Test func theLevelOfAllLoggersChangesAtOnce() {
        let log = CapturedLog(.info, format: .text)
        log.logger.debug("one")
        #expect(log.logSwitch.exchange(.debug) == .info)
        log.logger.debug("two", metadata: ["size": .stringConvertible(7)])
        _ = log.logSwitch.exchange(.error)
        log.logger.warning("three")
        #expect(log.lines() == ["2026-01-01T00:00:00.000000Z debug test: two size=7"])
    }
}
