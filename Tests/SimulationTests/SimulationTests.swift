import DaybookFormat
import DaybookTestSupport
import Foundation
import Testing

/// 500 seeds by default; `DAYBOOK_SIMULATION_SEEDS` says how many otherwise (nightly: 20000), and
/// `DAYBOOK_SIMULATION_FIRST` where to begin, to look at one seed again.
let seedCount = ProcessInfo.processInfo.environment["DAYBOOK_SIMULATION_SEEDS"].flatMap(UInt64.init) ?? 500
let firstSeed = ProcessInfo.processInfo.environment["DAYBOOK_SIMULATION_FIRST"].flatMap(UInt64.init) ?? 1

@Suite struct SimulationTests {
    /// Seeds in blocks, so that one test reports and the runner spreads them over the cores.
    static let blocks = stride(from: firstSeed, to: firstSeed + seedCount, by: 50).map { first in
        first..<min(first + 50, firstSeed + seedCount)
    }

    @Test(arguments: blocks)
    func acknowledgedEventsSurviveEveryCrash(seeds: Range<UInt64>) throws {
        for seed in seeds {
            var simulation = try StoreSimulation(seed: seed)
            try simulation.run()
            #expect(simulation.sealedSeen > 0)
            #expect(simulation.tailSeen > 0)
            #expect(simulation.journalOnlySeen > 0)
            #expect(simulation.restartCount >= 3)
        }
    }

    @Test func theSameSeedTellsTheSameStory() throws {
        var fingerprints: [UInt64] = []
        for _ in 0..<2 {
            var simulation = try StoreSimulation(seed: 77)
            try simulation.run()
            fingerprints.append(simulation.disk.fingerprint)
        }
        #expect(fingerprints[0] == fingerprints[1])
    }

    /// Everything that works behind ingest happens, and is interrupted, often enough.
    @Test func rangesAreMergedEventsExpireUsersAreForgottenAndWorkIsGivenUp() throws {
        var merged = 0
        var expired = 0
        var historyMerged = 0
        var erased = 0
        var interrupted = 0
        var askedMerged = 0
        var letters = (seen: 0, afterRestart: 0, replayed: 0)
        for seed in 1...40 as ClosedRange<UInt64> {
            var simulation = try StoreSimulation(seed: seed)
            try simulation.run()
            merged += simulation.mergedSeen
            expired += simulation.expiredSeen
            historyMerged += simulation.historyMergedSeen
            erased += simulation.erasedSeen
            interrupted += simulation.interruptedErasureCount
            askedMerged += simulation.mergedHistoryAskedSeen
            letters.seen += simulation.letterSeen
            letters.afterRestart += simulation.letterAfterRestartSeen
            letters.replayed += simulation.letterReplayedSeen
        }
        #expect(merged > 40)
        #expect(expired > 40)
        #expect(historyMerged > 10)
        #expect(erased > 40)
        #expect(interrupted > 10)
        #expect(askedMerged > 10)
        #expect(letters.seen > 20 && letters.afterRestart > 5 && letters.replayed > 5, "\(letters)")
    }

    @Test func someCrashesLeaveRequestsThatNobodyHeardOf() throws {
        var recovered = 0
        for seed in 1...40 as ClosedRange<UInt64> {
            var simulation = try StoreSimulation(seed: seed)
            try simulation.run()
            recovered += simulation.recoveredOpenCount
        }
        #expect(recovered > 0)
    }
}

/// The simulation is checked itself: a store, or a disk, with one duty left out must fail it.
@Suite struct MutantTests {
    /// The number of seeds of which at least one must notice.
    static let seeds: ClosedRange<UInt64> = 1...60

    private func isNoticed(_ run: (UInt64) throws -> Void) -> Bool {
        for seed in Self.seeds {
            do { try run(seed) } catch { return true }
        }
        return false
    }

    @Test func aDiskThatDoesNotSynchronizeIsNoticed() {
        #expect(
            isNoticed { seed in
                var lies = FaultPlan()
                lies.ignoresSynchronize = true
                var simulation = try StoreSimulation(seed: seed, lies: lies)
                try simulation.run()
            })
    }

    @Test func aStoreThatDoesNotCompareChecksumsIsNoticed() {
        #expect(
            isNoticed { seed in
                try withConstantChecksums {
                    var simulation = try StoreSimulation(seed: seed)
                    try simulation.run()
                }
            })
    }

    @Test func aDiskThatDoesNotTruncateIsNoticed() {
        #expect(
            isNoticed { seed in
                var lies = FaultPlan()
                lies.ignoresTruncation = true
                var simulation = try StoreSimulation(seed: seed, lies: lies)
                try simulation.run()
            })
    }

    /// What a sealer or a compactor does that publishes first and synchronizes later.
    @Test func segmentsThatArePublishedBeforeTheyAreSynchronizedAreNoticed() {
        #expect(
            isNoticed { seed in
                var lies = FaultPlan()
                lies.skipsSynchronizeOf = ".dbs"
                var simulation = try StoreSimulation(seed: seed, lies: lies)
                try simulation.run()
            })
    }
}
