import Testing

@Suite(.enabled(if: SourceTree.isCheckedOut))
struct SizeTests {
    static let functionLineCountMax = 70
    static let fileLineCountMax = 400

    @Test(arguments: SourceTree.swift)
    func aFunctionFitsOnAScreen(file: TextFile) {
        for function in file.code.functions where function.lineCount > Self.functionLineCountMax {
            let key = "\(file.path): \(function.name)"
            #expect(
                Exceptions.longFunctions[key] != nil,
                "\(file.path):\(function.line) \(function.name) has \(function.lineCount) lines")
        }
    }

    @Test(arguments: SourceTree.files(in: ["Sources/", "Tests/", "Benchmarks/"], endings: [".swift", ".c", ".h"]))
    func aFileHasOneJob(file: TextFile) {
        // The last line break ends the last line and starts no further one.
        let lineCount = file.lines.count - 1
        guard lineCount > Self.fileLineCountMax else { return }
        #expect(Exceptions.longFiles[file.path] != nil, "\(file.path) has \(lineCount) lines")
    }

    @Test func everyExceptionIsNeeded() {
        for key in Exceptions.longFunctions.keys {
            let parts = key.split(separator: ": ").map(String.init)
            let functions = SourceTree.swift.first { $0.path == parts.first }?.code.functions ?? []
            #expect(
                functions.contains { $0.name == parts.last && $0.lineCount > Self.functionLineCountMax }, "\(key)")
        }
        for path in Exceptions.longFiles.keys {
            #expect((SourceTree.read(path)?.lines.count ?? 0) - 1 > Self.fileLineCountMax, "\(path)")
        }
        for path in Exceptions.sleepers.keys {
            #expect(SourceTree.read(path)?.code.lines(of: "Task.sleep").isEmpty == false, "\(path)")
        }
        for reason in [Exceptions.longFunctions, Exceptions.longFiles, Exceptions.sleepers].flatMap(\.values) {
            #expect(reason.count > 20, "a reason is a sentence: \(reason)")
        }
    }
}
