internal import DaybookEvent
internal import DaybookFormat

/// What has become of the lines of an import so far.
struct ImportTotals {
    struct SkippedChunk {
        var lines: ClosedRange<UInt64>
    }

    /// Empty ones included.
    var lineCount: UInt64 = 0
    private(set) var storedEventCount: UInt64 = 0
    private(set) var rejectedCount: UInt64 = 0
    /// Good lines of chunks that were not stored because of a bad one.
    private(set) var skippedCount: UInt64 = 0
    private(set) var counts = FamilyCounts()
    /// The first ones.
    private(set) var rejections: [ImportStream.Rejection] = []
    private(set) var skippedChunks: [SkippedChunk] = []
    private(set) var firstSequence: UInt64?
    private(set) var lastSequence: UInt64 = 0

    mutating func note(_ first: UInt64, _ last: UInt64) {
        if firstSequence == nil { firstSequence = first }
        lastSequence = max(lastSequence, last)
    }

    /// - Parameter storedCount: nil when the chunk was not stored because of a bad line.
    mutating func add(_ chunk: ImportChunk, storedCount: Int?) {
        rejectedCount += UInt64(chunk.rejections.count)
        let room = FrontLimits.importListedRejectionCountMax - rejections.count
        rejections.append(contentsOf: chunk.rejections.prefix(room))
        if let storedCount {
            let missingCount = chunk.eventCount - storedCount
            storedEventCount += UInt64(storedCount)
            rejectedCount += UInt64(missingCount)
            counts.add(chunk.counts)
            // Only changes of sessions can be good lines and not be stored.
            counts.removeSessions(missingCount)
            return
        }
        guard chunk.eventCount > 0 else { return }
        skippedCount += UInt64(chunk.eventCount)
        if skippedChunks.count < FrontLimits.importListedRejectionCountMax {
            skippedChunks.append(SkippedChunk(lines: chunk.firstLine...chunk.lastLine))
        }
    }

    /// The counts that lines and answers have in common.
    func appendCounts(to bytes: inout [UInt8]) {
        for (name, count) in [
            (#""lines":"#, lineCount), (#","stored":"#, storedEventCount), (#","rejected":"#, rejectedCount),
            (#","skipped":"#, skippedCount),
        ] {
            bytes.append(contentsOf: name.utf8)
            bytes.append(decimal: count)
        }
    }

    /// Two lists: of bad lines, and of chunks that were not stored because of one.
    func appendLists(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #""errors":["#.utf8)
        for (position, rejection) in rejections.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            rejection.append(to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        guard !skippedChunks.isEmpty else { return }
        bytes.append(contentsOf: #","skipped_chunks":["#.utf8)
        for (position, chunk) in skippedChunks.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: #"{"first_line":"#.utf8)
            bytes.append(decimal: chunk.lines.lowerBound)
            bytes.append(contentsOf: #","last_line":"#.utf8)
            bytes.append(decimal: chunk.lines.upperBound)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
    }
}

extension ImportStream.Rejection {
    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #"{"line":"#.utf8)
        bytes.append(decimal: line)
        bytes.append(contentsOf: #","field":"#.utf8)
        JSONText.append(failure.field, to: &bytes)
        bytes.append(contentsOf: #","message":"#.utf8)
        JSONText.append(failure.message, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }
}

/// The four counts of a batch answer.
struct FamilyCounts {
    private(set) var commandExecutions = 0
    private(set) var agentInteractions = 0
    private(set) var userSessions = 0
    private(set) var productivityMetrics = 0

    init() {}

    init(_ summary: EventParser.Summary) {
        commandExecutions = summary.commandExecutions
        agentInteractions = summary.agentInteractions
        userSessions = summary.userSessions
        productivityMetrics = summary.productivityMetrics
    }

    mutating func add(_ other: FamilyCounts) {
        commandExecutions += other.commandExecutions
        agentInteractions += other.agentInteractions
        userSessions += other.userSessions
        productivityMetrics += other.productivityMetrics
    }

    /// Session changes were counted that are not stored.
    mutating func removeSessions(_ count: Int) { userSessions = max(0, userSessions - count) }
}
