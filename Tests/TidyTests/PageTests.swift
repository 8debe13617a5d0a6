import DaybookTestSupport
import Foundation
import Testing

@Suite(.enabled(if: SourceTree.isCheckedOut))
struct PageTests {
    @Test(arguments: SourceTree.pages)
    func relativeLinksLeadSomewhere(page: TextFile) {
        let folder = page.path.split(separator: "/").dropLast().map(String.init)
        for link in Markdown(page.text).links where !link.target.contains("://") {
            let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let target = parts[0].isEmpty ? page.path : resolve(String(parts[0]), from: folder)
            guard let target, SourceTree.exists(target) else {
                Issue.record("\(page.path):\(link.line) leads to \(link.target), which does not exist")
                continue
            }
            guard parts.count == 2, let text = SourceTree.read(target)?.text else { continue }
            let anchors = Markdown(text).anchors
            #expect(anchors.contains(String(parts[1])), "\(page.path):\(link.line) leads to no heading: \(link.target)")
        }
    }

    /// Nil when the path leaves the repository.
    private func resolve(_ target: String, from folder: [String]) -> String? {
        var components = folder
        for part in target.split(separator: "/") where part != "." {
            if part == ".." {
                guard !components.isEmpty else { return nil }
                components.removeLast()
            } else {
                components.append(String(part))
            }
        }
        return components.joined(separator: "/")
    }

    /// A path in backticks that begins at the root of the repository is a link as well.
    @Test(arguments: SourceTree.pages.filter { $0.path != "CHANGELOG.md" })
    func pathsInPagesExist(page: TextFile) {
        let roots = ["Sources/", "Tests/", "Benchmarks/", "tools/", "docs/", ".ci/"]
        for (index, line) in page.lines.enumerated() {
            for text in line.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
                guard !text.offset.isMultiple(of: 2), roots.contains(where: { text.element.hasPrefix($0) }) else {
                    continue
                }
                let path = String(text.element.prefix { $0 != " " })
                guard !path.contains("*") else { continue }
                #expect(SourceTree.exists(path), "\(page.path):\(index + 1) names \(path)")
            }
        }
    }

    static let formatPages = SourceTree.pages.filter {
        $0.path.hasPrefix("docs/format/") && $0.path != "docs/format/README.md"
    }

    @Test(arguments: formatPages)
    func aFormatPageHasExamplesThatATestRuns(page: TextFile) throws {
        let vectors = try HexVectors.load(page: page.path)
        #expect(vectors.contains { !$0.json.isEmpty }, "\(page.path) says of no example what it means")
        let tests = SourceTree.swift.filter { $0.path.hasPrefix("Tests/") && !$0.path.hasPrefix("Tests/TidyTests/") }
        #expect(tests.contains { $0.text.contains(page.path) }, "no test reads \(page.path)")
    }

    @Test func theListOfFormatsIsComplete() throws {
        let list = try #require(SourceTree.read("docs/format/README.md"))
        let linked = Set(Markdown(list.text).links.map { "docs/format/\($0.target)" })
        #expect(Set(Self.formatPages.map(\.path)) == linked)
        #expect(linked.count > 3)
    }

    /// Whoever lays out bytes says on which page they are drawn.
    @Test(arguments: SourceTree.sources)
    func aFileKindNamesItsPage(file: TextFile) {
        let isLayout =
            file.path.hasPrefix("Sources/DaybookFormat/Log/")
            || !file.code.lines(of: "static let magic").isEmpty
        if isLayout { #expect(file.text.contains("docs/format/"), "\(file.path) names no page") }
    }

    @Test(arguments: SourceTree.files(in: ["Sources/", "Tests/", "tools/"], endings: [""]))
    func pagesNamedInSourcesExist(file: TextFile) {
        guard file.path != "Tests/DaybookFormatTests/HexVectorsTests.swift" else { return }
        var rest = Substring(file.text)
        while let start = rest.firstRange(of: "docs/") {
            let name = rest[start.lowerBound...].prefix { $0.isLetter || $0.isNumber || "/-_.".contains($0) }
            rest = rest[start.upperBound...]
            guard name.hasSuffix(".md") else { continue }
            #expect(SourceTree.exists(String(name)), "\(file.path) names \(name)")
        }
    }

    @Test func decisionsAreNumberedWithoutGaps() {
        let names = SourceTree.pages.map(\.path).filter { $0.hasPrefix("docs/decisions/") }
            .map { $0.dropFirst("docs/decisions/".count) }.sorted()
        for (number, name) in names.enumerated() {
            #expect(Int(name.prefix(4)) == number, "\(name) should have number \(number)")
        }
        #expect(names.count > 5)
    }

    @Test(arguments: SourceTree.pages.filter { $0.path.hasPrefix("docs/decisions/") && !$0.path.contains("0000") })
    func aDecisionHasAStatusAndSaysWhatItIsNot(page: TextFile) throws {
        let status = try #require(page.lines.first { $0.hasPrefix("Status: ") }, "no status line")
        let word = status.dropFirst("Status: ".count).prefix { $0.isLetter }
        #expect(["accepted", "rejected", "superseded"].contains(String(word)))
        #expect(page.lines.contains("## Not a goal"))
    }

    @Test func theChangelogHasAnUnreleasedSection() throws {
        let changelog = try #require(SourceTree.read("CHANGELOG.md"))
        #expect(changelog.lines.contains("## Unreleased"))
    }
}

struct MarkdownTests {
    @Test func linksOutsideCodeAreFoundWithTheirLines() {
        let page = Markdown("A [b](c.md) and [d](e/f.md#g).\n`[h](i)`\n```\n[j](k)\n```\n![l](m.png)\n")
        #expect(page.links.map(\.target) == ["c.md", "e/f.md#g", "m.png"])
        #expect(page.links.map(\.line) == [1, 1, 6])
    }

    @Test(arguments: [
        ("## Group record", "group-record"), ("# 3. Torn, or corrupt?", "3-torn-or-corrupt"), ("## `docs/x`", "docsx"),
    ])
    func headingsBecomeAnchors(heading: String, anchor: String) {
        #expect(Markdown(heading).anchors == [anchor])
    }
}
