import Testing

/// Time and randomness come in by one door, so that a seed tells the same story every time.
@Suite(.enabled(if: SourceTree.isCheckedOut))
struct BannedCallTests {
    /// Outside DaybookSystem, with what stands in their place.
    static let words: [(pattern: String, instead: String)] = [
        ("Date(", "Clock.wallMicroseconds"),
        ("ContinuousClock", "Clock.monotonicNanoseconds"),
        ("SuspendingClock", "Clock.monotonicNanoseconds"),
        ("DispatchTime", "Clock.monotonicNanoseconds"),
        ("NIODeadline.now", "Clock.monotonicNanoseconds"),
        ("clock_gettime", "Clock"),
        ("gettimeofday", "Clock.wallMicroseconds"),
        (".random(", "Entropy"),
        (".randomElement(", "Entropy"),
        (".shuffled(", "Entropy"),
        ("SystemRandomNumberGenerator", "Entropy"),
        ("UUID(", "EventID(version7At:random:_:)"),
        ("Thread.sleep", "a condition of DaybookSystem"),
        ("pthread_create", "a thread of DaybookSystem"),
        ("DispatchQueue", "a thread of DaybookSystem"),
    ]
    static let freeCalls = ["time", "sleep", "usleep", "nanosleep", "getrandom", "arc4random"]

    @Test(arguments: SourceTree.sources.filter { $0.module != "DaybookSystem" })
    func timeRandomnessAndThreadsComeFromDaybookSystem(file: TextFile) {
        for (pattern, instead) in Self.words {
            let lines = file.code.lines(of: pattern)
            #expect(lines == [], "\(file.path): \(pattern) is banned, use \(instead)")
        }
        for name in Self.freeCalls {
            // A module's own function of that name is called without a dot inside its type.
            guard !Self.declares(name, in: file.module) else { continue }
            #expect(file.code.lines(ofFreeCall: name) == [], "\(file.path): \(name)() belongs to DaybookSystem")
        }
    }

    private static func declares(_ name: String, in module: String) -> Bool {
        SourceTree.sources.contains { $0.module == module && !$0.code.lines(of: "func \(name)").isEmpty }
    }

    @Test(arguments: SourceTree.sources)
    func onlyListedFilesSleep(file: TextFile) {
        guard !file.code.lines(of: "Task.sleep").isEmpty else { return }
        #expect(["DaybookServer", "daybook"].contains(file.module), "\(file.path) sleeps")
        #expect(Exceptions.sleepers[file.path] != nil, "\(file.path) sleeps for no stated reason")
    }

    @Test(arguments: SourceTree.sources)
    func nothingIsForcedPrintedOrLeftOpen(file: TextFile) {
        for pattern in ["try!", "as!", "fatalError(", "debugPrint(", "public"] {
            #expect(file.code.lines(of: pattern) == [], "\(file.path): \(pattern)")
        }
        if file.module != "daybook" {
            #expect(file.code.lines(ofFreeCall: "print") == [], "\(file.path) prints")
        }
    }

    @Test(arguments: SourceTree.sources)
    func unsafeCodeStaysOnTheLowestFloors(file: TextFile) {
        guard let floor = Floors.floor(of: file.module), floor > Floors.highestWithUnsafeCode else { return }
        #expect(file.code.lines(of: "unsafe") == [], "\(file.path) on floor \(floor)")
    }

    @Test(arguments: SourceTree.sources)
    func uncheckedSendabilityIsExplained(file: TextFile) {
        for line in file.code.lines(of: "@unchecked Sendable") {
            let behind = file.lines[line - 1].split(separator: "// ", maxSplits: 1).dropFirst().first ?? ""
            let isExplained = behind.count > 20 || file.commentAbove(line: line).contains("@unchecked Sendable")
            #expect(isExplained, "\(file.path):\(line) gives no reason")
        }
    }
}

extension TextFile {
    /// The comment block above a declaration; attributes and the declaration's own first lines may stand between.
    func commentAbove(line: Int) -> String {
        let lines = lines
        var index = line - 2
        var passed = 0
        while index >= 0, passed < 4, !isComment(lines[index]) {
            index -= 1
            passed += 1
        }
        var comment: [Substring] = []
        while index >= 0, isComment(lines[index]) {
            comment.append(lines[index])
            index -= 1
        }
        return comment.reversed().joined(separator: "\n")
    }

    private func isComment(_ line: Substring) -> Bool { line.drop { $0 == " " }.hasPrefix("//") }
}
