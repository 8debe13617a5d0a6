import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookStore
import DaybookSystem
import DaybookTestSupport

extension StoreSimulation {
    /// One random step. Disk errors of a reader are the weather; everything else that is wrong throws.
    mutating func step() throws {
        clock.advance(microseconds: UInt64(1 + random.below(400_000)))
        if random.oneIn(40) { clock.advance(seconds: UInt64(3_600 * (1 + random.below(30)))) }
        if random.oneIn(25) { beginErasure() }
        if random.oneIn(160) { try failUntilGivenUp() }
        if random.oneIn(40) { removeLetter() }
        switch random.below(24) {
        case 0..<8: submitSomething()
        case 8..<13:
            _ = store.machine.stepCommitter()
            try collect()
        case 13..<16: _ = store.machine.stepCheckpointer()
        case 16: _ = store.machine.stepCheckpointer(force: true)
        case 17: _ = store.machine.stepSealer()
        case 18: for _ in 0..<8 { _ = store.machine.stepSealer() }
        case 19..<21: _ = store.machine.stepCompactor()
        case 21..<23: for _ in 0..<20 { _ = store.machine.stepCompactor() }
        default:
            do { try look(Self.logs[random.below(Self.logs.count)]) } catch  where Self.isDiskError(error) {}
        }
    }

    /// Whether a reader met a failing disk, as opposed to wrong bytes.
    private static func isDiskError(_ error: any Error) -> Bool {
        switch error {
        case is DiskError, StoreError.disk, LogError.disk, SegmentError.disk: true
        default: false
        }
    }

    mutating func commitAll() throws {
        for _ in 0..<200 {
            switch store.machine.stepCommitter() {
            case .idle:
                try collect()
                return
            case .blocked: _ = store.machine.stepCheckpointer(force: true)
            case .committed: try collect()
            }
        }
    }

    mutating func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    mutating func seal() { while store.machine.stepSealer() {} }

    /// Until nothing is left to do.
    mutating func compact() throws {
        for _ in 0..<10_000 {
            switch store.machine.stepCompactor() {
            case .idle: return
            case .worked: continue
            case .resting(let nanoseconds):
                clock.advance(microseconds: nanoseconds / 1_000 + 1)
                try commitAll()
                checkpoint()
                seal()
            }
        }
        throw fail("compaction does not come to an end")
    }

    /// Brings the store into a state with sealed events, events in log files and events only in the journal, and
    /// makes sure that it is there.
    mutating func fillEveryPlace() throws {
        for round in 0..<3 {
            for log in Self.logs {
                for _ in 0..<(round == 2 ? 15 : 36) { submit(log, makeRequest(log)) }
            }
            try commitAll()
            if round == 2 { break }
            checkpoint()
            if round == 0 { seal() }
        }
        for log in Self.logs {
            let snapshot = try store.snapshot(of: log)
            guard !snapshot.segments.isEmpty else { throw fail("nothing is sealed") }
            guard snapshot.tailExtentCount > 0 else { throw fail("no log file holds events") }
            guard snapshot.pendingGroupCount > 0 else { throw fail("the journal alone holds nothing") }
            try look(log)
        }
    }

    /// Starts the store again on what is left of the disk and compares.
    mutating func restart(on survived: SimulatedDisk) throws {
        restartCount += 1
        disk = survived
        entropy = SeededEntropy(seed: random.next())
        for (_, (log, request)) in waiting.sorted(by: { $0.key < $1.key }) { models[log]!.open.append(request) }
        waiting.removeAll()
        _ = sink.take()
        try compareReadOnly()
        store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: options)
        try adoptLedger()
        for log in Self.logs {
            let snapshot = try store.snapshot(of: log)
            try checkAccount(snapshot.manifest)
            models[log]!.visibility = Self.visibility(snapshot)
            noteErasures()
            let found = try events(snapshot)
            let before = models[log]!.stored.count
            if let problem = models[log]!.adopt(recovered: found) {
                throw fail("after restart \(restartCount), log \(log.rawValue): \(problem)")
            }
            recoveredOpenCount += models[log]!.stored.count - before
            try checkHistory(snapshot)
        }
        guard store.recoveryReport.isClean else {
            throw fail("a power loss was taken for damage: \(store.recoveryReport)")
        }
    }

    /// The offline reader sees what recovery will find, and writes nothing.
    private func compareReadOnly() throws {
        let before = disk.image()
        let reader = try ReadOnlyStore.open(disk: disk)
        let table = VisibilityTable(options.retention, at: Timestamp(microseconds: clock.wallMicroseconds()))
        for log in Self.logs {
            let snapshot = try reader.snapshot(of: log)
            var model = models[log]!
            model.visibility = { family in
                var visibility = table[family]
                visibility.erased = snapshot.visibility(of: family).erased
                return visibility
            }
            note(reader.controlEvents(), in: &model, log)
            if let problem = model.adopt(recovered: try events(snapshot)) {
                throw fail("offline reader, log \(log.rawValue): \(problem)")
            }
        }
        guard disk.image() == before else { throw fail("the offline reader wrote") }
    }

    /// A whole story: fill every place, then three lives with faults, each ended by a power loss.
    mutating func run(stepCount: Int = 160) throws {
        try fillEveryPlace()
        for life in 0..<3 {
            var plan =
                random.oneIn(3)
                ? FaultPlan.anything(seed: random.next(), within: 250)
                : FaultPlan.powerLoss(seed: random.next(), within: 250)
            plan.ignoresSynchronize = lies.ignoresSynchronize
            plan.ignoresTruncation = lies.ignoresTruncation
            plan.skipsSynchronizeOf = lies.skipsSynchronizeOf
            disk.arm(plan)
            for _ in 0..<stepCount {
                try step()
                if disk.isCrashed { break }
            }
            try collect()
            // Sometimes the process is killed first: what it wrote is still in the page cache when it starts again, and
            // what it shows then must outlive the power loss that follows.
            if !disk.isCrashed, random.oneIn(2) {
                disk.arm(lies)
                try restart(on: disk.copy())
            }
            let survived = SimulatedDisk(recovering: disk.crash(seed: random.next()), seed: random.next())
            survived.arm(lies)
            try restart(on: survived)
            if life == 2 { try finish() }
        }
    }

    /// After the last power loss: everything still works.
    private mutating func finish() throws {
        for log in Self.logs { submit(log, makeRequest(log)) }
        try commitAll()
        checkpoint()
        seal()
        try replayLetters()
        try compact()
        try finishErasures()
        for log in Self.logs {
            try look(log)
            try ask(log)
        }
        try checkFiles()
        guard waiting.isEmpty else { throw fail("requests were never answered") }
    }
}
