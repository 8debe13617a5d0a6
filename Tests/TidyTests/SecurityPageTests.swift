import Testing

/// The table of threats names only tests that exist.
@Suite(.enabled(if: SourceTree.isCheckedOut))
struct SecurityPageTests {
    /// `Suite` or `Suite/test`, from the last column of a row.
    private static func tests(of page: TextFile) -> [String] {
        page.lines.filter { $0.hasPrefix("| ") && $0.hasSuffix(" |") && $0.contains("Tests") }.flatMap { line in
            let cell = line.dropLast(2).split(separator: "|").last ?? ""
            return cell.split(separator: "`").filter { $0.contains("Tests") }.map(String.init)
        }
    }

    @Test func everyTestOfTheTableExists() throws {
        let page = try #require(SourceTree.read("docs/security.md"))
        let names = Self.tests(of: page)
        #expect(names.count > 20)
        for name in names {
            let parts = name.split(separator: "/").map(String.init)
            let file = SourceTree.swift.first { $0.path.hasSuffix("/\(parts[0]).swift") && $0.path.hasPrefix("Tests/") }
            #expect(file != nil, "no suite \(parts[0])")
            if parts.count > 1 { #expect(file?.text.contains("func \(parts[1])(") == true, "no test \(name)") }
        }
    }

    @Test func everyRowNamesATest() throws {
        let page = try #require(SourceTree.read("docs/security.md"))
        let rows = page.lines.filter { $0.hasPrefix("| ") && !$0.hasPrefix("| threat") && !$0.hasPrefix("| ---") }
        for row in rows { #expect(row.contains("Tests"), "\(row)") }
    }
}
