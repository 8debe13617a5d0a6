import DaybookSystem
import DaybookTestSupport
import Testing

struct FaultPlanTests {
    private let block = [UInt8](repeating: 1, count: 512)

    private func kind(_ body: () throws -> Void) -> DiskError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? DiskError)?.kind
        }
    }

    private func disk(_ files: [String: [UInt8]] = [:], _ change: (inout FaultPlan) -> Void) -> SimulatedDisk {
        let disk = SimulatedDisk(recovering: DiskImage(files: files))
        var plan = FaultPlan()
        change(&plan)
        disk.arm(plan)
        return disk
    }

    @Test func thePowerFailsInTheCallOfThePlanAndForGood() throws {
        let disk = disk { $0.crashAtChange = 3 }
        let file = try disk.open("a", .create)
        try file.write(gathering: [block], at: 0)
        _ = try disk.readAll("a")
        #expect(!disk.isCrashed)
        #expect(kind { try file.synchronize() } == .crashed)
        #expect(disk.isCrashed)
        #expect(kind { _ = try disk.list("") } == .crashed)
        #expect(kind { try file.write(gathering: [block], at: 0) } == .crashed)
        #expect(kind { _ = try file.byteCount() } == .crashed)
        file.evictFromPageCache()
        file.close()
    }

    @Test func anyCallFailsOnceWhateverItAsksFor() throws {
        for call in 1...6 {
            let disk = disk(["a": block]) { $0.failCall = call }
            let kinds = [
                kind { _ = try disk.exists("a") }, kind { _ = try disk.readAll("a") },
                kind { _ = try disk.list("") }, kind { try disk.remove("a") },
            ]
            #expect(kinds.contains(.inputOutput), "call \(call)")
            #expect(kinds.count { $0 != nil } == 1, "call \(call)")
        }
    }

    @Test func thePowerFailsInACallThatOnlyAsks() throws {
        let disk = disk(["a": block]) { $0.crashAtCall = 2 }
        #expect(try disk.exists("a"))
        #expect(kind { _ = try disk.list("") } == .crashed)
        #expect(disk.isCrashed)
        #expect(disk.crash(seed: 1).files["a"] == block)
    }

    @Test func theCallInWhichThePowerFailsMayHaveTakenEffect() throws {
        let found = try (UInt64(0)..<200).map { seed in
            let disk = disk(["a": [UInt8](repeating: 0, count: 1_024)]) { $0.crashAtChange = 1 }
            let file = try disk.open("a", .readWrite)
            #expect(kind { try file.write(gathering: [block, block], at: 0) } == .crashed)
            return disk.crash(seed: seed).files["a"]?.reduce(0) { $0 + Int($1) }
        }
        #expect(Set(found) == [0, 512, 1_024])
    }

    @Test func aFailedSynchronizationIsNeverMadeGood() throws {
        let disk = disk(["a": [UInt8](repeating: 0, count: 1_024)]) { $0.failSynchronize = 1 }
        let file = try disk.open("a", .readWrite)
        try file.write(gathering: [block], at: 0)
        #expect(kind { try file.synchronize() } == .inputOutput)
        #expect(try file.readExactly(512, at: 0) == block)
        // The next one reports success, and has nothing to write.
        try file.synchronize()
        try disk.synchronizeAll()
        let found = Set((UInt64(0)..<200).map { disk.copy().crash(seed: $0).files["a"]?.first })
        #expect(found == [0, 1])
    }

    @Test func bytesWrittenAfterAFailedSynchronizationCanBecomeDurable() throws {
        let disk = disk(["a": [UInt8](repeating: 0, count: 1_024)]) { $0.failSynchronize = 1 }
        let file = try disk.open("a", .readWrite)
        try file.write(gathering: [block], at: 0)
        #expect(kind { try file.synchronize() } == .inputOutput)
        try file.write(gathering: [block], at: 512)
        try file.synchronize()
        let images = (UInt64(0)..<200).map { disk.copy().crash(seed: $0) }
        #expect(images.allSatisfy { $0.files["a"]?.last == 1 })
        #expect(images.contains { $0.files["a"]?.first == 0 })
    }

    @Test func aFileThatGrewBeforeAFailedSynchronizationKeepsLaterBytes() throws {
        let disk = disk(["a": []]) { $0.failSynchronize = 1 }
        let file = try disk.open("a", .readWrite)
        try file.write(gathering: [block, block], at: 0)
        #expect(kind { try file.synchronize() } == .inputOutput)
        try file.write(gathering: [[2]], at: 0)
        try file.synchronize()
        for seed in UInt64(0)..<200 {
            let found = try #require(disk.copy().crash(seed: seed).files["a"])
            #expect(found.prefix(2) == [2, 1])
        }
    }

    @Test func readingPastThePageCacheShowsWhatReachedTheDisk() throws {
        var found: Set<UInt8> = []
        for seed in UInt64(0)..<50 {
            let disk = SimulatedDisk(recovering: DiskImage(files: ["a": [0]]), seed: seed)
            var plan = FaultPlan()
            plan.failSynchronize = 1
            disk.arm(plan)
            let file = try disk.open("a", .readWrite)
            try file.write(gathering: [[1]], at: 0)
            #expect(kind { try file.synchronize() } == .inputOutput)
            file.evictFromPageCache()
            let byte = try file.readExactly(1, at: 0)[0]
            found.insert(byte)
            // From then on the answer is settled.
            #expect(disk.crash(seed: seed &+ 1).files["a"] == [byte])
        }
        #expect(found == [0, 1])
    }

    @Test func dirtyPagesAreNotEvicted() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("a", .create)
        try file.write(gathering: [block], at: 0)
        file.evictFromPageCache()
        #expect(try file.readExactly(512, at: 0) == block)
    }

    @Test func aFailedSynchronizationOfADirectoryLeavesItsNamesOpen() throws {
        let disk = disk { $0.failSynchronize = 1 }
        try disk.open("a", .create).close()
        #expect(kind { try disk.synchronizeDirectory("") } == .inputOutput)
        try disk.synchronizeDirectory("")
        let found = Set((UInt64(0)..<200).map { disk.copy().crash(seed: $0).files.count })
        #expect(found == [0, 1])
    }

    @Test func aFailedReadFailsOnce() throws {
        let disk = disk(["a": [1]]) { $0.failRead = 1 }
        let file = try disk.open("a", .read)
        #expect(kind { _ = try file.readExactly(1, at: 0) } == .inputOutput)
        #expect(try file.readExactly(1, at: 0) == [1])
    }

    @Test func aFailedWriteMayHaveWrittenAPrefix() throws {
        var lengths: Set<Int> = []
        for seed in UInt64(0)..<20 {
            let disk = SimulatedDisk(seed: seed)
            var plan = FaultPlan()
            plan.failWrite = 1
            disk.arm(plan)
            let file = try disk.open("a", .create)
            #expect(kind { try file.write(gathering: [block], at: 0) } == .inputOutput)
            lengths.insert(Int(try file.byteCount()))
        }
        #expect(lengths.count > 5)
    }

    @Test func filesOfOneKindTakeNoBytesUntilTheDiskIsWell() throws {
        let disk = disk { $0.failWritesOf = ".dbs" }
        let (bad, good) = (try disk.open("a.dbs", .create), try disk.open("a.dbl", .create))
        for _ in 0..<2 { #expect(kind { try bad.write(gathering: [block], at: 0) } == .inputOutput) }
        #expect(try bad.byteCount() == 0)
        try good.write(gathering: [block], at: 0)
        disk.failWrites(of: ".dbl")
        try bad.write(gathering: [block], at: 0)
        #expect(kind { try good.write(gathering: [block], at: 0) } == .inputOutput)
        disk.failWrites(of: nil)
        try good.write(gathering: [block], at: 0)
    }

    @Test func aFullDiskTakesBytesAgainAfterARemoval() throws {
        let disk = disk(["old": block + block]) { $0.fillAtWrite = 2 }
        let file = try disk.open("a", .create)
        try file.write(gathering: [block], at: 0)
        #expect(kind { try file.write(gathering: [block], at: 512) } == .noSpace)
        #expect(try disk.freeByteCount() == 0)
        // What lies inside the file already needs no room.
        try file.write(gathering: [block], at: 0)
        try disk.remove("old")
        try file.write(gathering: [block], at: 512)
        #expect(try disk.freeByteCount() == 512)
    }

    @Test func theCapacityHoldsForAllFilesTogether() throws {
        let disk = disk(["old": block]) { $0.capacityByteCount = 1_124 }
        let file = try disk.open("a", .create)
        try file.write(gathering: [block], at: 0)
        #expect(kind { try file.write(gathering: [block], at: 512) } == .noSpace)
        #expect(try file.byteCount() == 612)
        #expect(try disk.freeByteCount() == 0)
    }

    @Test func thePlanCountsFromTheMomentItIsGiven() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("a", .create)
        try file.synchronize()
        var plan = FaultPlan()
        plan.failSynchronize = 2
        disk.arm(plan)
        try file.synchronize()
        #expect(kind { try file.synchronize() } == .inputOutput)
    }

    @Test func plansComeFromTheirSeeds() {
        let plans = (UInt64(0)..<100).map { FaultPlan.anything(seed: $0, within: 50) }
        #expect(plans == (UInt64(0)..<100).map { FaultPlan.anything(seed: $0, within: 50) })
        #expect(plans.contains { $0.failSynchronize != nil } && plans.contains { $0.crashAtChange != nil })
        #expect(plans.contains { $0.failWrite != nil } && plans.contains { $0.fillAtWrite != nil })
        for seed in UInt64(0)..<100 {
            let moment = FaultPlan.powerLoss(seed: seed, within: 7).crashAtChange ?? 0
            #expect((1...7).contains(moment))
        }
    }
}
