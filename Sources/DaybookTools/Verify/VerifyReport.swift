package import DaybookStore

/// What a check of a data directory found, for people and for scripts.
package struct VerifyReport: Sendable {
    private let report: StoreCheckReport

    package init(_ report: StoreCheckReport) { self.report = report }

    package var isSound: Bool { report.isSound }

    private func findings(_ severity: StoreFinding.Severity) -> [StoreFinding] {
        report.findings.filter { $0.severity == severity }
    }

    private var figures: [(name: String, count: Int)] {
        let counts = report.counts
        return [
            ("logs", counts.logs), ("manifests", counts.manifests), ("segments", counts.segments),
            ("pages", counts.pages), ("rows", counts.rows), ("indexes", counts.indexes), ("rollups", counts.rollups),
            ("carry_files", counts.carryFiles), ("erasures", counts.erasures), ("log_files", counts.logFiles),
            ("log_groups", counts.logGroups), ("journal_groups", counts.journalGroups),
        ]
    }

    /// `{"sound":…,"damage":[…],"disposable":[…],"notes":[…],"checked":{…}}`.
    package func json() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 1_024)
        object.field("sound", isSound)
        object.field("damage", json: list(.damage))
        object.field("disposable", json: list(.disposable))
        object.field("notes", json: list(.note))
        var checked = JSONObjectWriter(byteCapacity: 256)
        for (name, count) in figures { checked.field(name, count) }
        object.field("checked", json: checked.finish())
        return object.finish()
    }

    private func list(_ severity: StoreFinding.Severity) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (position, finding) in findings(severity).enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            var item = JSONObjectWriter(byteCapacity: 256)
            item.field("kind", finding.subject.rawValue)
            item.field("file", finding.file)
            item.field("offset", finding.offset)
            item.field("reason", finding.reason)
            bytes.append(contentsOf: item.finish())
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// A line for each finding, damage first, then what was looked at.
    package func text() -> String {
        var lines: [String] = []
        for severity in StoreFinding.Severity.allCases {
            let name = severity == .disposable ? "derived" : severity.rawValue
            for finding in findings(severity) {
                lines.append(
                    "\(name)  \(finding.subject.rawValue)  \(finding.file) at offset \(finding.offset): \(finding.reason)"
                )
            }
        }
        lines.append(
            "checked  " + figures.map { "\($0.count) \($0.name.replacing("_", with: " "))" }.joined(separator: ", "))
        let damageCount = findings(.damage).count
        lines.append(isSound ? "sound" : "\(damageCount) \(damageCount == 1 ? "place is" : "places are") damaged")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension StoreDoor {
    /// Checks the whole data directory. Writes nothing, takes no lock, and works beside a server.
    ///
    /// - Throws: `ToolError` when there is no store to check.
    package func verify(progress: @escaping (String) -> Void = { _ in }) throws -> VerifyReport {
        let disk = try disk()
        let check = StoreCheck(
            disk: disk, isServed: { [directory] in Self.isServed(directory) }, progress: progress)
        do {
            var report = try check.run()
            report.findings += KeptFileCheck.findings(disk)
            return VerifyReport(report)
        } catch StoreError.notAStore(let reason) {
            throw ToolError(
                "\(directory) holds no store: \(reason).",
                cure: "Check --data (or DAYBOOK_DATA): there is nothing to verify.")
        }
    }
}
