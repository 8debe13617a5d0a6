package import DaybookEvent
package import DaybookFormat

/// How many events ended how.
package struct StatusCounts: Equatable, Sendable {
    package var success: UInt64 = 0
    package var error: UInt64 = 0
    package var timeout: UInt64 = 0
    package var cancelled: UInt64 = 0

    package init() {}

    package init(success: UInt64, error: UInt64, timeout: UInt64, cancelled: UInt64) {
        self.success = success
        self.error = error
        self.timeout = timeout
        self.cancelled = cancelled
    }

    package mutating func add(_ status: EventStatus) {
        switch status {
        case .success: success += 1
        case .error: error += 1
        case .timeout: timeout += 1
        case .cancelled: cancelled += 1
        }
    }

    package mutating func merge(_ other: StatusCounts) {
        success += other.success
        error += other.error
        timeout += other.timeout
        cancelled += other.cancelled
    }
}

/// Everything that is kept of the events of one group and window. Rows merge in any order to the same bits.
package struct AggregateRow: Equatable, Sendable {
    /// Commands and agents; metrics and sessions have no status of this kind.
    package var statuses = StatusCounts()
    /// Commands and agents: how long they took. Sessions: how long those lasted that say so.
    package var durations = DurationSummary()
    package var inputTokens: UInt128 = 0
    package var outputTokens: UInt128 = 0
    /// Productivity metrics.
    package var values = ValueSummary()

    package init() {}

    package mutating func merge(_ other: AggregateRow) {
        statuses.merge(other.statuses)
        durations.merge(other.durations)
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        values.merge(other.values)
    }

    package func merging(_ other: AggregateRow) -> AggregateRow {
        var merged = self
        merged.merge(other)
        return merged
    }

    /// Equal rows have equal bytes: four counts, durations, tokens (16 bytes each), values.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(varint: statuses.success)
        bytes.append(varint: statuses.error)
        bytes.append(varint: statuses.timeout)
        bytes.append(varint: statuses.cancelled)
        durations.append(to: &bytes)
        bytes.append(littleEndian: inputTokens)
        bytes.append(littleEndian: outputTokens)
        values.append(to: &bytes)
    }

    package init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        statuses = StatusCounts(
            success: try Self.count(&reader, bytes), error: try Self.count(&reader, bytes),
            timeout: try Self.count(&reader, bytes), cancelled: try Self.count(&reader, bytes))
        durations = try DurationSummary(&reader, bytes)
        inputTokens = try Self.sum(&reader, bytes)
        outputTokens = try Self.sum(&reader, bytes)
        values = try ValueSummary(&reader, bytes)
    }

    /// No stored count is larger, so that thousands of damaged rows can be merged without an overflow.
    private static let countMax: UInt64 = 1 << 48

    static func count(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> UInt64 {
        let count = try reader.varint(bytes)
        guard count <= countMax else { throw .invalid("row count") }
        return count
    }

    /// At most `countMax` numbers of 64 bits.
    static func sum(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> UInt128 {
        let low = try reader.uint64(bytes)
        let high = try reader.uint64(bytes)
        guard high <= countMax else { throw .invalid("row sum") }
        return UInt128(high) << 64 | UInt128(low)
    }
}
