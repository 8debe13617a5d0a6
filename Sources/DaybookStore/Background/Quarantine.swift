internal import DaybookFormat
internal import DaybookSystem

/// Keeps damaged bytes beside the file they came from, with a report, before anything may remove that file.
enum Quarantine {
    /// - Parameter range: the damaged bytes of the file.
    static func keep(
        disk: any Disk, path: String, range: Range<Int>, corruption: Corruption, at now: Timestamp
    ) throws(DiskError) {
        let folder = parentDirectory(of: path)
        let name = String(path.utf8.dropFirst(folder.utf8.count + 1)) ?? path
        let suffix = name + "-" + hexText(UInt64(range.lowerBound), width: 8)
        let kept = Layout.path(folder, .quarantine(of: suffix))
        guard try !disk.exists(kept) else { return }
        let file = try disk.open(path, .read)
        defer { file.close() }
        var bytes: [UInt8] = []
        try file.read(range.count, at: UInt64(range.lowerBound), appendingTo: &bytes)
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(kept, with: span) }
        let report = """
            {"file":"\(path)","offset":\(range.lowerBound),"byte_count":\(range.count),\
            "reason":"\(corruption.reason)","found_at_microseconds":\(now.microseconds)}\n
            """
        try Array(report.utf8).withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(Layout.path(folder, .quarantineReport(of: suffix)), with: span)
        }
    }

    /// Writes beside a damaged segment what is known about it. From then on nothing removes the segment.
    static func report(
        disk: any Disk, folder: String, name: String, damages: [SegmentDamage], at now: Timestamp
    ) throws(DiskError) {
        let list = damages.map { damage in
            """
            {"offset":\(damage.corruption.offset),"reason":"\(damage.corruption.reason)","rows":\(damage.rowCount)}
            """
        }
        let report = """
            {"file":"\(Layout.path(folder, name))","damages":[\(list.joined(separator: ","))],\
            "found_at_microseconds":\(now.microseconds)}\n
            """
        try Array(report.utf8).withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(Layout.path(folder, .quarantineReport(of: name)), with: span)
        }
    }
}
