import Testing

@Suite(.enabled(if: SourceTree.isCheckedOut))
struct HygieneTests {
    @Test func theTopLevelIsExactlyThis() {
        let expected: Set = [
            "Package.swift", "Sources", "Tests", "Benchmarks", "tools", "data", "docs", "README.md", "CHANGELOG.md",
            "CONTRIBUTING.md", "SECURITY.md", "LICENSE", ".swift-format", ".editorconfig", ".gitignore", ".ci",
        ]
        let found = Set(SourceTree.paths.map { String($0.prefix { $0 != "/" }) })
        #expect(found == expected)
    }

    static let texts = SourceTree.files(
        in: ["Sources/", "Tests/", "Benchmarks/", "tools/", "docs/", ".ci/"],
        endings: [".swift", ".c", ".h", ".md", ".modulemap", "tools/start", "tools/test", "tools/demo", ".ci/run"])

    @Test(arguments: texts)
    func textIsTidy(file: TextFile) {
        #expect(file.text.hasSuffix("\n"), "\(file.path) does not end with a line break")
        #expect(!file.text.hasSuffix("\n\n"), "\(file.path) ends with an empty line")
        for (index, line) in file.lines.enumerated() {
            #expect(!line.utf8.contains(UInt8(ascii: "\t")), "\(file.path):\(index + 1) has a tab")
            #expect(line.last != " ", "\(file.path):\(index + 1) ends with a space")
            #expect(line.last != "\r", "\(file.path):\(index + 1) ends with a carriage return")
        }
    }

    /// What is left to do is an issue, not a comment. The words are put together here so that this file may name them.
    static let unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]

    @Test(arguments: texts)
    func nothingIsLeftToDo(file: TextFile) {
        for word in unfinishedWords(in: file) { Issue.record("\(file.path): \(word)") }
        #expect(!file.path.hasSuffix("Place" + "holder.swift"), "\(file.path) holds the place of something")
    }

    private func unfinishedWords(in file: TextFile) -> [String] {
        Self.unfinished.filter { file.text.contains($0) }
    }

    /// A stranger's machine has other paths and other mirrors than the one on which this was written.
    static let workplaces = [
        "/wo" + "rk/", "/ro" + "ot/", "deb.debian" + ".org", "pypi" + ".org", "pythonhosted" + ".org",
        "registry.npmjs" + ".org", "crates" + ".io", "proxy.golang" + ".org", "docker" + ".io",
    ]

    @Test(arguments: texts)
    func noFileNamesAWorkplace(file: TextFile) {
        for word in Self.workplaces {
            for range in file.text.ranges(of: word) {
                // `framework/…` and relative paths are no absolute path.
                let before = file.text[..<range.lowerBound].last
                let isPath =
                    word.hasPrefix("/") && before.map { $0.isLetter || $0.isNumber || ".-_}".contains($0) } ?? false
                #expect(isPath, "\(file.path) names \(word)")
            }
        }
    }

    @Test func onlyPackagesNameTheHostOfTheirDependencies() {
        let host = "github" + ".com"
        let named = Self.texts.filter { $0.text.contains(host) }.map(\.path)
        #expect(Set(named).subtracting(["Benchmarks/Package.swift"]) == [])
    }
}
