import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

/// What is lost when a byte of a rollup file changes, and what is not.
struct RollupDamageTests {
    private static let events = RollupSamples.events(.commandExecution, count: 9_000, days: 3, seed: 50)
    private static let bytes = RollupSamples.build(.commandExecution, [events]) ?? []

    /// The parts in the order of the file.
    private static func parts() throws -> [(name: String, range: Range<Int>)] {
        try bytes.withRawSpan { (span: RawSpan) in
            let header = try RollupHeader(reading: span)
            let end = RollupHeader.byteCount + header.directoryByteCount
            let directory = try RollupDirectory(
                reading: span.extracting(RollupHeader.byteCount..<end), start: end, eventCount: header.eventCount)
            return directory.grains.flatMap { entry in
                (entry.strings.map { [("\(entry.grain) strings", $0.range)] } ?? [])
                    + entry.sections.flatMap { section in
                        [
                            ("\(entry.grain) \(section.window) columns", section.columns.range),
                            ("\(entry.grain) \(section.window) histograms", section.histograms.range),
                        ]
                    }
            }
        }
    }

    private func flipped(at offset: Int) -> [UInt8] {
        var damaged = Self.bytes
        damaged[offset] ^= 0x10
        return damaged
    }

    private func sections(_ file: RollupFile) -> Set<String> {
        var names: Set<String> = []
        for grain in RollupGrain.allCases {
            for window in RollupWindow.allCases {
                guard let section = file.section(grain, window) else { continue }
                names.insert("\(grain) \(window)")
                if section.hasHistograms { names.insert("\(grain) \(window) histograms") }
            }
        }
        return names
    }

    @Test func `damage of header or directory closes the file`() throws {
        let end = try #require(try Self.parts().first?.range.lowerBound)
        for offset in 0..<end {
            #expect(throws: FormatError.self, "byte \(offset)") { try RollupFile(flipped(at: offset)) }
        }
    }

    @Test func `a damaged section costs itself only`() throws {
        let whole = sections(try RollupFile(Self.bytes))
        #expect(whole.count > 10)
        for (name, range) in try Self.parts() {
            for offset in [range.lowerBound, range.lowerBound + range.count / 2, range.upperBound - 1] {
                let file = try RollupFile(flipped(at: offset))
                #expect(file.damages.map(\.part) == [name])
                #expect(file.damages.map(\.offset) == [UInt64(range.lowerBound)])
                let prefix = name.replacing(" columns", with: "").replacing("strings", with: "")
                #expect(sections(file) == whole.filter { !$0.hasPrefix(prefix) })
            }
        }
    }

    @Test func `without histograms counts and sums are still there`() throws {
        let range = try #require(try Self.parts().first { $0.name == "status oneDay histograms" }?.range)
        let file = try RollupFile(flipped(at: range.lowerBound))
        let section = try #require(file.section(.status, .oneDay))
        #expect(!section.hasHistograms)
        var sum: UInt128 = 0
        try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: .durations) { batch in
            for row in batch.rows { sum += batch.durationSums[row] }
        }
        #expect(sum == Self.events.reduce(0) { $0 + UInt128($1.duration ?? 0) })
        #expect(throws: FormatError.self) { try file.forEachRow(of: section) { _ in } }
    }

    @Test func `a file that ends too early has lost what is behind its end`() throws {
        let whole = sections(try RollupFile(Self.bytes))
        let parts = try Self.parts()
        for (index, part) in parts.enumerated() {
            let file = try RollupFile(Array(Self.bytes[..<part.range.lowerBound]))
            #expect(file.damages.map(\.part).count <= parts.count - index)
            #expect(file.damages.first?.part == part.name)
            #expect(sections(file).count < whole.count)
        }
        let longer = try RollupFile(Self.bytes + [0])
        #expect(longer.damages.map(\.part) == ["end"])
        #expect(sections(longer) == whole)
    }

    @Test func `the first difference is named`() throws {
        let stored = try RollupFile(Self.bytes)
        #expect(stored.compare(derived: stored) == nil)
        var events = Self.events
        let index = try #require(events.firstIndex { $0.name == "command-2" && $0.status == .error })
        events[index].name = "command-1"
        let derived = try RollupSamples.file(.commandExecution, events)
        let difference = try #require(stored.compare(derived: derived))
        #expect(difference.grain == .name)
        #expect(difference.status == .error)
        #expect(difference.window == stored.finestWindow(.name))
        #expect(difference.reason != .encoding)
        let other = RollupSamples.identity(.agentInteraction)
        let elsewhere = try #require(
            RollupSamples.build(.agentInteraction, [Self.events], identity: other))
        #expect(stored.compare(derived: try RollupFile(elsewhere))?.reason == .identity)
    }

    @Test func `a different row, a missing one and an extra one are told apart`() throws {
        let stored = try RollupFile(Self.bytes)
        var slower = Self.events
        slower[5].duration = (slower[5].duration ?? 0) / 2 + 1
        let changed = try #require(stored.compare(derived: try RollupSamples.file(.commandExecution, slower)))
        #expect(changed.reason == .differentRow)
        #expect(changed.grain == .status)
        var moved = Self.events
        moved[5].timestamp += 500 * RollupSamples.day
        let missing = try #require(stored.compare(derived: try RollupSamples.file(.commandExecution, moved)))
        #expect([.missingRow, .differentRow].contains(missing.reason))
        let extra = try #require(RollupSamples.file(.commandExecution, moved).compare(derived: stored))
        #expect([.extraRow, .differentRow].contains(extra.reason))
        let range = try #require(try Self.parts().last?.range)
        let damaged = try RollupFile(flipped(at: range.lowerBound))
        let found = try #require(damaged.compare(derived: stored))
        guard case .damage = found.reason else {
            Issue.record("\(found)")
            return
        }
        #expect(found.grain == .user)
    }
}

/// Readers of garbage answer with an error or with rows, never with a trap.
struct RollupGarbageTests {
    /// Reads everything that can be read; returns whether there was anything.
    private func readAll(_ bytes: [UInt8]) -> Bool {
        guard let file = try? RollupFile(bytes) else { return false }
        var isReadable = false
        for grain in RollupGrain.allCases {
            for window in RollupWindow.allCases {
                guard let section = file.section(grain, window) else { continue }
                var sums = GroupedRollups()
                sums.grow(to: 1)
                try? file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: .all) { batch in
                    isReadable = true
                    sums.add(batch, slots: Array(repeating: 0, count: batch.entryCount))
                    for row in batch.rows { _ = batch.aggregate(row) }
                }
                _ = sums.percentiles([.p50, .p95], of: 0)
                _ = sums.aggregate(0)
            }
        }
        _ = try? RollupMerge.merge([.file(file), .file(file)], as: file.identity)
        _ = file.compare(derived: file)
        return isReadable
    }

    /// All checksums are 0 while the file is made and read, so that only the checks behind them are left.
    @Test(arguments: RollupFileTests.families)
    func `changes under sound checksums never trap`(family: Family) throws {
        let events = RollupSamples.events(family, count: 700, days: 1, seed: 60)
        try withConstantChecksums {
            let bytes = try #require(RollupSamples.build(family, [events]))
            #expect(readAll(bytes))
            var random = SeededRandom(seed: 61)
            var readableCount = 0
            for _ in 0..<4_000 {
                var changed = bytes
                switch random.below(8) {
                case 0: changed.removeLast(1 + random.below(bytes.count - 1))
                case 1: changed.insert(UInt8(random.below(256)), at: random.below(bytes.count))
                default:
                    for _ in 0...random.below(3) {
                        changed[random.below(bytes.count)] = random.oneIn(2) ? 0xFF : UInt8(random.below(256))
                    }
                }
                if readAll(changed) { readableCount += 1 }
            }
            #expect(readableCount > 400)
        }
    }
}
