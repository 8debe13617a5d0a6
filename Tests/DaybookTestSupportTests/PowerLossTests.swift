import DaybookSystem
import DaybookTestSupport
import Testing

/// What is found after the power came back.
struct PowerLossTests {
    private static let seeds = UInt64(0)..<200
    private static let sector = 512

    private func disk(with files: [String: [UInt8]] = [:]) -> SimulatedDisk {
        SimulatedDisk(recovering: DiskImage(files: files))
    }

    /// The images after a loss of power at this moment, for all seeds.
    private func survivors(of disk: SimulatedDisk) -> [DiskImage] {
        Self.seeds.map { disk.copy().crash(seed: $0) }
    }

    private func bytes(_ value: UInt8, sectors: Int) -> [UInt8] {
        [UInt8](repeating: value, count: sectors * Self.sector)
    }

    // MARK: Bytes

    @Test func synchronizedBytesNeverVanish() throws {
        let disk = disk()
        let file = try disk.open("a", .create)
        try file.write(gathering: [bytes(1, sectors: 5)], at: 0)
        try file.synchronize()
        try disk.synchronizeDirectory("")
        #expect(survivors(of: disk).allSatisfy { $0.files == ["a": bytes(1, sectors: 5)] })
    }

    @Test func unsynchronizedBytesMayVanishAndMaySurvive() throws {
        let disk = disk(with: ["a": bytes(1, sectors: 4)])
        try disk.open("a", .readWrite).write(gathering: [bytes(2, sectors: 4)], at: 0)
        let found = Set(survivors(of: disk).map { $0.files["a"] })
        #expect(found.contains(bytes(1, sectors: 4)))
        #expect(found.contains(bytes(2, sectors: 4)))
        // Torn in every way: two states of each of four sectors.
        #expect(found.count == 16)
    }

    @Test func aSectorIsNeverTorn() throws {
        let disk = disk(with: ["a": bytes(1, sectors: 3)])
        let file = try disk.open("a", .readWrite)
        try file.write(gathering: [[UInt8](repeating: 2, count: 700)], at: 200)
        try file.write(gathering: [[UInt8](repeating: 3, count: 100)], at: 600)
        var versions: Set<[UInt8]> = []
        for image in survivors(of: disk) { versions.insert(Array(try #require(image.files["a"])[512..<1_024])) }
        let first = [UInt8](repeating: 2, count: 388) + [UInt8](repeating: 1, count: 124)
        var second = first
        second.replaceSubrange(88..<188, with: repeatElement(3, count: 100))
        #expect(versions == [bytes(1, sectors: 1), first, second])
    }

    @Test func aFileThatGrewHasALengthBetween() throws {
        let disk = disk(with: ["a": bytes(1, sectors: 1)])
        try disk.open("a", .readWrite).write(gathering: [bytes(2, sectors: 3)], at: 512)
        var lengths: Set<Int> = []
        for image in survivors(of: disk) {
            let found = try #require(image.files["a"])
            #expect((512...2_048).contains(found.count))
            #expect(Array(found.prefix(512)) == bytes(1, sectors: 1))
            // Room that was never written reads as zeroes, never as something else.
            #expect(found.dropFirst(512).allSatisfy { $0 == 0 || $0 == 2 })
            lengths.insert(found.count)
        }
        #expect(lengths.contains(512) && lengths.contains(2_048) && lengths.count > 4)
    }

    @Test func aFileThatWasCutMayBeWholeAgain() throws {
        let disk = disk(with: ["a": bytes(1, sectors: 2)])
        try disk.open("a", .readWrite).truncate(to: 100)
        let lengths = Set(survivors(of: disk).map { $0.files["a"]?.count })
        #expect(lengths.contains(100) && lengths.contains(1_024))
    }

    @Test func synchronizingAllMakesEverythingDurable() throws {
        let disk = disk()
        try disk.createDirectory("d")
        try disk.open("d/a", .create).write(gathering: [bytes(1, sectors: 2)], at: 0)
        try disk.open("b", .create).write(gathering: [bytes(2, sectors: 2)], at: 0)
        try disk.synchronizeAll()
        let expected = DiskImage(files: ["d/a": bytes(1, sectors: 2), "b": bytes(2, sectors: 2)])
        #expect(survivors(of: disk).allSatisfy { $0 == expected })
    }

    @Test func whatSurvivesOnceSurvivesAgain() throws {
        let disk = disk(with: ["a": bytes(1, sectors: 8)])
        try disk.open("a", .readWrite).write(gathering: [bytes(2, sectors: 8)], at: 0)
        let reopened = disk.reopen(seed: 5)
        let image = reopened.image()
        #expect(survivors(of: reopened).allSatisfy { $0 == image })
    }

    @Test func aLyingDiskIsFoundOut() throws {
        let disk = disk()
        var plan = FaultPlan()
        plan.ignoresSynchronize = true
        disk.arm(plan)
        let file = try disk.open("a", .create)
        try file.write(gathering: [bytes(1, sectors: 2)], at: 0)
        try file.synchronize()
        try disk.synchronizeDirectory("")
        try disk.synchronizeAll()
        #expect(survivors(of: disk).contains { $0.files["a"] != bytes(1, sectors: 2) })
    }

    // MARK: Names

    @Test func aNewFileVanishesWithoutItsDirectory() throws {
        let disk = disk()
        let file = try disk.open("a", .create)
        try file.write(gathering: [[1]], at: 0)
        try file.synchronize()
        let found = Set(survivors(of: disk).map { $0.files["a"] })
        #expect(found == [nil, [1]])
    }

    @Test func aRemovedFileMayComeBack() throws {
        let disk = disk(with: ["a": [1]])
        try disk.remove("a")
        #expect(Set(survivors(of: disk).map { $0.files["a"] }) == [nil, [1]])
        try disk.synchronizeDirectory("")
        #expect(survivors(of: disk).allSatisfy { $0.files.isEmpty })
    }

    @Test func aReplacedFileIsTheOldOneOrTheNewOne() throws {
        let disk = disk(with: ["a": [1]])
        let file = try disk.open("a.tmp", .create)
        try file.write(gathering: [[2]], at: 0)
        try file.synchronize()
        try disk.rename("a.tmp", to: "a")
        #expect(Set(survivors(of: disk).map { $0.files["a"] }) == [[1], [2]])
        try disk.synchronizeDirectory("")
        #expect(survivors(of: disk).allSatisfy { $0.files == ["a": [2]] })
    }

    @Test func replacingWithoutSynchronizingMayLoseBoth() throws {
        let disk = disk(with: ["a": bytes(1, sectors: 1)])
        try disk.open("a.tmp", .create).write(gathering: [bytes(2, sectors: 1)], at: 0)
        try disk.rename("a.tmp", to: "a")
        #expect(survivors(of: disk).contains { $0.files["a"]?.isEmpty == true })
    }

    @Test func renamesOfDifferentNamesAreReordered() throws {
        let disk = disk(with: ["a": [1], "b": [2]])
        try disk.rename("a", to: "c")
        try disk.rename("b", to: "d")
        let found = Set(survivors(of: disk).map { Set($0.files.keys) })
        #expect(found == [["a", "b"], ["c", "b"], ["a", "d"], ["c", "d"]])
    }

    @Test func changesOfOneNameKeepTheirOrder() throws {
        let disk = disk()
        try disk.open("a", .create).close()
        try disk.rename("a", to: "b")
        try disk.rename("b", to: "c")
        #expect(Set(survivors(of: disk).map { Set($0.files.keys) }) == [[], ["a"], ["b"], ["c"]])
    }

    @Test func movingBetweenDirectoriesNeverLosesTheFile() throws {
        let disk = disk(with: ["x/a": [1], "y/b": [2]])
        try disk.rename("x/a", to: "y/a")
        let found = Set(survivors(of: disk).map { Set($0.files.keys).subtracting(["y/b"]) })
        #expect(found == [["x/a"], ["x/a", "y/a"], ["y/a"]])
    }

    @Test func oneDirectoryIsDurableWithoutTheOther() throws {
        let disk = disk(with: ["x/b": [1], "y/b": [2]])
        try disk.open("x/a", .create).close()
        try disk.open("y/a", .create).close()
        try disk.synchronizeDirectory("x")
        let images = survivors(of: disk)
        #expect(images.allSatisfy { $0.files["x/a"] != nil })
        #expect(images.contains { $0.files["y/a"] == nil })
    }

    @Test func aNewDirectoryVanishesWithAllItsFilesWithoutItsParent() throws {
        let disk = disk()
        try disk.createDirectory("d")
        let file = try disk.open("d/a", .create)
        try file.synchronize()
        try disk.synchronizeDirectory("d")
        let found = Set(survivors(of: disk).map { Set($0.files.keys) })
        #expect(found == [[], ["d/a"]])
        try disk.synchronizeDirectory("")
        #expect(survivors(of: disk).allSatisfy { $0.files.keys.contains("d/a") })
    }
}
