import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Power losses and failing calls while manifests are published.
struct ManifestFaultTests {
    /// Edits in the file before the fault: none, so that it is made; some; and as many as it takes, so that it is
    /// replaced.
    static let editCounts = [0, 2, ManifestLog.editCountMax]

    static let disks: [Int: SimulatedDisk] = {
        var disks: [Int: SimulatedDisk] = [:]
        for count in editCounts where count > 0 { disks[count] = try? Sample.disk(ManifestLogTests.manyEdits(count)) }
        disks[0] = Sample.disk()
        return disks
    }()

    /// A manifest under work: what is published, what is not yet, and why it ended.
    private final class Work {
        let disk: SimulatedDisk
        var log: ManifestLog
        var published: Manifest
        /// The manifest that the failed append would have published.
        var failed: Manifest?
        var error: ManifestError?

        /// Opens a copy of the disk, arms the plan, and appends four edits or as many as go well.
        init(_ editCount: Int, _ plan: FaultPlan) throws {
            disk = try #require(disks[editCount]).copy()
            log = try Sample.open(disk)
            published = log.manifest
            disk.arm(plan)
            for edit in ManifestLogTests.manyEdits(editCount + 4)[editCount...] {
                do throws(ManifestError) {
                    try log.append(edit)
                } catch {
                    failed = try published.applying(edit)
                    self.error = error
                    return
                }
                published = log.manifest
            }
        }

        func isLegal(_ found: Manifest?) -> Bool {
            let manifest = found ?? Manifest()
            return manifest == published || manifest == failed
        }
    }

    @Test(arguments: editCounts)
    func aPowerLossTakesNothingPublishedAndLeavesNoHalfEdit(editCount: Int) throws {
        var lossCount = 0
        for change in 1...12 {
            var plan = FaultPlan()
            plan.crashAtChange = change
            let work = try Work(editCount, plan)
            guard work.disk.isCrashed else { continue }
            lossCount += 1
            for seed in 0..<10 as Range<UInt64> {
                let survivor = work.disk.reopen(seed: seed)
                let found = try Sample.load(survivor)
                let isLegal = work.isLegal(found)
                #expect(isLegal, "change \(change), seed \(seed)")
                let reopened = try Sample.open(survivor)
                let isSame = reopened.manifest == found ?? Manifest()
                #expect(isSame, "change \(change), seed \(seed)")
            }
        }
        #expect(lossCount >= 8)
    }

    static let plans: [FaultPlan] = (1...4).flatMap { number in
        var write = FaultPlan()
        write.failWrite = number
        var synchronize = FaultPlan()
        synchronize.failSynchronize = number
        var full = FaultPlan()
        full.fillAtWrite = number
        return [write, synchronize, full]
    }

    @Test(arguments: editCounts, plans)
    func aFailedCallPoisonsAndTheNextStartFindsOneOfTwo(editCount: Int, plan: FaultPlan) throws {
        let work = try Work(editCount, plan)
        let error = try #require(work.error, "the plan never came true")
        let unchanged = work.log.manifest == work.published
        #expect(unchanged)

        work.disk.arm(FaultPlan())
        let changeCount = work.disk.changeCount
        let nextSequence = work.published.sealedThrough + 1
        var second: ManifestError?
        do throws(ManifestError) { try work.log.append(.lost(nextSequence...nextSequence, .logMissing)) } catch {
            second = error
        }
        #expect(second == error)
        #expect(work.disk.changeCount == changeCount)

        for found in try Sample.afterPowerLoss(work.disk) {
            let isLegal = work.isLegal(found)
            #expect(isLegal)
        }
        // After a failed synchronization of a folder no later call can make its names durable; the rest can be mended.
        guard case .disk(let cause) = error, cause.operation != "synchronizeDirectory" else { return }
        // A start without a power loss: what it builds upon must not go away later.
        let reopened = try Sample.open(work.disk)
        let isLegal = work.isLegal(reopened.manifest)
        #expect(isLegal)
        for found in try Sample.afterPowerLoss(work.disk) {
            let isSame = found ?? Manifest() == reopened.manifest
            #expect(isSame)
        }
    }

    @Test func aDiskThatLiesAboutSynchronizationIsNoticed() throws {
        var plan = FaultPlan()
        plan.ignoresSynchronize = true
        let work = try Work(2, plan)
        let found = try Sample.afterPowerLoss(work.disk)
        let isNoticed = found.contains { $0 != work.published }
        #expect(isNoticed)
    }
}
