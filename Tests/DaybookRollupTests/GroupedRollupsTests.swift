import DaybookEvent
import DaybookTestSupport
import Testing

@testable import DaybookRollup

/// Sums of rollups, of raw rows, and of parts of a question that were added up apart.
@Suite struct GroupedRollupsTests {
    private static let percentiles = ([1, 2, 25, 50, 51, 75, 95, 99, 100] as [UInt64]).map {
        Percentile(wholePercent: $0)
    }

    /// Events with a duration, some below a microsecond; in a wide story with more buckets than a histogram keeps.
    private func events(_ seed: UInt64, isWide: Bool) -> [RollupEvent] {
        var events = RollupSamples.events(.commandExecution, count: 6_000, days: 3, seed: seed)
        events.removeAll { $0.timestamp < RollupSamples.start || $0.duration == nil }
        if !isWide {
            for index in events.indices { events[index].duration = (events[index].duration ?? 0) % 100_000_000_000 }
        }
        return events
    }

    private func slot(_ timestamp: Int64) -> Int32 { Int32((timestamp - RollupSamples.start) / RollupSamples.day) }

    private func sums(_ events: [RollupEvent], _ parts: RollupParts) throws -> GroupedRollups {
        let file = try RollupSamples.file(.commandExecution, events)
        let section = try #require(file.section(.name, .oneDay))
        var sums = GroupedRollups()
        sums.grow(to: 3)
        try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: parts) { batch in
            sums.add(batch, slots: batch.windowStarts.map(slot))
        }
        return sums
    }

    private func rows(_ events: [RollupEvent]) -> GroupedExecutions {
        var rows = GroupedExecutions()
        rows.grow(to: 3)
        let slots = events.map { slot($0.timestamp) }
        let statuses = events.map(\.status.rawValue)
        let durations = events.map { $0.duration ?? 0 }
        rows.add(slots: slots.span, statuses: statuses.span, nanoseconds: durations.span)
        return rows
    }

    private func summaries(_ events: [RollupEvent]) -> [DurationSummary] {
        var summaries = [DurationSummary](repeating: DurationSummary(), count: 3)
        for event in events { summaries[Int(slot(event.timestamp))].add(event.duration ?? 0) }
        return summaries
    }

    @Test(arguments: [false, true])
    func `percentiles of rollups and rows together are those of all events`(isWide: Bool) throws {
        let events = events(71, isWide: isWide)
        for cut in [4_000, events.count - 3] {
            var sums = try sums(Array(events[..<cut]), [.durations, .histograms])
            let rows = rows(Array(events[cut...]))
            for (slot, summary) in summaries(events).enumerated() {
                let expected = Self.percentiles.compactMap { summary.percentile($0) }
                #expect(sums.percentiles(Self.percentiles, of: slot, with: rows) == expected)
                // Asking leaves nothing behind.
                #expect(sums.percentiles(Self.percentiles, of: slot, with: rows) == expected)
            }
        }
    }

    @Test(arguments: [(3, 20, 5_000_000), (72, 20, 100_000_000_000), (72, 2, 40_000_000)] as [(Int, Int, UInt64)])
    func `the greatest events are enough for the percentiles of the upper half`(
        slotCount: Int, divisor: Int, bound: UInt64
    ) throws {
        var events = events(74, isWide: false)
        for index in events.indices { events[index].duration = (events[index].duration ?? 0) % bound }
        let step = 3 * RollupSamples.day / Int64(slotCount)
        func slot(_ timestamp: Int64) -> Int { Int((timestamp - RollupSamples.start) / step) }
        let cut = events.count - events.count / divisor
        let file = try RollupSamples.file(.commandExecution, Array(events[..<cut]))
        let found = slotCount == 3 ? file.section(.name, .oneDay) : file.section(.status, .oneHour)
        let section = try #require(found)
        var sums = GroupedRollups()
        sums.grow(to: slotCount)
        try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: [.durations, .histograms]) { batch in
            sums.add(batch, slots: batch.windowStarts.map { Int32(slot($0)) })
        }
        var rows = GroupedExecutions()
        rows.grow(to: slotCount)
        var summaries = [DurationSummary](repeating: DurationSummary(), count: slotCount)
        for (number, event) in events.enumerated() {
            let duration = [event.duration ?? 0]
            summaries[slot(event.timestamp)].add(duration[0])
            guard number >= cut else { continue }
            let status = [event.status.rawValue]
            rows.add(slot: slot(event.timestamp), statuses: status.span, nanoseconds: duration.span)
        }
        for (slot, summary) in summaries.enumerated() {
            for text in ["50.5", "60", "75", "90", "95", "99.9"] {
                let percentile = try #require(Percentile(text))
                let expected = summary.percentile(percentile).map { [$0] }
                #expect(sums.percentiles([percentile], of: slot, with: rows) == expected)
            }
        }
    }

    @Test func `a slot that has only rows, or only rollups, has their percentiles`() throws {
        let events = events(72, isWide: false)
        let summaries = summaries(events)
        var none = GroupedRollups()
        none.grow(to: 3)
        var sums = try sums(events, [.durations, .histograms])
        for slot in 0..<3 {
            let expected = Self.percentiles.compactMap { summaries[slot].percentile($0) }
            #expect(none.percentiles(Self.percentiles, of: slot, with: rows(events)) == expected)
            #expect(sums.percentiles(Self.percentiles, of: slot, with: rows([])) == expected)
            #expect(none.percentiles(Self.percentiles, of: slot, with: rows([])) == nil)
        }
    }

    @Test(arguments: [false, true])
    func `parts merge to what all files give`(isWide: Bool) throws {
        let events = events(73, isWide: isWide)
        let cuts = [0, 1_500, 3_100, events.count]
        let parts = try zip(cuts, cuts.dropFirst()).map {
            try sums(Array(events[$0..<$1]), [.durations, .histograms])
        }
        let summaries = summaries(events)
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            var whole = parts[order[0]]
            // The slots of the parts are not those of the whole.
            whole.grow(to: 5)
            for part in order.dropFirst() { whole.merge(parts[part], slots: [0, 1, 2]) }
            var turned = GroupedRollups()
            turned.grow(to: 4)
            turned.merge(whole, slots: [3, 2, 1, 0, 0])
            for slot in 0..<3 {
                let expected = Self.percentiles.compactMap { summaries[slot].percentile($0) }
                #expect(whole.percentiles(Self.percentiles, of: slot) == expected)
                #expect(turned.percentiles(Self.percentiles, of: 3 - slot) == expected)
                #expect(turned.durations(of: 3 - slot).sum == summaries[slot].sum)
                #expect(turned.durations(of: 3 - slot).count == summaries[slot].count)
                #expect(turned.aggregate(3 - slot).durations == summaries[slot])
            }
            #expect(turned.durations(of: 0).count == 0)
        }
    }

    @Test func `rollups of metrics merge by slot`() throws {
        var events = RollupSamples.events(.productivityMetric, count: 4_000, days: 3, seed: 74)
        events.removeAll { $0.timestamp < RollupSamples.start }
        var whole = GroupedRollups()
        whole.grow(to: 3)
        for part in [Array(events[..<2_000]), Array(events[2_000...])] {
            let file = try RollupSamples.file(.productivityMetric, part)
            let section = try #require(file.section(.status, .oneDay))
            var sums = GroupedRollups()
            sums.grow(to: 3)
            try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: .all) { batch in
                sums.add(batch, slots: batch.windowStarts.map(slot))
            }
            whole.merge(sums, slots: [0, 1, 2])
        }
        for slot in 0..<3 {
            var expected = ValueSummary()
            for event in events where self.slot(event.timestamp) == Int32(slot) { expected.add(event.value) }
            #expect(whole.valueCount(of: slot) == expected.count)
            #expect(whole.aggregate(slot).values == expected)
        }
    }
}
