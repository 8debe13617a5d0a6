import Testing

/// The brace matcher itself, on what would fool a simpler one.
struct SourceCodeTests {
    private func functions(_ source: String) -> [String] {
        SourceCode(source).functions.map { "\($0.name) \($0.line) \($0.lineCount)" }
    }

    @Test func aFunctionReachesFromItsKeywordToItsBrace() {
        #expect(functions("func a() {\n    b()\n}\nfunc c() {}\n") == ["a 1 3", "c 4 1"])
    }

    @Test func nestedFunctionsCountOnTheirOwnAndForTheirParent() {
        #expect(functions("func a() {\n    func b() {\n    }\n}\n") == ["a 1 4", "b 2 2"])
    }

    @Test func initializersAndSubscriptsAreFunctions() {
        let source =
            "struct S {\n    init() {\n    }\n    deinit {}\n    subscript(i: Int) -> Int {\n        1\n    }\n}\n"
        #expect(functions(source) == ["init 2 2", "deinit 4 1", "subscript 5 3"])
    }

    @Test func aRequirementWithoutABodyIsNotTakenForTheNextFunction() {
        let source =
            "protocol P {\n    func a() throws\n    func b(_ c: Int) -> Int\n}\nextension P {\n    func d() {\n    }\n}\n"
        #expect(functions(source) == ["d 6 2"])
    }

    @Test func callsOfInitializersAreNoFunctions() {
        #expect(functions("let a = S.init() \nfunc b() { .init() }\n") == ["b 2 1"])
    }

    @Test func closuresAsDefaultArgumentsAreNotTheBody() {
        #expect(functions("func a(\n    b: () -> Void = { },\n    c: [Int] = []\n) where T: P {\n}\n") == ["a 1 5"])
    }

    @Test func operatorsHaveNames() {
        #expect(functions("static func == (a: S, b: S) -> Bool {\n    true\n}\n") == ["== 1 3"])
    }

    @Test(arguments: [
        "func a() {\n    // }\n}\n",
        "func a() {\n    /* } /* } */ } */\n}\n",
        "func a() {\n    b(\"}\")\n}\n",
        "func a() {\n    b(\"\\\"}\")\n}\n",
        "func a() {\n    b(#\"}\"}\"#)\n}\n",
        "func a() {\n    b(\"\\(c { \"}\" })}\")\n}\n",
        "func a() {\n    b(\"\\((1 + (2)))}\")\n}\n",
        "func a() {\n    b(#\"\\(}\"#)\n}\n",
        "func a() {\n    b(##\"\\##(c(\"}\"))\"#}\"##)\n}\n",
    ])
    func bracesInCommentsAndStringsAreText(source: String) {
        #expect(functions(source) == ["a 1 3"])
    }

    @Test func bracesInMultilineStringsAreText() {
        let quotes = "\"\"\""
        let source = "func a() {\n    b(\(quotes)\n        } \" \\(c) \"\" }\n        \(quotes))\n}\nfunc d() {}\n"
        #expect(functions(source) == ["a 1 5", "d 6 1"])
    }

    @Test func aRawMultilineStringEndsWithItsHashes() {
        let quotes = "\"\"\""
        let source = "func a() {\n    b(#\(quotes)\n        \(quotes) }\n        \(quotes)#)\n}\n"
        #expect(functions(source) == ["a 1 5"])
    }

    @Test func macrosAreNoStrings() {
        #expect(functions("func a() {\n    #expect(b)\n    #if c\n    #endif\n}\n") == ["a 1 5"])
    }

    @Test func blankedTextKeepsItsPlaces() {
        let source = "let a = \"é}\" // é\nlet b = 1\n"
        let code = SourceCode(source)
        #expect(code.code.count == source.utf8.count)
        #expect(code.words.map(\.text) == ["let", "a", "let", "b", "1"])
        #expect(code.line(at: code.words[2].offset) == 2)
    }

    @Test func codeInsideAnInterpolationIsCode() {
        #expect(SourceCode("let a = \"text \\(word) text\"\n").words.map(\.text) == ["let", "a", "word"])
    }

    @Test func importsAreFoundInAllTheirForms() {
        let source =
            "import A\npackage import B\n@testable import C\nimport struct D.E\n// import F\nlet g = \"import H\"\n"
        let imports = SourceCode(source).imports
        #expect(imports.map(\.module) == ["A", "B", "C", "D"])
        #expect(imports.map(\.line) == [1, 2, 3, 4])
    }

    @Test func patternsMatchWholeWords() {
        let code = SourceCode("let a = Date()\nlet b = appendDate()\nlet c = \"Date()\"\n")
        #expect(code.lines(of: "Date(") == [1])
        #expect(SourceCode("x as! Y\n").lines(of: "as!") == [1])
        #expect(SourceCode("unsafely(unsafe x)\nnonisolated(unsafe)\n").lines(of: "unsafe") == [1, 2])
    }

    @Test func membersAndDeclarationsAreNoFreeCalls() {
        let source = "time(nil)\nfunc time() {}\na.time()\na\n    .time()\nlet time = 1\nb(time())\ncase time(Int)\n"
        let code = SourceCode(source)
        #expect(code.lines(ofFreeCall: "time") == [1, 7])
    }
}
