package import DaybookFormat

/// What the rows of a rollup are told apart by, beside window and status. The raw value is on disk: never renumber.
/// Spec: docs/format/rollup.md.
package enum RollupGrain: UInt8, CaseIterable, Sendable, Hashable {
    /// Nothing else.
    case status = 1
    /// Command, agent or metric type.
    case name = 2
    case user = 3

    package var hasKeys: Bool { self != .status }
}

/// How long the windows of a rollup are. Each holds a whole number of the finer ones; all are aligned to
/// 1970-01-01T00:00:00Z. The raw value is on disk: never renumber.
package enum RollupWindow: UInt8, CaseIterable, Sendable, Hashable, Comparable {
    case oneMinute = 1
    case fiveMinutes = 2
    case fifteenMinutes = 3
    case oneHour = 4
    case oneDay = 5

    package var minutes: Int64 {
        switch self {
        case .oneMinute: 1
        case .fiveMinutes: 5
        case .fifteenMinutes: 15
        case .oneHour: 60
        case .oneDay: 1_440
        }
    }

    package var microseconds: Int64 { minutes * 60_000_000 }

    /// Nil for the coarsest.
    package var nextCoarser: RollupWindow? { RollupWindow(rawValue: rawValue + 1) }

    package static func < (left: RollupWindow, right: RollupWindow) -> Bool { left.rawValue < right.rawValue }
}

/// Which segment a rollup was made from.
package struct RollupIdentity: Equatable, Sendable {
    package var log: LogID
    package var family: Family
    /// The sequences for which the segment speaks.
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    /// Checksum of the segment's footer page: a rollup of another content does not fit.
    package var segmentChecksum: UInt32

    package init(log: LogID, family: Family, firstSequence: UInt64, lastSequence: UInt64, segmentChecksum: UInt32) {
        self.log = log
        self.family = family
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.segmentChecksum = segmentChecksum
    }
}

/// When rollups are worth their bytes.
package enum RollupPolicy {
    /// A grain and window is stored when it has at least this many events to a row.
    package static let eventsPerRowMin: UInt64 = 8

    /// Which grains and windows a file gets.
    package struct Storage: Sendable, Equatable {
        package var finest: RollupWindow
        package var eventsPerRowMin: UInt64
        /// Nothing else knows the events: days are stored in any case, and all windows where no row is of a single user.
        package var isOnlyRecord: Bool

        package static let besideSegments = Storage(
            finest: .oneMinute, eventsPerRowMin: RollupPolicy.eventsPerRowMin, isOnlyRecord: false)
        /// What is left of events that have expired.
        package static let history = Storage(finest: .oneHour, eventsPerRowMin: 2, isOnlyRecord: true)

        func pays(_ grain: RollupGrain, _ window: RollupWindow, rowCount: Int, eventCount: UInt64) -> Bool {
            if isOnlyRecord, grain != .user || window == .oneDay { return true }
            return UInt64(rowCount) <= eventCount / eventsPerRowMin
        }
    }

    /// Session changes merge by session, not by sum: they have none.
    package static func covers(_ family: Family) -> Bool {
        family == .commandExecution || family == .agentInteraction || family == .productivityMetric
    }
}

/// What the rows of a family measure.
enum RollupShape: Sendable, Equatable {
    case durations
    case durationsAndTokens
    case values

    /// Precondition: the family has rollups.
    init(_ family: Family) {
        precondition(RollupPolicy.covers(family))
        switch family {
        case .agentInteraction: self = .durationsAndTokens
        case .productivityMetric: self = .values
        default: self = .durations
        }
    }
}
