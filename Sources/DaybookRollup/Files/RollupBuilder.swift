package import DaybookFormat

/// Makes the rollup file of a segment out of the columns of its events. Any order of the events, in any batches, gives
/// the same bytes.
///
/// Events are collected and then sorted once for each grain; rows of the finest window that can pay are made of
/// neighbours, and rows of coarser windows of those. Of more events than are collected at once, only rows of windows
/// that can still pay are kept.
package struct RollupBuilder: Sendable {
    /// Events that are rolled up together: 4 to 6 MiB, and 3 MiB to sort them.
    private static let bufferedEventCount = 131_072

    package let family: Family
    package private(set) var eventCount: UInt64 = 0

    private let eventCountMax: UInt64
    private let policy: RollupPolicy.Storage
    private let shape: RollupShape
    private var buffer = EventBuffer()
    private var names = RollupStrings()
    private var users = RollupStrings()
    private var grains: [GrainBuilder]
    private var scratch = BinScratch()

    /// - Parameters:
    ///   - eventCountMax: not below the number of events to come. A grain that cannot pay with so many is given up early;
    ///     the bytes do not depend on it.
    ///   - policy: what is stored.
    /// Precondition: the family has rollups.
    package init(family: Family, eventCountMax: Int, policy: RollupPolicy.Storage = .besideSegments) {
        precondition(eventCountMax >= 0)
        self.policy = policy
        self.family = family
        self.eventCountMax = UInt64(eventCountMax)
        shape = RollupShape(family)
        grains = []
        for grain in RollupGrain.allCases { grains.append(GrainBuilder(grain, shape, policy)) }
    }

    /// Precondition: the columns of the family have one entry for each row, times have a text, statuses are known.
    package mutating func add(_ columns: RollupColumns) {
        let rowCount = columns.rowCount
        guard rowCount > 0 else { return }
        eventCount += UInt64(rowCount)
        let none = [UInt32](repeating: 0, count: rowCount)
        // The strings of a grain that was given up are of no use.
        let nameKeys = isAlive(.name) ? names.keys(of: columns.names, rowCount: rowCount) : none
        let userKeys = isAlive(.user) ? users.keys(of: columns.users, rowCount: rowCount) : none
        var first = 0
        while first < rowCount {
            let end = min(rowCount, first + Self.bufferedEventCount - buffer.count)
            buffer.append(columns, first..<end, shape, names: nameKeys, users: userKeys)
            first = end
            if buffer.count == Self.bufferedEventCount { flush(eventCountMax: eventCountMax) }
        }
    }

    private func isAlive(_ grain: RollupGrain) -> Bool { grains.contains { $0.grain == grain && $0.isAlive } }

    private mutating func flush(eventCountMax: UInt64) {
        guard buffer.count > 0 else { return }
        for index in grains.indices { grains[index].add(buffer, eventCountMax: eventCountMax, &scratch) }
        buffer.removeAll()
        if !isAlive(.name) { names.removeAll() }
        if !isAlive(.user) { users.removeAll() }
    }

    /// The bytes of the file; nil when no grain pays. The builder is empty afterwards.
    package mutating func finish(_ identity: RollupIdentity) -> [UInt8]? {
        precondition(identity.family == family && eventCount <= eventCountMax)
        flush(eventCountMax: eventCount)
        var encoder = RollupEncoder(identity, eventCount: eventCount)
        for index in grains.indices {
            let rows = grains[index].finish(eventCount: eventCount, &scratch)
            encoder.append(grains[index].grain, rows, strings: strings(of: grains[index].grain), &scratch)
        }
        names.removeAll()
        users.removeAll()
        eventCount = 0
        return encoder.finish()
    }

    private func strings(of grain: RollupGrain) -> RollupStrings {
        switch grain {
        case .status: RollupStrings()
        case .name: names
        case .user: users
        }
    }
}

/// The rows of one grain while they are made.
struct GrainBuilder: Sendable {
    let grain: RollupGrain
    private let shape: RollupShape
    private let policy: RollupPolicy.Storage
    /// The finest window that may pay; nil when none can.
    private var window: RollupWindow?
    /// Rows of `window`, in memory's order each; every part has more than twice the rows of the next one.
    private var parts: [RollupRows] = []

    init(_ grain: RollupGrain, _ shape: RollupShape, _ policy: RollupPolicy.Storage) {
        self.grain = grain
        self.shape = shape
        self.policy = policy
        window = policy.finest
    }

    var isAlive: Bool { window != nil }

    /// - Parameter eventCountMax: not below the number of all events, those to come included. No later event takes a row
    ///   away, so what cannot pay with so many need not be kept.
    mutating func add(_ buffer: EventBuffer, eventCountMax: UInt64, _ scratch: inout BinScratch) {
        guard isAlive else { return }
        let events = SortedEvents(buffer, grain)
        let rowCounts = events.rowCounts()
        coarsen(eventCountMax: eventCountMax, &scratch) { rowCounts[Int($0.rawValue) - 1] }
        guard let window else { return }
        let rowCount = rowCounts[Int(window.rawValue) - 1]
        parts.append(events.rows(of: buffer, shape, window, rowCount: rowCount, &scratch))
        while parts.count >= 2, parts[parts.count - 2].count <= 2 * parts[parts.count - 1].count {
            // What cannot pay together is not put together: rows by user and hour are many.
            coarsen(eventCountMax: eventCountMax, &scratch) { [parts] in
                RollupRows.mergedCount(parts.suffix(2), in: $0)
            }
            guard isAlive else { return }
            mergeLast(2, &scratch)
        }
    }

    /// Takes the finest window, from the current one on, whose rows can pay; gives the grain up when there is none.
    private mutating func coarsen(
        eventCountMax: UInt64, _ scratch: inout BinScratch, rowCount: (RollupWindow) -> Int
    ) {
        let old = window
        while let candidate = window,
            !policy.pays(grain, candidate, rowCount: rowCount(candidate), eventCount: eventCountMax)
        {
            window = candidate.nextCoarser
        }
        guard window != old else { return }
        guard let window else {
            parts = []
            return
        }
        for index in parts.indices { parts[index] = parts[index].coarsened(to: window, &scratch) }
    }

    private mutating func mergeLast(_ count: Int, _ scratch: inout BinScratch) {
        var taken = Array(parts.suffix(count))
        parts.removeLast(count)
        parts.append(RollupRows.merged(consuming: &taken, &scratch))
    }

    /// The rows of the finest window that pays, in memory's order; nil when none does.
    mutating func finish(eventCount: UInt64, _ scratch: inout BinScratch) -> RollupRows? {
        defer {
            parts = []
            window = policy.finest
        }
        coarsen(eventCountMax: eventCount, &scratch) { [parts] window in
            parts.map { $0.rowCount(in: window) }.max() ?? 0
        }
        if parts.count > 1 { mergeLast(parts.count, &scratch) }
        return parts.first?.paying(grain, policy, eventCount: eventCount, &scratch)
    }
}

extension RollupRows {
    /// The rows, or the finest coarser ones, that pay; nil when none do.
    func paying(
        _ grain: RollupGrain, _ policy: RollupPolicy.Storage, eventCount: UInt64, _ scratch: inout BinScratch
    ) -> RollupRows? {
        var window = window
        while !policy.pays(grain, window, rowCount: rowCount(in: window), eventCount: eventCount) {
            guard let coarser = window.nextCoarser else { return nil }
            window = coarser
        }
        return window == self.window ? self : coarsened(to: window, &scratch)
    }
}
