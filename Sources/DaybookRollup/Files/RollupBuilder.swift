package import DaybookFormat

/// Makes the rollup file of a segment out of the columns of its events. Any order of the events, in any batches, gives
/// the same bytes.
///
/// Events are collected and then sorted once for each grain; rows of the finest window that can pay are made of
/// neighbours, and rows of coarser windows of those. Memory grows with the rows that can pay, not with the events.
package struct RollupBuilder: Sendable {
    /// Events that are rolled up together.
    private static let bufferedEventCount = 65_536

    package let family: Family
    package private(set) var eventCount: UInt64 = 0

    private let shape: RollupShape
    private var buffer = EventBuffer()
    private var names = RollupStrings()
    private var users = RollupStrings()
    private var grains: [GrainBuilder]
    private var scratch = BinScratch()

    /// - Parameter eventCountMax: not below the number of events to come. A grain that cannot pay with so many is given
    ///   up early; the bytes do not depend on it.
    /// Precondition: the family has rollups.
    package init(family: Family, eventCountMax: Int) {
        precondition(eventCountMax >= 0)
        self.family = family
        shape = RollupShape(family)
        grains = []
        for grain in RollupGrain.allCases { grains.append(GrainBuilder(grain, shape, eventCountMax: eventCountMax)) }
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
            if buffer.count == Self.bufferedEventCount { flush() }
        }
    }

    private func isAlive(_ grain: RollupGrain) -> Bool { grains.contains { $0.grain == grain && $0.isAlive } }

    private mutating func flush() {
        guard buffer.count > 0 else { return }
        for index in grains.indices { grains[index].add(buffer, &scratch) }
        buffer.removeAll()
        if !isAlive(.name) { names.removeAll() }
        if !isAlive(.user) { users.removeAll() }
    }

    /// The bytes of the file; nil when no grain pays. The builder is empty afterwards.
    package mutating func finish(_ identity: RollupIdentity) -> [UInt8]? {
        precondition(identity.family == family)
        flush()
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
    private let eventCountMax: UInt64
    /// The finest window that may pay; nil when none can.
    private var window: RollupWindow? = .oneMinute
    /// Rows of `window`, in memory's order each; every part has more than twice the rows of the next one.
    private var parts: [RollupRows] = []

    init(_ grain: RollupGrain, _ shape: RollupShape, eventCountMax: Int) {
        self.grain = grain
        self.shape = shape
        self.eventCountMax = UInt64(eventCountMax)
    }

    var isAlive: Bool { window != nil }

    mutating func add(_ buffer: EventBuffer, _ scratch: inout BinScratch) {
        guard isAlive else { return }
        let events = SortedEvents(buffer, grain)
        // No later event takes a row away.
        let rowCounts = events.rowCounts()
        var affordable: RollupWindow? = window
        while let candidate = affordable, !canPay(rowCounts[Int(candidate.rawValue) - 1]) {
            affordable = candidate.nextCoarser
        }
        coarsen(to: affordable, &scratch)
        guard let window = affordable else { return }
        parts.append(events.rows(of: buffer, shape, window, &scratch))
        while parts.count >= 2, parts[parts.count - 2].count <= 2 * parts[parts.count - 1].count {
            mergeLast(2, &scratch)
        }
    }

    private func canPay(_ rowCount: Int) -> Bool { RollupPolicy.pays(rowCount: rowCount, eventCount: eventCountMax) }

    private mutating func coarsen(to target: RollupWindow?, _ scratch: inout BinScratch) {
        guard target != window else { return }
        window = target
        guard let target else {
            parts = []
            return
        }
        for index in parts.indices { parts[index] = parts[index].coarsened(to: target, &scratch) }
    }

    private mutating func mergeLast(_ count: Int, _ scratch: inout BinScratch) {
        let merged = RollupRows.merged(Array(parts.suffix(count)), &scratch)
        parts.removeLast(count)
        parts.append(merged)
        var affordable = window
        var rowCount = merged.count
        while let candidate = affordable, !canPay(rowCount) {
            affordable = candidate.nextCoarser
            coarsen(to: affordable, &scratch)
            rowCount = parts.last?.count ?? 0
        }
    }

    /// The rows of the finest window that pays, in memory's order; nil when none does.
    mutating func finish(eventCount: UInt64, _ scratch: inout BinScratch) -> RollupRows? {
        defer {
            parts = []
            window = .oneMinute
        }
        precondition(eventCount <= eventCountMax)
        if parts.count > 1 { mergeLast(parts.count, &scratch) }
        guard let all = parts.first else { return nil }
        return all.paying(eventCount: eventCount, &scratch)
    }
}

extension RollupRows {
    /// The rows, or the finest coarser ones, that pay; nil when none do.
    func paying(eventCount: UInt64, _ scratch: inout BinScratch) -> RollupRows? {
        var rows = self
        while !RollupPolicy.pays(rowCount: rows.count, eventCount: eventCount) {
            guard let coarser = rows.window.nextCoarser else { return nil }
            rows = rows.coarsened(to: coarser, &scratch)
        }
        return rows
    }
}
