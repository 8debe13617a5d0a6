package import DaybookFormat
package import DaybookLog
internal import DaybookSystem

/// What the last start found. Kept in the folder `recovery` when there is anything to tell.
package struct RecoveryReport: Sendable, Equatable {
    /// Groups that only the journal held.
    package var journalGroupCount = 0
    package var journalEventCount: UInt64 = 0
    /// Interrupted writes that nobody was told of.
    package var tornCount = 0
    /// Damage of the journal: acknowledged events may be lost. The bytes are kept in the folder `recovery`.
    package var damages: [JournalDamage] = []
    /// Sequences that were known to be durable and are not there, by log.
    package var gaps: [LogID: [ClosedRange<UInt64>]] = [:]
    /// Positions at the end of the journal that were durable once and are in no file: a file is cut or gone. Which
    /// events stood there nobody knows.
    package var missingPositions: Range<UInt64>?
    package var durationMicroseconds: Int64 = 0

    package init() {}

    package var isClean: Bool { damages.isEmpty && gaps.isEmpty && missingPositions == nil }

    /// One JSON object with a line end.
    package func json(at now: Timestamp) -> String {
        let damageList = damages.map { damage in
            """
            {"file":"\(JournalFiles.path(damage.slot))","offset":\(damage.range.lowerBound),\
            "byte_count":\(damage.range.count),"reason":"\(damage.reason)"}
            """
        }
        let gapList = gaps.sorted { $0.key < $1.key }.flatMap { log, ranges in
            ranges.map { range in
                """
                {"log":"\(hexText(log.rawValue))","first_sequence":\(range.lowerBound),"last_sequence":\(range.upperBound)}
                """
            }
        }
        let missing = missingPositions.map { "[\($0.lowerBound),\($0.upperBound)]" } ?? "null"
        return """
            {"started_at_microseconds":\(now.microseconds),"journal_groups":\(journalGroupCount),\
            "journal_events":\(journalEventCount),"torn_writes":\(tornCount),\
            "damages":[\(damageList.joined(separator: ","))],"lost":[\(gapList.joined(separator: ","))],"missing_positions":\(missing),\
            "duration_microseconds":\(durationMicroseconds)}\n
            """
    }
}

extension RecoveryReport {
    /// - Parameters:
    ///   - marks: what the last checkpoint vouched for.
    ///   - position: how far the journal was durable when the last process said so; it may have come further.
    ///   - disk: is asked only when groups of a log do not go on where its mark ends.
    init(scan: JournalScan, marks: [LogID: LogMark], position: UInt64?, disk: any Disk) throws(ManifestError) {
        if let position, position > scan.endPosition { missingPositions = scan.endPosition..<position }
        journalGroupCount = scan.groups.count
        var ends: [LogID: UInt64] = [:]
        for group in scan.groups {
            journalEventCount += UInt64(group.eventCount)
            var end = ends[group.log] ?? marks[group.log]?.lastSequence ?? 0
            if group.firstSequence > end + 1 { end = max(end, try Self.sealedThrough(group.log, disk)) }
            if group.firstSequence > end + 1 {
                gaps[group.log, default: []].append(end + 1...group.firstSequence - 1)
            }
            ends[group.log] = max(end, group.lastSequence)
        }
        for damage in scan.damages {
            if damage.judgement == .torn { tornCount += 1 } else { damages.append(damage) }
        }
    }

    /// Up to where the manifest accounts for a log. A checkpoint has no newer mark of a log whose last file was sealed
    /// before it; its groups have left the journal all the same. A manifest that cannot be read closes its organization,
    /// and says nothing here.
    private static func sealedThrough(_ log: LogID, _ disk: any Disk) throws(ManifestError) -> UInt64 {
        do throws(ManifestError) {
            return try ManifestLog.load(disk: disk, folder: Layout.folder(of: log), log: log)?.manifest.sealedThrough
                ?? 0
        } catch {
            guard case .corrupt = error else { throw error }
            return 0
        }
    }
}
