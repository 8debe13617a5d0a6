@testable import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

struct EventFieldsTests {
    /// Fixed part and strings again, out of what was decoded.
    private func rebuilt(_ event: StoredEvent) throws -> [UInt8] {
        let fields = try event.fields()
        var encoder = EventEncoder(family: event.family)
        encoder.flags = fields.flags
        encoder.status = fields.status
        encoder.id = fields.id
        encoder.timestamp = fields.timestamp
        encoder.durationNanoseconds = fields.durationNanoseconds
        encoder.inputTokens = fields.inputTokens
        encoder.outputTokens = fields.outputTokens
        encoder.value = fields.value ?? .unsigned(0)
        encoder.commandsExecuted = fields.commandsExecuted ?? 0
        encoder.productivityScore = fields.productivityScore ?? .unsigned(0)
        encoder.periodStart = fields.periodStart ?? fields.timestamp
        encoder.periodEnd = fields.periodEnd ?? fields.timestamp
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        for (string, flag) in EventLayout.strings(of: event.family) where fields.flags.isSuperset(of: flag) {
            let range = try #require(fields.range(of: string))
            Array(event.encoding[range]).withRawSpan { span in
                if string == .agentsUsed {
                    EventEncoder.appendAgentsUsed(region: span, to: &bytes)
                } else {
                    EventEncoder.appendString(span, to: &bytes)
                }
            }
        }
        return bytes
    }

    @Test(arguments: [EventGenerator.Style.realistic, .wild])
    func theEncoderRebuildsTheSameBytes(style: EventGenerator.Style) throws {
        var generator = EventGenerator(seed: 11, style: style)
        for _ in 0..<2_000 {
            let generated = generator.next()
            let event = StoredEvent(family: generated.family, encoding: generated.encoding)
            #expect(try rebuilt(event) == event.encoding)
        }
    }

    @Test func everyShorterEncodingIsRefused() throws {
        var generator = EventGenerator(seed: 12, style: .realistic)
        for _ in 0..<40 {
            let generated = generator.next()
            for count in 0..<generated.encoding.count {
                let cut = StoredEvent(family: generated.family, encoding: Array(generated.encoding.prefix(count)))
                #expect(throws: FormatError.self) { _ = try cut.fields() }
            }
        }
    }

    @Test func damagedBytesNeverTrap() {
        var generator = EventGenerator(seed: 13, style: .wild)
        var random = SeededRandom(seed: 14)
        var refused = 0
        for _ in 0..<20_000 {
            var event = StoredEvent(family: generator.next().family, encoding: [])
            event.encoding = generator.next(event.family).encoding
            for _ in 0...random.below(3) where !event.encoding.isEmpty {
                event.encoding[random.below(min(event.encoding.count, 80))] = UInt8(truncatingIfNeeded: random.next())
            }
            do { _ = try event.printed() } catch { refused += 1 }
        }
        #expect(refused > 1_000)
    }

    @Test func agentRangesNameEveryAgent() throws {
        let body = #"{"session_id":"s","agents_used":["a","b.c","d"]}"#
        let event = try #require(try Parsing.accepted(body, .sessionEnd(sessionID: nil)).first)
        let ranges = try event.encoding.withRawSpan { try event.fields().agentRanges($0) }
        #expect(ranges.map { String(decoding: event.encoding[$0], as: UTF8.self) } == ["a", "b.c", "d"])
    }
}
