internal import DaybookFormat

/// What the questions must know of an organization's commands before they can be put: where they lie in time, how many
/// there are in each hour, and what they are called. All of it is asked from the server.
struct QueryProbe: Sendable {
    struct Bucket: Sendable, Equatable {
        var start: Timestamp
        var count: Int
    }

    /// Length of a bucket in microseconds: an hour, or a minute where only the newest matter.
    let bucketMicroseconds: Int64
    /// Buckets with commands, in order; at least one.
    let buckets: [Bucket]
    /// Commands by how often they are run.
    let names: [(name: String, count: Int)]
    /// First and last moment that holds commands.
    let first: Timestamp
    let last: Timestamp

    private static let hourMicroseconds: Int64 = 3_600_000_000
    /// How far back the newest events are looked for.
    private static let tailMicroseconds: Int64 = 2 * 3_600_000_000

    /// - Parameter isTail: knows the last two hours minute by minute instead of everything hour by hour.
    init(_ client: QueryClient, isTail: Bool, now: Timestamp) throws {
        let days = try Self.buckets(
            client, window: "1d", from: Timestamp(microseconds: 946_684_800_000_000),
            to: now.adding(microseconds: 2 * 24 * Self.hourMicroseconds))
        guard let firstDay = days.first, let lastDay = days.last else {
            throw ToolError("The organization has no commands.", cure: "Load a dataset: daybook bench load --help")
        }
        let end = lastDay.start.adding(microseconds: 24 * Self.hourMicroseconds)
        bucketMicroseconds = isTail ? 60_000_000 : Self.hourMicroseconds
        var found = try Self.buckets(
            client, window: isTail ? "1m" : "1h",
            from: isTail ? now.adding(microseconds: -Self.tailMicroseconds) : firstDay.start, to: isTail ? now : end)
        // The last one is still being filled.
        if isTail, found.count > 1 { found.removeLast() }
        guard let firstBucket = found.first, let lastBucket = found.last else {
            throw ToolError(
                "The organization has no commands of the last two hours.",
                cure: "Load some with --span 1h and without --end: daybook bench load --help")
        }
        buckets = found
        first = firstBucket.start
        last = lastBucket.start.adding(microseconds: bucketMicroseconds)
        var target = QueryTarget("aggregated")
        target.add("aggregation_window", "total")
        target.add("group_by", "command_name")
        target.add("percentiles", "50")
        target.add("limit", "1000")
        target.add("start_date", firstDay.start)
        target.add("end_date", end)
        names = try client.answer(target.text).groups("command_name")
        guard !names.isEmpty else {
            throw ToolError("No command has a plain name.", cure: "Load a dataset: daybook bench load --help")
        }
    }

    init(buckets: [Bucket], bucketMicroseconds: Int64, names: [(name: String, count: Int)]) {
        precondition(!buckets.isEmpty && !names.isEmpty)
        self.buckets = buckets
        self.bucketMicroseconds = bucketMicroseconds
        self.names = names
        first = buckets[0].start
        last = buckets[buckets.count - 1].start.adding(microseconds: bucketMicroseconds)
    }

    private static func buckets(
        _ client: QueryClient, window: String, from start: Timestamp, to end: Timestamp
    ) throws -> [Bucket] {
        var found: [Bucket] = []
        var cursor: String?
        repeat {
            var target = QueryTarget("aggregated")
            target.add("aggregation_window", window)
            target.add("percentiles", "50")
            target.add("limit", "1000")
            target.add("start_date", start)
            target.add("end_date", end)
            if let cursor { target.add("cursor", cursor) }
            let answer = try client.answer(target.text)
            found += answer.buckets().map { Bucket(start: $0.start, count: $0.count) }
            cursor = answer.nextCursor
        } while cursor != nil
        return found
    }

    var commandCount: Int { buckets.reduce(0) { $0 + $1.count } }

    /// A stretch of time that holds about `count` commands: whole buckets, and of the last one as much as is needed.
    /// Everything there is when there are fewer.
    /// - Parameter earliest: where it begins at the earliest, unless too few commands are behind that.
    func stretch(
        holding count: Int, from earliest: Timestamp, random: inout GeneratorRandom
    ) -> (start: Timestamp, end: Timestamp) {
        // Where the last stretch of enough commands begins.
        var behind = 0
        var startMax = buckets.count
        while startMax > 0, behind < count {
            startMax -= 1
            behind += buckets[startMax].count
        }
        let startMin = min(startMax, buckets.firstIndex { $0.start >= earliest } ?? startMax)
        let start = startMin + random.below(startMax - startMin + 1)
        var missing = count
        for bucket in buckets[start...] {
            guard bucket.count < missing else {
                let part = bucketMicroseconds * Int64(missing) / Int64(max(1, bucket.count))
                return (buckets[start].start, bucket.start.adding(microseconds: part))
            }
            missing -= bucket.count
        }
        return (buckets[start].start, last)
    }

    /// A command, the frequent ones more often.
    func name(_ random: inout GeneratorRandom) -> String {
        var total = 0
        let cumulative = names.map { name in
            total += max(1, name.count)
            return total
        }
        return names[random.index(in: cumulative)].name
    }
}
