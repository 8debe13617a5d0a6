package import DaybookEvent

/// Strings of some rows as codes into a table of distinct strings, as a column of a segment has them.
package struct RollupCodes: Sendable {
    /// The code of a row that has no value; the same as that of the columns of segments.
    package static let missing = UInt32.max

    package let bytes: [UInt8]
    /// String `code` is `bytes[offsets[code]..<offsets[code + 1]]`.
    package let offsets: [UInt32]
    package let codes: [UInt32]

    /// Precondition: `offsets` begins with 0, never falls, and ends with `bytes.count`; every code is below
    /// `offsets.count - 1` or `missing`.
    package init(bytes: [UInt8], offsets: [UInt32], codes: [UInt32]) {
        precondition(offsets.first == 0)
        precondition(Int(offsets[offsets.count - 1]) == bytes.count)
        self.bytes = bytes
        self.offsets = offsets
        self.codes = codes
    }
}

/// The columns of some events of one family, as far as rollups need them. Columns that a family does not have are empty.
package struct RollupColumns: Sendable {
    /// Microseconds since 1970; times that have a text.
    package var timestamps: [Int64] = []
    /// Commands and agents: raw values of `EventStatus`.
    package var statuses: [UInt8] = []
    /// Commands and agents: nanoseconds.
    package var durations: [UInt64] = []
    /// Which rows have a duration; nil when all have one.
    package var durationPresence: [Bool]?
    /// Agents.
    package var inputTokens: [UInt64] = []
    package var outputTokens: [UInt64] = []
    /// Metrics.
    package var values: [EventNumber] = []
    package var names = RollupCodes(bytes: [], offsets: [0], codes: [])
    package var users = RollupCodes(bytes: [], offsets: [0], codes: [])

    package init() {}

    package var rowCount: Int { timestamps.count }
}
