import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

struct RollupMergeTests {
    /// Events so dense that every window of every grain pays, in all parts.
    private func denseEvents(_ family: Family, count: Int, seed: UInt64) -> [RollupEvent] {
        var random = SeededRandom(seed: seed)
        return RollupSamples.events(family, count: count, days: 1, seed: seed).map { event in
            var event = event
            event.timestamp = RollupSamples.start + Int64(random.below(2)) * 60_000_000
            event.name = random.oneIn(2) ? nil : "command"
            event.user = random.oneIn(2) ? "ann" : "bo\(seed % 3)"
            return event
        }
    }

    private func merge(_ family: Family, _ parts: [[RollupEvent]]) throws -> RollupMerge.Outcome {
        let inputs = try parts.map { events -> RollupMerge.Input in
            guard let bytes = RollupSamples.build(family, [events]) else {
                return .nothingStored(eventCount: UInt64(events.count))
            }
            return .file(try RollupFile(bytes))
        }
        return try RollupMerge.merge(inputs, as: RollupSamples.identity(family))
    }

    @Test(arguments: RollupFileTests.families)
    func `merging is building from all rows, to the bit, in any order and grouping`(family: Family) throws {
        let parts = (0..<4).map { denseEvents(family, count: 400 + 150 * $0, seed: 30 + UInt64($0)) }
        let expected = RollupMerge.Outcome.merged(RollupSamples.build(family, parts))
        #expect(expected != .merged(nil))
        #expect(try merge(family, parts) == expected)
        #expect(try merge(family, parts.reversed()) == expected)
        let left = try #require(RollupSamples.build(family, Array(parts[..<2])))
        let right = try #require(RollupSamples.build(family, Array(parts[2...])))
        for pair in [[left, right], [right, left]] {
            let files = try pair.map { RollupMerge.Input.file(try RollupFile($0)) }
            #expect(try RollupMerge.merge(files, as: RollupSamples.identity(family)) == expected)
        }
    }

    /// Merges some of the files at random, and what comes of them with others, until one is left.
    private func mergedAtRandom(
        _ files: [RollupFile], _ random: inout SeededRandom, _ merge: ([RollupFile]) throws -> [UInt8]
    ) throws -> [UInt8] {
        var left = files.shuffled(using: &random)
        while true {
            let count = left.count == 2 ? 2 : 2 + random.below(left.count - 1)
            let merged = try merge(Array(left.prefix(count)))
            left.removeFirst(count)
            if left.isEmpty { return merged }
            left.append(try RollupFile(merged))
            left.shuffle(using: &random)
        }
    }

    @Test(arguments: RollupFileTests.families)
    func `files merge to the bit in every order and partition`(family: Family) throws {
        for seed in 0..<4 as Range<UInt64> {
            var random = SeededRandom(seed: 600 + seed)
            let parts = (0..<3 + random.below(5)).map { part in
                denseEvents(family, count: 300 + random.below(500), seed: 60 + seed * 10 + UInt64(part))
            }
            let expected = try #require(RollupSamples.build(family, parts))
            let files = try parts.map { try RollupFile(try #require(RollupSamples.build(family, [$0]))) }
            for _ in 0..<4 {
                let merged = try mergedAtRandom(files, &random) { files in
                    let inputs = files.map { RollupMerge.Input.file($0) }
                    let outcome = try RollupMerge.merge(inputs, as: RollupSamples.identity(family))
                    guard case .merged(let bytes?) = outcome else { throw FormatError.invalid("merge outcome") }
                    return bytes
                }
                #expect(merged == expected)
            }
        }
    }

    @Test(arguments: RollupFileTests.families)
    func `files that are the only record merge to the bit in every order and partition`(family: Family) throws {
        for seed in 0..<6 as Range<UInt64> {
            var random = SeededRandom(seed: 800 + seed)
            let files = try (0..<3 + random.below(6)).map { part in
                let events = RollupSamples.events(
                    family, count: 1 + random.below([6, 40, 300, 900][random.below(4)]), days: 1 + random.below(3),
                    seed: 2_000 + seed * 10 + UInt64(part))
                return try RollupFile(try #require(RollupSamples.build(family, [events], policy: .history)))
            }
            let expected = try mergedHistory(files, family)
            for _ in 0..<4 {
                let merged = try mergedAtRandom(files, &random) { try mergedHistory($0, family) }
                #expect(merged == expected)
            }
        }
    }

    @Test(arguments: RollupFileTests.families)
    func `what merging decides is what building decides`(family: Family) throws {
        var mergedCount = 0
        var undecidedCount = 0
        for seed in 0..<60 as Range<UInt64> {
            var random = SeededRandom(seed: 400 + seed)
            let parts = (0...random.below(3)).map { part in
                RollupSamples.events(
                    family, count: 1 + random.below(900), days: 1 + random.below(3), seed: seed * 10 + UInt64(part))
            }
            switch try merge(family, parts) {
            case .merged(let bytes):
                mergedCount += 1
                #expect(bytes == RollupSamples.build(family, parts))
            case .needsRows(let grain, let window):
                undecidedCount += 1
                // Not every part stores it; else there would be nothing to ask for.
                #expect(
                    try parts.contains { events in
                        guard let bytes = RollupSamples.build(family, [events]) else { return true }
                        return try RollupFile(bytes).section(grain, window) == nil
                    })
            case .damaged(let damage): Issue.record("\(damage)")
            }
        }
        #expect(mergedCount > 5)
        #expect(undecidedCount > 5)
    }

    /// Files of one kind: what a file of all rows would have, as long as that has no finer rows by user.
    @Test(arguments: RollupFileTests.families)
    func `files that are the only record merge to the bit, in any order and grouping`(family: Family) throws {
        var sameCount = 0
        var hourCount = 0
        for seed in 0..<24 as Range<UInt64> {
            var random = SeededRandom(seed: 700 + seed)
            // In every third story every part has hours by user, in the others some or none.
            let isDense = seed.isMultiple(of: 3)
            let size = [6, 40, 300, 900][random.below(4)]
            let parts = (0..<2 + random.below(5)).map { part in
                RollupSamples.events(
                    family, count: isDense ? 800 + random.below(400) : 1 + random.below(size),
                    days: isDense ? 1 : 1 + random.below(3), seed: 900 + seed * 10 + UInt64(part))
            }
            let files = try parts.map { events -> RollupFile in
                try RollupFile(try #require(RollupSamples.build(family, [events], policy: .history)))
            }
            let merged = try mergedHistory(files, family)
            #expect(try mergedHistory(files.reversed(), family) == merged)
            let cut = 1 + random.below(files.count - 1)
            let left = try RollupFile(try mergedHistory(Array(files[..<cut]), family))
            let right = try RollupFile(try mergedHistory(Array(files[cut...]), family))
            #expect(try mergedHistory([right, left], family) == merged)

            let found = try RollupFile(merged)
            let all = try RollupFile(try #require(RollupSamples.build(family, parts, policy: .history)))
            #expect(found.damages == [] && found.eventCount == all.eventCount)
            #expect(found.finestWindow(.user) == files.compactMap { $0.finestWindow(.user) }.max())
            for (grain, window) in [
                (RollupGrain.status, RollupWindow.oneHour), (.status, .oneDay), (.name, .oneHour), (.name, .oneDay),
                (.user, .oneDay),
            ] {
                let section = try #require(found.section(grain, window))
                let expected = try #require(all.section(grain, window))
                #expect(try found.rows(of: section) == all.rows(of: expected), "\(grain) \(window)")
            }
            if found.finestWindow(.user) == .oneHour { hourCount += 1 }
            if found.finestWindow(.user) == all.finestWindow(.user) {
                sameCount += 1
                let isSame = merged == RollupSamples.build(family, parts, policy: .history)
                #expect(isSame)
            }
        }
        #expect(sameCount > 5)
        #expect(hourCount > 2)
    }

    private func mergedHistory(_ files: [RollupFile], _ family: Family) throws -> [UInt8] {
        let inputs = files.map { RollupMerge.Input.file($0) }
        let outcome = try RollupMerge.merge(inputs, as: RollupSamples.identity(family), policy: .history)
        guard case .merged(let bytes?) = outcome else { throw FormatError.invalid("merge outcome") }
        return bytes
    }

    @Test func `a file of which a user took everything merges with others`() throws {
        let events = RollupSamples.events(.commandExecution, count: 400, days: 1, seed: 41)
        let file = try RollupFile(
            try #require(RollupSamples.build(.commandExecution, [events], policy: .history)))
        let rest = try RollupFile(
            try #require(try file.forgetting({ _ in true }, staysNamed: { _ in false })))
        let merged = try RollupFile(try mergedHistory([rest, file, rest], .commandExecution))
        #expect(merged.damages == [] && merged.eventCount == 3 * file.eventCount)
        #expect(merged.finestWindow(.user) == file.finestWindow(.user) && merged.users.count == file.users.count)
        let days = try #require(merged.section(.status, .oneDay))
        #expect(try merged.rows(of: days).counts.reduce(0, +) == merged.eventCount)
    }

    @Test func `a window that parts could not pay for may pay in the whole`() throws {
        // Seven events of one minute pay for nothing, fourteen pay for one row.
        let part = (0..<7).map { RollupEvent(timestamp: RollupSamples.start + Int64($0)) }
        #expect(try merge(.commandExecution, [part, part]) == .needsRows(.status, .oneDay))
        #expect(RollupSamples.build(.commandExecution, [part, part]) != nil)
    }

    @Test func `a damaged part is derived again instead of merged`() throws {
        let events = denseEvents(.commandExecution, count: 500, seed: 37)
        var bytes = try #require(RollupSamples.build(.commandExecution, [events]))
        bytes[bytes.count - 1] ^= 1
        let file = try RollupFile(bytes)
        let outcome = try RollupMerge.merge([.file(file)], as: RollupSamples.identity())
        #expect(outcome == .damaged(file.damages[0]))
    }

    @Test func `sums of tokens and values by slot are those of all events`() throws {
        for family in [Family.agentInteraction, .productivityMetric] {
            let events = RollupSamples.events(family, count: 12_000, days: 2, seed: 39)
            let file = try RollupSamples.file(family, events)
            let section = try #require(file.section(.user, .oneDay))
            var sums = GroupedRollups()
            sums.grow(to: file.users.count + 1)
            try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: .all) { batch in
                sums.add(batch, slots: batch.keys.map { $0 == RollupCodes.missing ? -1 : Int32($0) })
            }
            for code in 0..<file.users.count {
                let user = String(decoding: file.users.bytes(of: UInt32(code)), as: UTF8.self)
                var expected = AggregateRow()
                let rows = RollupSamples.expectedRows(family, events.filter { $0.user == user }, .user, .oneDay)
                for row in rows.values { expected.merge(row) }
                #expect(sums.aggregate(code) == expected)
                #expect(sums.inputTokens(of: code) == expected.inputTokens)
                #expect(sums.outputTokens(of: code) == expected.outputTokens)
                #expect(sums.valueCount(of: code) == expected.values.count)
            }
            #expect(sums.percentiles([.p50], of: file.users.count) == nil)
        }
    }

    @Test func `sums of slots over rollups and raw rows are those of all events`() throws {
        var events = RollupSamples.events(.commandExecution, count: 30_000, days: 3, seed: 38)
        // Days long ago would be slots, too.
        events.removeAll { $0.timestamp < RollupSamples.start }
        // More than 1,024 buckets in one slot.
        for index in events.indices.prefix(4_000) {
            events[index].timestamp = RollupSamples.start
            events[index].duration = UInt64(pow2: Double(index) / 4_000 * 63.9)
        }
        let file = try RollupSamples.file(.commandExecution, Array(events[..<20_000]))
        let section = try #require(file.section(.status, .oneDay))
        let first = events.map(\.timestamp).min()?.flooredQuotient(by: RollupSamples.day) ?? 0
        let dayCount = (events.map(\.timestamp).max() ?? 0) / RollupSamples.day - first + 1
        var sums = GroupedRollups()
        sums.grow(to: Int(dayCount))
        try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: .all) { batch in
            sums.add(
                batch, slots: batch.windowStarts.map { Int32($0.flooredQuotient(by: RollupSamples.day) - first) })
        }
        for event in events[20_000...] {
            var row = AggregateRow()
            row.statuses.add(event.status)
            if let duration = event.duration { row.durations.add(duration) }
            // Every other day has rollups only.
            let slot = Int(event.timestamp.flooredQuotient(by: RollupSamples.day) - first)
            if slot.isMultiple(of: 2) { sums.add(row, to: slot) }
        }
        var isWide = false
        for slot in 0..<Int(dayCount) {
            var expected = AggregateRow()
            let part = slot.isMultiple(of: 2) ? events : Array(events[..<20_000])
            for event in part where event.timestamp.flooredQuotient(by: RollupSamples.day) - first == slot {
                expected.statuses.add(event.status)
                if let duration = event.duration { expected.durations.add(duration) }
            }
            let durations = expected.durations
            isWide = isWide || durations.histogram.scale < ExponentialHistogram.scaleMax
            #expect(sums.aggregate(slot) == expected)
            #expect(sums.statuses(of: slot) == expected.statuses)
            #expect(sums.durations(of: slot) == durations.totals)
            let percentiles = ([1, 2, 25, 50, 51, 75, 95, 99, 100] as [UInt64]).map { Percentile(wholePercent: $0) }
            let answers = percentiles.compactMap { durations.percentile($0) }
            #expect(sums.percentiles(percentiles, of: slot) == (answers.isEmpty ? nil : answers))
        }
        #expect(isWide)
    }
}

extension UInt64 {
    /// About 2 to that power, by steps far finer than a bucket.
    fileprivate init(pow2 exponent: Double) {
        let whole = exponent.rounded(.down)
        self = UInt64(Double(sign: .plus, exponent: Int(whole), significand: 1 + (exponent - whole)))
    }
}
