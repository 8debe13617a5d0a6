import DaybookFormat
import DaybookRollup

extension Samples {
    /// Thirty days of commands, most of them in six hours of the day.
    static func rollupColumns(eventCount: Int) -> RollupColumns {
        let noise = noise(eventCount * 4)
        var columns = RollupColumns()
        var names: [UInt32] = []
        var users: [UInt32] = []
        for number in 0..<eventCount {
            let bytes = noise[number * 4..<number * 4 + 4].map { Int64($0) }
            let day = Int64(number) * 30 / Int64(eventCount)
            columns.timestamps.append(start + (day * 24 + 9 + bytes[0] % 6) * 3_600_000_000 + bytes[1] * 14_000_000)
            columns.statuses.append(bytes[2] < 230 ? 0 : 1)
            columns.durations.append((1_000 + UInt64(bytes[3] * bytes[3] * bytes[1])) << 10)
            names.append(UInt32(bytes[1] % 20))
            users.append(UInt32(bytes[2] % 40))
        }
        columns.names = codes(names, count: 20)
        columns.users = codes(users, count: 40)
        return columns
    }

    private static func codes(_ codes: [UInt32], count: Int) -> RollupCodes {
        let strings = (0..<count).map { Array("string-\($0)".utf8) }
        var offsets: [UInt32] = [0]
        for string in strings { offsets.append((offsets.last ?? 0) + UInt32(string.count)) }
        return RollupCodes(bytes: strings.flatMap { $0 }, offsets: offsets, codes: codes)
    }

    static func rollup(_ columns: RollupColumns) -> [UInt8] {
        var builder = RollupBuilder(family: .commandExecution, eventCountMax: columns.rowCount)
        builder.add(columns)
        let identity = RollupIdentity(
            log: LogID(16), family: .commandExecution, firstSequence: 1, lastSequence: UInt64(columns.rowCount),
            segmentChecksum: 1)
        return builder.finish(identity) ?? []
    }

    static func hourlyPercentiles(_ bytes: [UInt8]) throws -> Double {
        let file = try RollupFile(bytes)
        guard let section = file.section(.status, .oneHour) else { return 0 }
        var sums = GroupedRollups()
        sums.grow(to: 31 * 24)
        try file.forEachBatch(of: section, windowStartsIn: .min..<(.max), parts: [.durations, .histograms]) { batch in
            sums.add(batch, slots: batch.windowStarts.map { Int32(($0 - start) / RollupWindow.oneHour.microseconds) })
        }
        var total = 0.0
        for slot in 0..<sums.slotCount { total += sums.percentiles([.p95], of: slot)?[0] ?? 0 }
        return total
    }
}
