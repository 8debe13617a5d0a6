import Foundation
import Testing

@testable import DaybookControl

/// docs/operations/configuration.md says what the code does.
@Suite struct ConfigurationPageTests {
    private var path: String {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("docs/operations/configuration.md").path
    }

    private func page() throws -> [String] {
        let bytes = try #require(
            FileManager.default.contents(atPath: path), "docs/operations/configuration.md is missing")
        return String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n")
    }

    /// The lines of the table under a heading, without its own head.
    private func rows(under heading: String) throws -> [String] {
        let lines = try page()
        let start = try #require(lines.firstIndex(of: heading), "no heading \(heading)")
        return lines[(start + 1)...].prefix { !$0.hasPrefix("#") }.filter { $0.hasPrefix("| ") }.dropFirst(2).map(
            \.self)
    }

    private func row(of key: ConfigurationKey) -> String {
        let value = key.value(in: Configuration()).description
        let variables = ([key.variable] + key.aliases).map { "`\($0)`" }.joined(separator: ", ")
        let cells = [
            "`\(key.name)`", value.isEmpty ? "" : "`\(value)`", key.limits, variables,
            key.flag.map { "`\($0)`" } ?? "", key.summary,
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    private var settings: [String] { ConfigurationKey.all.map(row) }

    private var variables: [String] {
        ForeignVariable.all.map { variable in
            "| `\(variable.name)` | \(variable.fate) | \(variable.meaning) |"
        }
    }

    /// Writes the tables anew when asked to: DAYBOOK_PAGES=rewrite.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["DAYBOOK_PAGES"] == "rewrite"))
    func theTablesAreWrittenAnew() throws {
        var lines = try page()
        for (heading, rows) in [("## Settings", settings), ("## Variables of other services", variables)] {
            let start = try #require(lines.firstIndex(of: heading))
            let first = try #require(lines[start...].firstIndex { $0.hasPrefix("| ") }) + 2
            let end = lines[first...].firstIndex { !$0.hasPrefix("| ") } ?? lines.endIndex
            lines.replaceSubrange(first..<end, with: rows)
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test func everySettingHasItsRow() throws {
        #expect(try rows(under: "## Settings") == settings)
    }

    @Test func everyVariableOfOtherServicesHasItsRow() throws {
        #expect(try rows(under: "## Variables of other services") == variables)
    }

    @Test func theExampleIsSound() throws {
        let lines = try page()
        let start = try #require(lines.firstIndex(of: "```toml"))
        let example = lines[(start + 1)...].prefix { $0 != "```" }
        var sources = ConfigurationSources()
        sources.file = ConfigurationSources.File(path: "x", bytes: Array(example.joined(separator: "\n").utf8))
        let configuration = try Configuration(sources)
        #expect(configuration.origins.count >= 8)
    }
}
