internal import DaybookFormat
package import DaybookStore

/// What a check of rollups found, for people and for scripts.
package struct RollupVerifyReport: Sendable {
    private let report: RollupCheckReport

    package init(_ report: RollupCheckReport) { self.report = report }

    package var isSound: Bool { report.isSound }

    private var figures: [(name: String, count: UInt64)] {
        [
            ("logs", UInt64(report.logCount)), ("segments", UInt64(report.segmentCount)),
            ("rollups", UInt64(report.rollupCount)), ("rollup_bytes", report.rollupByteCount),
            ("rows", UInt64(report.rowCount)),
        ]
    }

    /// `{"sound":…,"damage":[…],"notes":[…],"checked":{…}}`.
    package func json() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 1_024)
        object.field("sound", isSound)
        object.field("damage", json: Self.list(report.findings))
        object.field("notes", json: Self.list(report.notes))
        var checked = JSONObjectWriter(byteCapacity: 128)
        for (name, count) in figures { checked.field(name, count) }
        object.field("checked", json: checked.finish())
        return object.finish()
    }

    private static func list(_ findings: [RollupFinding]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (position, finding) in findings.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            var item = JSONObjectWriter(byteCapacity: 256)
            item.field("kind", finding.problem.rawValue)
            item.field("file", finding.file)
            if !finding.segment.isEmpty { item.field("segment", finding.segment) }
            if let grain = finding.grain { item.field("grain", grain) }
            if let window = finding.window { item.field("window", window) }
            if let start = finding.windowStart { item.field("window_start", Inspector.text(start)) }
            item.field("reason", finding.reason)
            bytes.append(contentsOf: item.finish())
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// A line for each finding, then what was looked at.
    package func text() -> String {
        var lines = report.findings.map { "damage  " + Self.line($0) } + report.notes.map { "note  " + Self.line($0) }
        lines.append(
            "checked  " + figures.map { "\($0.count) \($0.name.replacing("_", with: " "))" }.joined(separator: ", "))
        let count = report.findings.count
        lines.append(isSound ? "sound" : "\(count) \(count == 1 ? "rollup is" : "rollups are") not what the rows say")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ finding: RollupFinding) -> String {
        var words = [finding.file + (finding.segment.isEmpty ? "" : " of \(finding.segment)")]
        if let grain = finding.grain { words.append("grain \(grain)") }
        if let window = finding.window { words.append("window \(window)") }
        if let start = finding.windowStart { words.append("from \(Inspector.text(start))") }
        return words.joined(separator: ", ") + ": " + finding.reason
    }
}

extension StoreDoor {
    /// Derives the rollups of one organization, or of all, again and compares them. Writes nothing, takes no lock, and
    /// works beside a server.
    ///
    /// - Throws: `ToolError` when there is no store, or no such organization.
    package func verifyRollups(
        organization: String?, progress: @escaping (String) -> Void = { _ in }
    ) throws -> RollupVerifyReport {
        let disk = try disk()
        let log = try organization.map { try Self.organization($0, in: openReadOnly()).log }
        let check = RollupCheck(
            disk: disk, isServed: { [directory] in Self.isServed(directory) }, progress: progress)
        do {
            return RollupVerifyReport(try check.run(log))
        } catch StoreError.notAStore(let reason) {
            throw ToolError(
                "\(directory) holds no store: \(reason).",
                cure: "Check --data (or DAYBOOK_DATA): there is nothing to verify.")
        }
    }
}
