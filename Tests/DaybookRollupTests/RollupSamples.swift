import DaybookEvent
import DaybookFormat
import DaybookTestSupport

@testable import DaybookRollup

/// One event as rollups see it.
struct RollupEvent: Equatable {
    var timestamp: Int64
    var status = EventStatus.success
    var duration: UInt64? = 0
    var inputTokens: UInt64 = 0
    var outputTokens: UInt64 = 0
    var value = EventNumber.unsigned(0)
    var name: String? = ""
    var user: String? = ""
}

enum RollupSamples {
    static let start: Int64 = 1_767_225_600_000_000
    static let day: Int64 = 86_400_000_000

    static func identity(_ family: Family = .commandExecution) -> RollupIdentity {
        RollupIdentity(
            log: LogID(16), family: family, firstSequence: 1, lastSequence: 1_000_000, segmentChecksum: 0xC0FF_EE00)
    }

    /// Events of a few people over some days: many at the same hour, extreme ones among them.
    static func events(_ family: Family, count: Int, days: Int, seed: UInt64) -> [RollupEvent] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            var event = RollupEvent(timestamp: start + Int64(random.next() % UInt64(days)) * day)
            event.timestamp += Int64(random.next() % UInt64(day / 3))
            if random.oneIn(200) { event.timestamp -= 40 * 365 * day * Int64(1 + random.below(30)) }
            event.status = EventStatus(rawValue: UInt8(max(0, random.below(12) - 8))) ?? .success
            event.duration = duration(&random, family)
            event.inputTokens = random.oneIn(50) ? random.next() : random.next() >> 50
            event.outputTokens = random.next() >> 52
            event.value = value(&random)
            event.name = random.oneIn(20) ? nil : "command-\(min(random.below(9), random.below(9)))"
            event.user = random.oneIn(20) ? nil : "user-\(random.below(12))"
            return event
        }
    }

    private static func duration(_ random: inout SeededRandom, _ family: Family) -> UInt64? {
        switch random.below(20) {
        case 0: random.next()
        case 1: 0
        case 2: random.next() >> 56
        case 3: nil
        default: (1 << UInt64(22 + random.below(10)) + random.next() % (1 << 22)) / 1_000 * 1_000
        }
    }

    private static func value(_ random: inout SeededRandom) -> EventNumber {
        switch random.below(12) {
        case 0: .unsigned(0)
        case 1: EventNumber(Int64(bitPattern: random.next()))
        case 2: EventNumber(Double(bitPattern: random.next())) ?? .unsigned(1)
        case 3: .unsigned(random.next())
        default: EventNumber(Double(random.below(10_000)) / 100) ?? .unsigned(0)
        }
    }

    /// Columns with dictionaries of their own.
    static func columns(_ family: Family, _ events: [RollupEvent]) -> RollupColumns {
        var columns = RollupColumns()
        columns.timestamps = events.map(\.timestamp)
        columns.names = codes(events.map(\.name))
        columns.users = codes(events.map(\.user))
        if family == .productivityMetric {
            columns.values = events.map(\.value)
            return columns
        }
        columns.statuses = events.map(\.status.rawValue)
        columns.durations = events.map { $0.duration ?? 0 }
        if events.contains(where: { $0.duration == nil }) {
            columns.durationPresence = events.map { $0.duration != nil }
        }
        if family == .agentInteraction {
            columns.inputTokens = events.map(\.inputTokens)
            columns.outputTokens = events.map(\.outputTokens)
        }
        return columns
    }

    private static func codes(_ strings: [String?]) -> RollupCodes {
        var known: [String: UInt32] = [:]
        var bytes: [UInt8] = []
        var offsets: [UInt32] = [0]
        let codes = strings.map { string in
            guard let string else { return RollupCodes.missing }
            if let code = known[string] { return code }
            let code = UInt32(known.count)
            known[string] = code
            bytes += Array(string.utf8)
            offsets.append(UInt32(bytes.count))
            return code
        }
        return RollupCodes(bytes: bytes, offsets: offsets, codes: codes)
    }

    static func build(
        _ family: Family, _ batches: [[RollupEvent]], eventCountMax: Int? = nil, identity: RollupIdentity? = nil,
        policy: RollupPolicy.Storage = .besideSegments
    ) -> [UInt8]? {
        let count = batches.reduce(0) { $0 + $1.count }
        var builder = RollupBuilder(family: family, eventCountMax: eventCountMax ?? count, policy: policy)
        for batch in batches { builder.add(columns(family, batch)) }
        return builder.finish(identity ?? self.identity(family))
    }

    static func file(_ family: Family, _ events: [RollupEvent]) throws -> RollupFile {
        guard let bytes = build(family, [events]) else { throw FormatError.invalid("nothing was stored") }
        return try RollupFile(bytes)
    }

    struct RowKey: Hashable {
        var grain: RollupGrain
        var window: RollupWindow
        var windowStart: Int64
        var status: EventStatus?
        var key: String?
    }

    /// What the rows of a grain and window have to be, added up one event after the other.
    static func expectedRows(
        _ family: Family, _ events: [RollupEvent], _ grain: RollupGrain, _ window: RollupWindow
    ) -> [RowKey: AggregateRow] {
        var rows: [RowKey: AggregateRow] = [:]
        for event in events {
            let length = window.microseconds
            let key = RowKey(
                grain: grain, window: window, windowStart: event.timestamp.flooredQuotient(by: length) * length,
                status: family == .productivityMetric ? nil : event.status,
                key: grain == .status ? nil : grain == .name ? event.name : event.user)
            var row = rows[key] ?? AggregateRow()
            if family == .productivityMetric {
                row.values.add(event.value)
            } else {
                row.statuses.add(event.status)
                if let duration = event.duration { row.durations.add(duration) }
                if family == .agentInteraction {
                    row.inputTokens += UInt128(event.inputTokens)
                    row.outputTokens += UInt128(event.outputTokens)
                }
            }
            rows[key] = row
        }
        return rows
    }

    static func rows(of file: RollupFile, _ section: RollupSection) throws -> [RowKey: AggregateRow] {
        var rows: [RowKey: AggregateRow] = [:]
        let dictionary = file.dictionary(of: section.grain)
        try file.forEachRow(of: section) { row in
            let key = RowKey(
                grain: section.grain, window: section.window, windowStart: row.windowStart, status: row.status,
                key: row.key == RollupCodes.missing
                    ? nil : String(decoding: dictionary.bytes(of: row.key), as: UTF8.self))
            guard rows.updateValue(row.aggregate, forKey: key) == nil else {
                throw FormatError.invalid("the same row twice")
            }
        }
        return rows
    }
}
