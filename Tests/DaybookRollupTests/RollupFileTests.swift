import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

struct RollupFileTests {
    static let families: [Family] = [.commandExecution, .agentInteraction, .productivityMetric]

    @Test(arguments: families)
    func `every stored row is what adding up its events gives`(family: Family) throws {
        for (count, days, seed) in [(1, 1, 1), (40, 1, 2), (2_000, 2, 3), (9_000, 20, 4), (70_000, 3, 5)] {
            let events = RollupSamples.events(family, count: count, days: days, seed: UInt64(seed))
            guard let bytes = RollupSamples.build(family, [events]) else {
                #expect(count < 2_000)
                continue
            }
            let file = try RollupFile(bytes)
            #expect(file.damages.isEmpty)
            #expect(file.eventCount == UInt64(count))
            for grain in RollupGrain.allCases {
                for window in RollupWindow.allCases {
                    let expected = RollupSamples.expectedRows(family, events, grain, window)
                    let pays = expected.count * 8 <= count
                    let section = file.section(grain, window)
                    #expect((section != nil) == pays, "\(grain) \(window) of \(count)")
                    guard let section else { continue }
                    #expect(section.rowCount == expected.count)
                    let found = try RollupSamples.rows(of: file, section)
                    #expect(found == expected, "\(grain) \(window) of \(count)")
                }
            }
        }
    }

    @Test(arguments: families)
    func `any order and any batches give the same bytes`(family: Family) throws {
        let events = RollupSamples.events(family, count: 6_000, days: 4, seed: 11)
        let bytes = try #require(RollupSamples.build(family, [events]))
        var random = SeededRandom(seed: 12)
        for _ in 0..<8 {
            var rest = events.shuffled(using: &random)[...]
            var batches: [[RollupEvent]] = []
            while !rest.isEmpty {
                let count = min(rest.count, 1 + random.below(2_500))
                batches.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let loose = events.count + random.below(1_000_000)
            #expect(RollupSamples.build(family, batches, eventCountMax: loose) == bytes)
        }
    }

    @Test func `more events than are sorted at once give the same bytes in any order`() throws {
        let events = RollupSamples.events(.commandExecution, count: 150_000, days: 2, seed: 13)
        let bytes = try #require(RollupSamples.build(.commandExecution, [events]))
        let reversed = RollupSamples.build(
            .commandExecution, [Array(events[70_000...].reversed()), Array(events[..<70_000])],
            eventCountMax: 10_000_000)
        #expect(reversed == bytes)
    }

    @Test func `windows and statuses are chosen, and keys are codes of sorted strings`() throws {
        let events = RollupSamples.events(.commandExecution, count: 20_000, days: 6, seed: 14)
        let file = try RollupSamples.file(.commandExecution, events)
        let section = try #require(file.section(.name, .oneDay))
        let names = (0..<UInt32(file.names.count)).map { Array(file.names.bytes(of: $0)) }
        #expect(names == names.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(file.names.code(of: Array("command-3".utf8)) == 3)
        #expect(file.names.code(of: Array("command-33".utf8)) == nil)
        let all = RollupSamples.expectedRows(.commandExecution, events, .name, .oneDay)
        let range = RollupSamples.start + 2 * RollupSamples.day..<RollupSamples.start + 4 * RollupSamples.day
        for status in EventStatus.allCases {
            var found: [RollupSamples.RowKey: UInt64] = [:]
            try file.forEachBatch(of: section, windowStartsIn: range, status: status, parts: []) { batch in
                #expect(batch.status == status)
                for row in batch.rows {
                    let key =
                        batch.keys[row] == RollupCodes.missing
                        ? nil : String(decoding: file.names.bytes(of: batch.keys[row]), as: UTF8.self)
                    found[
                        .init(
                            grain: .name, window: .oneDay, windowStart: batch.windowStarts[row], status: batch.status,
                            key: key)] = batch.counts[row]
                }
            }
            let expected = all.filter { $0.key.status == status && range.contains($0.key.windowStart) }
            #expect(found.mapValues { $0 } == expected.mapValues(\.statuses.total))
        }
    }

    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func `some windows of a section have the rows that they have among all`(family: Family) throws {
        let file = try RollupSamples.file(family, RollupSamples.events(family, count: 20_000, days: 3, seed: 16))
        var random = SeededRandom(seed: 17)
        for grain in RollupGrain.allCases {
            guard let window = file.finestWindow(grain), let section = file.section(grain, window) else { continue }
            var all: [RollupRow] = []
            try file.forEachRow(of: section) { all.append($0) }
            for _ in 0..<20 {
                let first = RollupSamples.start + Int64(random.below(3 * Int(RollupSamples.day)))
                let range = first..<first + Int64(random.below(8 * Int(window.microseconds)))
                var found: [RollupRow] = []
                try file.forEachRow(of: section, windowStartsIn: range) { found.append($0) }
                #expect(found == all.filter { range.contains($0.windowStart) })
            }
        }
    }

    @Test func `nothing is stored where nothing pays`() {
        #expect(RollupSamples.build(.commandExecution, []) == nil)
        let events = (0..<7).map { RollupEvent(timestamp: Int64($0)) }
        #expect(RollupSamples.build(.commandExecution, [events]) == nil)
        #expect(RollupSamples.build(.commandExecution, [events + [events[0]]]) != nil)
    }

    @Test func `a builder that is used again begins anew`() {
        let events = RollupSamples.events(.commandExecution, count: 3_000, days: 1, seed: 15)
        var builder = RollupBuilder(family: .commandExecution, eventCountMax: 3_000)
        builder.add(RollupSamples.columns(.commandExecution, events))
        let first = builder.finish(RollupSamples.identity())
        #expect(builder.eventCount == 0)
        builder.add(RollupSamples.columns(.commandExecution, events.reversed()))
        #expect(builder.finish(RollupSamples.identity()) == first)
    }
}

extension StatusCounts {
    var total: UInt64 { success + error + timeout + cancelled }
}
