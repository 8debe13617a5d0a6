package import DaybookFormat

/// Requests rendered before the clock starts. They are sent round and round; only the event ids are written afresh when
/// a ledger must tell the events apart.
package struct LoadWorkload: Sendable {
    package struct Body: Sendable {
        /// Index into `paths`.
        package var path: Int
        package var bytes: [UInt8]
        /// Where the 36 characters of each event's id begin.
        package var idOffsets: [Int]
    }

    package static let paths = [
        "/api/v1/metrics/batch", "/api/v1/metrics/command-execution", "/api/v1/metrics/agent-interaction",
        "/api/v1/metrics/productivity",
    ]

    package let bodies: [Body]
    package let eventsPerRequest: Int

    /// - Parameters:
    ///   - batch: events in a request; 1 means the routes for single events.
    ///   - end: of the events' timestamps; a day after `start` when it is nil.
    /// - Complexity: O(events in the pool): 4,096 or 20 batches, whichever is more.
    package init(batch: Int, seed: UInt64, start: Timestamp, end: Timestamp? = nil) {
        precondition(batch >= 1)
        eventsPerRequest = batch
        let bodyCount = batch == 1 ? 4_096 : max(20, 4_096 / batch)
        var options = GeneratorOptions(start: start, end: end)
        options.seed = seed
        options.organizationCount = 1
        // Sessions are left out: sent twice they are refused. So some more are made than are used.
        options.eventCount = bodyCount * batch + bodyCount * batch / 8 + 256
        var source = LoadEventSource(EventGenerator(options))
        bodies = (0..<bodyCount).map { _ in
            batch == 1 ? Self.single(source.next()) : Self.batch((0..<batch).map { _ in source.next() })
        }
    }

    private static func single(_ event: GeneratedEvent) -> Body {
        let path =
            switch event.kind {
            case .commandExecution: 1
            case .agentInteraction: 2
            default: 3
            }
        return Body(path: path, bytes: event.body, idOffsets: idOffsets(in: event.body))
    }

    private static func batch(_ events: [GeneratedEvent]) -> Body {
        var batch = PendingBatch()
        for event in events { batch.append(event) }
        let bytes = batch.body()
        return Body(path: 0, bytes: bytes, idOffsets: idOffsets(in: bytes))
    }

    /// Generated bodies begin with their id.
    private static func idOffsets(in bytes: [UInt8]) -> [Int] {
        let mark = Array("{\"id\":\"".utf8)
        var offsets: [Int] = []
        var position = 0
        while position + mark.count + 36 <= bytes.count {
            if bytes[position] == mark[0], bytes[position..<position + mark.count].elementsEqual(mark) {
                offsets.append(position + mark.count)
                position += mark.count + 36
            } else {
                position += 1
            }
        }
        return offsets
    }
}

/// Events of the kinds that may be sent any number of times.
private struct LoadEventSource {
    private var generator: EventGenerator

    init(_ generator: EventGenerator) { self.generator = generator }

    mutating func next() -> GeneratedEvent {
        while true {
            guard let event = generator.next() else {
                preconditionFailure("the pool asks for more events than the generator was told to make")
            }
            switch event.kind {
            case .commandExecution, .agentInteraction, .productivityMetric: return event
            case .sessionStart, .sessionUpdate, .sessionEnd, .userSession: continue
            }
        }
    }
}

/// Ids that no other run has: the run's number, the template's middle, and a counter.
package struct LoadIdentity: Sendable {
    private let run: UInt32
    private var counter: UInt64 = 0

    package init(run: UInt32) { self.run = run }

    /// Writes fresh ids over those at `offsets` (relative to `base`).
    package mutating func stamp(_ bytes: inout [UInt8], at offsets: [Int], base: Int) {
        for offset in offsets {
            Self.writeHex(UInt64(run), digits: 8, into: &bytes, at: base + offset)
            Self.writeHex(counter, digits: 12, into: &bytes, at: base + offset + 24)
            counter += 1
        }
    }

    private static func writeHex(_ value: UInt64, digits: Int, into bytes: inout [UInt8], at offset: Int) {
        for position in 0..<digits {
            bytes[offset + position] = hexDigit(
                UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - position))) & 15)
        }
    }
}
