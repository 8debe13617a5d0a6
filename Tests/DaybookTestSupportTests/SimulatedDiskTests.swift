import DaybookSystem
import DaybookTestSupport
import Testing

/// What readers see while the power is on: the same as on a real disk.
struct SimulatedDiskTests {
    private let disk = SimulatedDisk()

    private func kind(_ body: () throws -> Void) -> DiskError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? DiskError)?.kind
        }
    }

    @discardableResult
    private func write(_ path: String, _ bytes: [UInt8]) throws -> any DiskFile {
        let file = try disk.open(path, .create)
        try file.write(gathering: [bytes], at: 0)
        return file
    }

    @Test func writesAreVisibleAtOnce() throws {
        let file = try write("a", [1, 2, 3])
        try file.write(gathering: [[9], [], [8, 7]], at: 2)
        #expect(try disk.readAll("a") == [1, 2, 9, 8, 7])
        #expect(try disk.map("a").withBytes { $0.byteCount } == 5)
        #expect(disk.contents("a") == [1, 2, 9, 8, 7])
    }

    @Test func aGapReadsAsZeroes() throws {
        let file = try write("a", [1])
        try file.write(gathering: [[2]], at: 3)
        #expect(try disk.readAll("a") == [1, 0, 0, 2])
    }

    @Test func truncationCutsAndExtends() throws {
        let file = try write("a", [1, 2, 3])
        try file.truncate(to: 1)
        try file.truncate(to: 3)
        #expect(try disk.readAll("a") == [1, 0, 0])
    }

    @Test func readingStopsAtTheEnd() throws {
        let file = try write("a", [1, 2, 3])
        var bytes: [UInt8] = []
        try file.read(.max, at: 2, appendingTo: &bytes)
        try file.read(.max, at: .max, appendingTo: &bytes)
        #expect(bytes == [3])
    }

    @Test func namesBehaveAsOnARealDisk() throws {
        try disk.createDirectory("d")
        try write("d/b", [1])
        try write("d/a", [2])
        #expect(try disk.list("d") == ["a", "b"])
        try disk.rename("d/a", to: "b")
        #expect(try disk.list("") == ["b", "d"])
        try disk.rename("b", to: "d/b")
        #expect(try disk.readAll("d/b") == [2])
        try disk.remove("d/b")
        #expect(try !disk.exists("d/b"))
        #expect(disk.paths() == [])
    }

    @Test func errorsHaveTheKindsOfARealDisk() throws {
        try disk.createDirectory("d")
        try write("a", [])
        #expect(kind { _ = try disk.open("b", .readWrite) } == .notFound)
        #expect(kind { _ = try disk.open("a", .create) } == .alreadyExists)
        #expect(kind { _ = try disk.open("x/a", .create) } == .notFound)
        #expect(kind { try disk.createDirectory("d") } == .alreadyExists)
        #expect(kind { try disk.remove("b") } == .notFound)
        #expect(kind { try disk.remove("d") } == .other)
        #expect(kind { _ = try disk.map("d") } == .other)
        #expect(kind { _ = try disk.list("b") } == .notFound)
        #expect(kind { try disk.rename("b", to: "c") } == .notFound)
        #expect(kind { try disk.synchronizeDirectory("x") } == .notFound)
    }

    @Test func anOpenFileOutlivesItsName() throws {
        let file = try write("a", [1, 2])
        try disk.remove("a")
        try disk.synchronizeDirectory("")
        #expect(try file.readExactly(2, at: 0) == [1, 2])
    }

    @Test func aCopyGoesItsOwnWay() throws {
        let file = try write("a", [1])
        let copy = disk.copy()
        try file.write(gathering: [[2]], at: 0)
        #expect(copy.contents("a") == [1])
        #expect(copy.fingerprint != disk.fingerprint)
    }

    @Test func damageIsSeenAtOnceAndForGood() throws {
        let file = try write("a", [0, 0, 0])
        disk.corrupt("a", offset: 1, xor: 0x81)
        #expect(try disk.readAll("a") == [0, 0x81, 0])
        try file.synchronize()
        try disk.synchronizeDirectory("")
        disk.truncate("a", to: 2)
        #expect(disk.reopen(seed: 1).contents("a") == [0, 0x81])
    }

    @Test func anImageBringsItsDirectories() throws {
        let disk = SimulatedDisk(recovering: DiskImage(files: ["a/b/c": [1]], directories: ["x/y"]))
        #expect(try disk.list("") == ["a", "x"])
        #expect(try disk.readAll("a/b/c") == [1])
        #expect(disk.image() == disk.reopen(seed: 3).image())
    }
}

/// One story of calls, drawn from a seed.
private func runStory(seed: UInt64, on disk: SimulatedDisk) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<60 {
        let name = "f\(random.below(4))"
        do {
            switch random.below(6) {
            case 0: try disk.open(name, .create).close()
            case 1: try disk.remove(name)
            case 2: try disk.rename(name, to: "f\(random.below(4))")
            case 3: try disk.synchronizeDirectory("")
            default:
                let file = try disk.open(name, .readWrite)
                try file.write(gathering: [random.bytes(random.below(3_000))], at: UInt64(random.below(2_000)))
                if random.oneIn(2) { try file.synchronize() }
            }
        } catch {
            continue
        }
    }
}

struct SimulatedDiskDeterminismTests {
    @Test(arguments: UInt64(0)..<20)
    func theSameSeedTellsTheSameStory(seed: UInt64) {
        let disks = (0..<2).map { _ in SimulatedDisk(seed: seed) }
        for disk in disks {
            disk.arm(.anything(seed: seed, within: 40))
            disk.keepTrace()
            runStory(seed: seed, on: disk)
        }
        #expect(disks[0].trace == disks[1].trace)
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        #expect(disks[0].changeCount == disks[1].changeCount)
        #expect(disks[0].crash(seed: seed) == disks[1].crash(seed: seed))
    }

    @Test func differentStoriesHaveDifferentFingerprints() {
        let fingerprints = (UInt64(0)..<50).map { seed in
            let disk = SimulatedDisk()
            runStory(seed: seed, on: disk)
            return disk.fingerprint
        }
        #expect(Set(fingerprints).count == 50)
    }

    @Test func theFingerprintKnowsTheBytes() throws {
        let disks = [SimulatedDisk(), SimulatedDisk()]
        for (index, disk) in disks.enumerated() {
            try disk.open("a", .create).write(gathering: [[UInt8(index)]], at: 0)
        }
        #expect(disks[0].fingerprint != disks[1].fingerprint)
    }
}

struct ManualClockTests {
    @Test func theClockMovesOnlyWhenItIsMoved() {
        let clock = ManualClock()
        let wall = clock.wallMicroseconds()
        let monotonic = clock.monotonicNanoseconds()
        #expect(clock.wallMicroseconds() == wall)
        clock.advance(seconds: 2)
        #expect(clock.wallMicroseconds() == wall + 2_000_000)
        #expect(clock.monotonicNanoseconds() == monotonic + 2_000_000_000)
        clock.setWall(microseconds: 5)
        #expect(clock.wallMicroseconds() == 5)
        #expect(clock.monotonicNanoseconds() == monotonic + 2_000_000_000)
    }

    @Test func seededEntropyRepeatsItself() {
        let entropies = [SeededEntropy(seed: 9), SeededEntropy(seed: 9), SeededEntropy(seed: 10)]
        let numbers = entropies.map { entropy in (0..<10).map { _ in entropy.next() } }
        #expect(numbers[0] == numbers[1])
        #expect(numbers[0] != numbers[2])
        #expect(entropies[0].bytes(13) == entropies[1].bytes(13))
        #expect(entropies[0].bytes(13).count == 13)
    }

    @Test func splitMixGivesItsPublishedNumbers() {
        // The first outputs for seed 1234567 of the reference implementation by Sebastiano Vigna.
        var random = SeededRandom(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }
}
