import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct GroupedExecutionsTests {
    private struct Rows {
        var slots: [Int32] = []
        var statuses: [UInt8] = []
        var durations: [UInt64] = []

        init(_ count: Int, slotCount: Int, spread: UInt64, _ random: inout SeededRandom) {
            for _ in 0..<count {
                slots.append(Int32(random.below(slotCount)))
                statuses.append(UInt8(random.below(4)))
                durations.append(
                    random.oneIn(50) ? random.next() : random.next() >> (64 - random.next() % (spread + 1)))
            }
        }
    }

    private struct Plain {
        var statuses: [StatusCounts]
        var durations: [DurationSummary]

        init(slotCount: Int) {
            statuses = Array(repeating: StatusCounts(), count: slotCount)
            durations = Array(repeating: DurationSummary(), count: slotCount)
        }

        mutating func add(_ rows: Rows) {
            for row in rows.slots.indices {
                let slot = Int(rows.slots[row])
                statuses[slot].add(EventStatus(rawValue: rows.statuses[row]) ?? .success)
                durations[slot].add(rows.durations[row])
            }
        }
    }

    private func expect(_ grouped: GroupedExecutions, equals plain: Plain) {
        for slot in plain.durations.indices {
            #expect(grouped.statuses(of: slot) == plain.statuses[slot])
            #expect(grouped.durations(of: slot) == plain.durations[slot])
            #expect(grouped.totals(of: slot) == plain.durations[slot].totals)
            for text in ["0.5", "50", "95", "99.9", "100"] {
                guard let percentile = Percentile(text) else { continue }
                var answers: [Double?] = []
                grouped.appendPercentiles([percentile], of: slot, to: &answers)
                #expect(answers == [plain.durations[slot].percentile(percentile)])
            }
        }
    }

    @Test(arguments: [10, 45, 63] as [UInt64])
    func slotsHoldWhatTheirRowsAddUpTo(spread: UInt64) {
        var random = SeededRandom(seed: 601 + spread)
        for _ in 0..<12 {
            let slotCount = 1 + random.below(30)
            var grouped = GroupedExecutions()
            grouped.grow(to: slotCount)
            var plain = Plain(slotCount: slotCount)
            for _ in 0..<1 + random.below(4) {
                let rows = Rows(random.below(2_000), slotCount: slotCount, spread: spread, &random)
                grouped.add(
                    slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
                plain.add(rows)
            }
            expect(grouped, equals: plain)
        }
    }

    @Test func rowsOfOneSlotAddUpToTheSame() {
        var random = SeededRandom(seed: 602)
        for count in [0, 1, 700, 70_000] {
            var grouped = GroupedExecutions()
            grouped.grow(to: 2)
            var plain = Plain(slotCount: 2)
            var rows = Rows(count, slotCount: 1, spread: 50, &random)
            rows.slots = rows.slots.map { _ in 1 }
            grouped.add(slot: 1, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
            plain.add(rows)
            expect(grouped, equals: plain)
        }
    }

    @Test(arguments: [20_000, BucketRuns.countMax / 8] as [Int])
    func rowsThatComeBothWaysAddUpToTheSame(rowCountMax: Int) {
        var random = SeededRandom(seed: 607)
        var grouped = GroupedExecutions()
        grouped.grow(to: 5)
        var plain = Plain(slotCount: 5)
        for round in 0..<24 {
            var rows = Rows(1 + random.below(rowCountMax), slotCount: 5, spread: 45, &random)
            if round % 6 == 5 {
                grouped.add(slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
            } else {
                let slot = random.below(round < 12 ? 2 : 5)
                rows.slots = rows.slots.map { _ in Int32(slot) }
                grouped.add(slot: slot, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
            }
            plain.add(rows)
        }
        expect(grouped, equals: plain)
        grouped.spill()
        expect(grouped, equals: plain)
    }

    @Test(arguments: [300, BucketRuns.countMax / 3] as [Int])
    func partsOfRunsMergeToTheSame(rowCount: Int) {
        var random = SeededRandom(seed: 608)
        var whole = GroupedExecutions()
        whole.grow(to: 4)
        var plain = Plain(slotCount: 4)
        for _ in 0..<5 {
            var part = GroupedExecutions()
            part.grow(to: 4)
            var rows = Rows(rowCount, slotCount: 1, spread: 45, &random)
            let slots = (0..<4 as Range<Int32>).shuffled(using: &random)
            let slot = random.below(4)
            part.add(slot: slot, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
            rows.slots = rows.slots.map { _ in slots[slot] }
            plain.add(rows)
            whole.merge(part, slots: slots)
        }
        expect(whole, equals: plain)
    }

    @Test func manySlotsWithFewRowsAddUpToTheSame() {
        var random = SeededRandom(seed: 603)
        var grouped = GroupedExecutions()
        grouped.grow(to: 5_000)
        var plain = Plain(slotCount: 5_000)
        let rows = Rows(20_000, slotCount: 5_000, spread: 40, &random)
        grouped.add(slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
        plain.add(rows)
        expect(grouped, equals: plain)
    }

    @Test func partsMergeInAnyOrderToTheSame() {
        var random = SeededRandom(seed: 604)
        for _ in 0..<20 {
            let slotCount = 1 + random.below(12)
            var plain = Plain(slotCount: slotCount)
            var parts: [(executions: GroupedExecutions, slots: [Int32])] = []
            for _ in 0..<1 + random.below(4) {
                // Every part numbers the slots in its own way.
                let slots = (0..<Int32(slotCount)).shuffled(using: &random)
                var part = GroupedExecutions()
                part.grow(to: slotCount)
                var rows = Rows(random.below(500), slotCount: slotCount, spread: 60, &random)
                part.add(slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
                rows.slots = rows.slots.map { slots[Int($0)] }
                plain.add(rows)
                parts.append((part, slots))
            }
            var whole = GroupedExecutions()
            whole.grow(to: slotCount)
            for part in parts.shuffled(using: &random) { whole.merge(part.executions, slots: part.slots) }
            expect(whole, equals: plain)
        }
    }

    @Test func countsThatWereMovedOutAreNotLost() {
        var random = SeededRandom(seed: 605)
        var grouped = GroupedExecutions()
        grouped.grow(to: 3)
        var plain = Plain(slotCount: 4)
        for round in 0..<4 {
            let rows = Rows(400, slotCount: 3, spread: 50, &random)
            grouped.add(slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
            plain.add(rows)
            if round == 1 { grouped.spill() }
        }
        grouped.grow(to: 4)
        var other = GroupedExecutions()
        other.grow(to: 3)
        let rows = Rows(400, slotCount: 3, spread: 50, &random)
        other.add(slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
        other.spill()
        plain.add(rows)
        grouped.merge(other, slots: [0, 1, 2])
        expect(grouped, equals: plain)
    }

    @Test func withoutHistogramsOnlyPercentilesAreMissing() {
        var random = SeededRandom(seed: 606)
        var grouped = GroupedExecutions(keepsHistograms: false)
        grouped.grow(to: 2)
        var plain = Plain(slotCount: 2)
        let rows = Rows(300, slotCount: 2, spread: 50, &random)
        grouped.add(slots: rows.slots.span, statuses: rows.statuses.span, nanoseconds: rows.durations.span)
        plain.add(rows)
        for slot in 0..<2 {
            #expect(grouped.totals(of: slot) == plain.durations[slot].totals)
            #expect(grouped.statuses(of: slot) == plain.statuses[slot])
        }
    }
}
