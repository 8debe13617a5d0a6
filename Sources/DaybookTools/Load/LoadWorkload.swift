package import DaybookFormat

/// Requests rendered before the clock starts. They are sent round and round; only the event ids are written afresh when
/// a ledger must tell the events apart.
package struct LoadWorkload: Sendable {
    package struct Body: Sendable {
        package var kind: LoadKind
        /// Index into `paths`, or into `questions` behind it.
        package var path: Int
        package var bytes: [UInt8]
        /// Where the 36 characters of each event's id begin.
        package var idOffsets: [Int]
    }

    package static let paths = [
        "/api/v1/metrics/batch", "/api/v1/metrics/command-execution", "/api/v1/metrics/agent-interaction",
        "/api/v1/metrics/productivity",
    ]

    package let mix: LoadMix
    package let bodies: [Body]
    /// Where the bodies of each kind stand.
    let places: [LoadKind: Range<Int>]
    /// Paths and queries of what is asked.
    let questions: [String]

    /// - Parameters:
    ///   - batch: events in a batch.
    ///   - mix: all single events for batches of 1, else all batches, when it is nil.
    ///   - end: of the events' timestamps, and where questions end; a day after `start` when it is nil.
    /// - Complexity: O(events in the pool): 4,096 single ones, and as many in batches, or 20 batches if that is more.
    package init(batch: Int, mix: LoadMix? = nil, seed: UInt64, start: Timestamp, end: Timestamp? = nil) {
        precondition(batch >= 1)
        let mix = mix ?? (batch == 1 ? .singles : .batches)
        let end = end ?? start.adding(microseconds: 24 * 3_600_000_000)
        let batchCount = mix.kinds.contains(.batch) ? max(20, 4_096 / batch) : 0
        let singleCount = mix.kinds.contains(.single) ? 4_096 : 0
        let eventCount = batchCount * batch + singleCount
        var options = GeneratorOptions(start: start, end: end)
        options.seed = seed
        options.organizationCount = 1
        // Sessions are left out: sent twice they are refused. So some more are made than are used.
        options.eventCount = eventCount + eventCount / 8 + 256
        var source = LoadEventSource(EventGenerator(options))
        questions = mix.kinds.contains(.question) ? mix.question.targets(until: end) : []
        var bodies: [Body] = []
        var places: [LoadKind: Range<Int>] = [:]
        for kind in mix.kinds {
            let first = bodies.count
            switch kind {
            case .single: for _ in 0..<singleCount { bodies.append(Self.single(source.next())) }
            case .batch:
                for _ in 0..<batchCount { bodies.append(Self.batch((0..<batch).map { _ in source.next() })) }
            case .question:
                for number in questions.indices {
                    bodies.append(
                        Body(kind: kind, path: Self.paths.count + number, bytes: [], idOffsets: []))
                }
            }
            places[kind] = first..<bodies.count
        }
        self.mix = mix
        self.bodies = bodies
        self.places = places
    }

    private static func single(_ event: GeneratedEvent) -> Body {
        let path =
            switch event.kind {
            case .commandExecution: 1
            case .agentInteraction: 2
            default: 3
            }
        return Body(kind: .single, path: path, bytes: event.body, idOffsets: idOffsets(in: event.body))
    }

    private static func batch(_ events: [GeneratedEvent]) -> Body {
        var batch = PendingBatch()
        for event in events { batch.append(event) }
        let bytes = batch.body()
        return Body(kind: .batch, path: 0, bytes: bytes, idOffsets: idOffsets(in: bytes))
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
