package import DaybookFormat

/// Event times from `start`, up to but not including `end`.
package struct TimeRange: Hashable, Sendable {
    package var start: Timestamp
    package var end: Timestamp

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    package static let all = TimeRange(start: Timestamp(microseconds: .min), end: Timestamp(microseconds: .max))

    package func contains(_ microseconds: Int64) -> Bool {
        start.microseconds <= microseconds && microseconds < end.microseconds
    }

    func overlaps(from minimum: Int64, through maximum: Int64) -> Bool {
        minimum < end.microseconds && maximum >= start.microseconds
    }

    func covers(from minimum: Int64, through maximum: Int64) -> Bool {
        minimum >= start.microseconds && maximum < end.microseconds
    }
}

/// How long the buckets of a series are.
package enum AggregationWindow: String, CaseIterable, Hashable, Sendable {
    case oneMinute = "1m"
    case fiveMinutes = "5m"
    case fifteenMinutes = "15m"
    case oneHour = "1h"
    case oneDay = "1d"
    /// One bucket, the range itself.
    case total

    /// Nil for `total`.
    package var microseconds: Int64? {
        switch self {
        case .oneMinute: 60_000_000
        case .fiveMinutes: 300_000_000
        case .fifteenMinutes: 900_000_000
        case .oneHour: 3_600_000_000
        case .oneDay: 86_400_000_000
        case .total: nil
        }
    }
}

/// Where the buckets of a query lie. Buckets are aligned to 1970-01-01T00:00:00Z, so days and hours are those of UTC.
struct BucketGrid: Sendable {
    let range: TimeRange
    private let width: Int64?

    init(_ window: AggregationWindow, _ range: TimeRange) {
        self.range = range
        width = window.microseconds
    }

    /// The number of the bucket that holds a time of the range; 0 for the one that holds 1970.
    func bucket(of microseconds: Int64) -> Int64 {
        guard let width else { return 0 }
        let quotient = microseconds / width
        return microseconds % width < 0 ? quotient - 1 : quotient
    }

    /// The bucket clipped to the range, and whether that cut anything off.
    func bounds(of bucket: Int64) -> (start: Timestamp, end: Timestamp, isPartial: Bool) {
        guard let width else { return (range.start, range.end, false) }
        let start = Timestamp(microseconds: bucket.multipliedReportingOverflow(by: width).partialValue)
        let end = start.adding(microseconds: width)
        return (max(start, range.start), min(end, range.end), start < range.start || end > range.end)
    }
}
