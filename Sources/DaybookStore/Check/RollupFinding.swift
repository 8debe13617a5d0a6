internal import DaybookEvent
package import DaybookFormat
internal import DaybookRollup

/// A rollup that is not what its segment's rows say.
package struct RollupFinding: Sendable, Equatable {
    package enum Problem: String, Sendable, CaseIterable {
        /// The manifest names a file that is not there.
        case missing
        /// The file is not the one that the manifest names: readers do not use it.
        case unnamed
        /// Header or directory cannot be read.
        case unreadable
        /// It was made of another segment, or of other rows.
        case foreign
        /// It holds something else than what the rows add up to.
        case different
        /// Its segment, or the manifest, cannot be read: nothing can be said of it.
        case underivable
    }

    package var problem: Problem
    /// Path of the rollup relative to the data directory; of the manifest when that is what cannot be read.
    package var file: String
    /// Path of the segment; empty when the manifest cannot be read.
    package var segment: String
    /// Where they differ first, as far as it can be said.
    package var grain: String?
    package var window: String?
    package var windowStart: Timestamp?
    package var reason: String

    init(_ problem: Problem, _ file: String, segment: String = "", _ reason: String) {
        self.problem = problem
        self.file = file
        self.segment = segment
        self.reason = reason
    }

    init(_ difference: RollupDifference, _ file: String, segment: String) {
        self.init(difference.reason == .identity ? .foreign : .different, file, segment: segment, difference.words)
        grain = difference.grain.map { "\($0)" }
        window = difference.window?.shortText
        windowStart = difference.windowStart.map(Timestamp.init(microseconds:))
    }
}

extension RollupDifference {
    fileprivate var words: String {
        var words =
            switch reason {
            case .identity: "is the rollup of another segment, or of other rows"
            case .damage(let reason): "is damaged: \(reason)"
            case .onlyStored: "has rows that do not pay"
            case .onlyDerived: "lacks rows that pay"
            case .missingRow: "lacks a row"
            case .extraRow: "has a row of no event"
            case .differentRow: "has a row that adds up to something else"
            case .encoding: "has the same rows in other bytes"
            }
        if let status { words += ", status \(status.name)" }
        if let key { words += ", of \(String(decoding: key, as: UTF8.self))" }
        return words
    }
}

extension RollupWindow {
    fileprivate var shortText: String {
        switch self {
        case .oneMinute: "1m"
        case .fiveMinutes: "5m"
        case .fifteenMinutes: "15m"
        case .oneHour: "1h"
        case .oneDay: "1d"
        }
    }
}

/// What a check of rollups found.
package struct RollupCheckReport: Sendable, Equatable {
    package var findings: [RollupFinding] = []
    /// Worth knowing, and nothing is wrong.
    package var notes: [RollupFinding] = []
    package var logCount = 0
    package var segmentCount = 0
    /// Stored files that were compared.
    package var rollupCount = 0
    /// Bytes of these files.
    package var rollupByteCount: UInt64 = 0
    /// Rows that were added up again.
    package var rowCount = 0

    package init() {}

    /// Every stored rollup is what the rows of its segment say.
    package var isSound: Bool { findings.isEmpty }
}
