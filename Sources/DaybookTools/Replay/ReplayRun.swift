internal import DaybookEvent
package import DaybookExport
package import DaybookFormat
package import DaybookQuery
package import DaybookSystem

/// Where replayed events go.
package protocol ReplayTarget {
    /// One NDJSON line with its line feed.
    mutating func write(_ line: [UInt8]) throws
    mutating func finish() throws
}

/// What a replay read and wrote.
package struct ReplaySummary: Sendable, Equatable {
    package var organization: String
    package var eventCount: UInt64 = 0
    package var byteCount: UInt64 = 0
    package var firstSequence: UInt64 = 0
    package var lastSequence: UInt64 = 0
    package var countsByFamily: [Family: UInt64] = [:]

    package init(organization: String) { self.organization = organization }

    package func json() -> [UInt8] {
        var object = JSONObjectWriter()
        object.field("organization", organization)
        object.field("events", eventCount)
        object.field("bytes", byteCount)
        object.field("first_sequence", firstSequence)
        object.field("last_sequence", lastSequence)
        for family in Family.ofOrganizations { object.field(family.typeName, countsByFamily[family] ?? 0) }
        return object.finish()
    }
}

/// Reads a log in sequence order and hands it on, as fast as possible or in the rhythm in which it arrived.
package struct ReplayRun {
    private let organization: OrganizationID
    private let selection: EventSelection
    /// 1 is as it arrived, 10 ten times as fast; nil does not wait.
    private let speed: Double?
    private let clock: any Clock

    package init(_ organization: OrganizationID, _ selection: EventSelection, speed: Double? = nil, clock: any Clock) {
        self.organization = organization
        self.selection = selection
        self.speed = speed
        self.clock = clock
    }

    /// - Parameters:
    ///   - target: nil only counts.
    ///   - progress: called with the number of events so far.
    package func run(
        _ source: any EventSource, target: (any ReplayTarget)?, progress: (UInt64) -> Void = { _ in }
    ) throws -> ReplaySummary {
        var target = target
        var summary = ReplaySummary(organization: organization.text)
        var writer = JSONWriter()
        var line: [UInt8] = []
        var rhythm = speed.map { ReplayRhythm(speed: $0, startNanoseconds: clock.monotonicNanoseconds()) }
        let pause = Wakeup()
        try EventReplay(source, selection).forEachEvent { event, encoding in
            if let wait = rhythm?.waitMicroseconds(arrival: event.arrival, now: clock.monotonicNanoseconds()) {
                // What is due has left before the pause begins.
                try target?.finish()
                pause.wait(microseconds: wait)
            }
            writer.removeAll()
            try EventExport.appendLine(event, encoding, organization, to: &writer)
            line.removeAll(keepingCapacity: true)
            writer.withBytes { line.append($0) }
            try target?.write(line)
            if summary.eventCount == 0 { summary.firstSequence = event.sequence }
            summary.lastSequence = event.sequence
            summary.eventCount += 1
            summary.byteCount += UInt64(line.count)
            summary.countsByFamily[event.family, default: 0] += 1
            progress(summary.eventCount)
            return true
        }
        try target?.finish()
        return summary
    }
}

/// When the next event is due. A value without a clock.
package struct ReplayRhythm: Sendable {
    private let speed: Double
    private let startNanoseconds: UInt64
    private var firstArrival: Timestamp?

    package init(speed: Double, startNanoseconds: UInt64) {
        precondition(speed > 0)
        self.speed = speed
        self.startNanoseconds = startNanoseconds
    }

    /// Nil when the event is due already.
    package mutating func waitMicroseconds(arrival: Timestamp, now: UInt64) -> UInt64? {
        let first = firstArrival ?? arrival
        firstArrival = first
        let offset = Double(arrival.microseconds - first.microseconds) / speed
        let elapsed = Double(now - startNanoseconds) / 1_000
        return offset - elapsed >= 1 ? UInt64(offset - elapsed) : nil
    }
}
