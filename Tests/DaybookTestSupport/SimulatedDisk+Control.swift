import DaybookSystem

// What a test does to a simulated disk from outside, and what it may look at without being counted.
extension SimulatedDisk {
    /// From now on calls fail as the plan says; its counts start now.
    package func arm(_ plan: FaultPlan) { withState { $0.arm(plan) } }

    /// From now on every write to a file whose path ends so fails; nil for none. The counts of the plan go on.
    package func failWrites(of ending: String?) { withState { $0.failWrites(of: ending) } }

    /// Ends the power, unless it has failed already, and says what is found on the disk. Every later call fails with
    /// kind `crashed`. Different seeds find different legal remains of the same moment.
    package func crash(seed: UInt64) -> DiskImage {
        withState { state in
            state.isCrashed = true
            return state.survivingImage(seed: seed)
        }
    }

    /// Loses the power and comes back as a new disk.
    package func reopen(seed: UInt64) -> SimulatedDisk {
        SimulatedDisk(recovering: crash(seed: seed), seed: seed)
    }

    /// What a reader sees now: the image of an orderly shutdown after a `sync`.
    package func image() -> DiskImage { withState { $0.visibleImage() } }

    package var isCrashed: Bool { withState { $0.isCrashed } }

    /// Calls so far of any kind; `FaultPlan.failCall` and `crashAtCall` count these.
    package var callCount: Int { withState { $0.trace.callCount } }

    /// Calls so far that change something; `FaultPlan.crashAtChange` counts these.
    package var changeCount: Int { withState { $0.trace.changeCount } }

    package var writeCount: Int { withState { $0.trace.writeCount } }

    package var readCount: Int { withState { $0.trace.readCount } }

    /// Bytes that were asked for so far, without mappings.
    package var readByteCount: UInt64 { withState { $0.trace.readByteCount } }

    package var synchronizeCount: Int { withState { $0.trace.synchronizeCount } }

    /// Equal for two runs exactly when they made the same calls with the same bytes in the same order.
    package var fingerprint: UInt64 { withState { $0.trace.fingerprint } }

    /// From now on `trace` keeps a line per call, for the person who looks into a failing seed.
    package func keepTrace() { withState { $0.trace.keepsLines = true } }

    package var trace: [String] { withState { $0.trace.lines } }

    /// Nil if there is no such file.
    package func contents(_ path: String) -> [UInt8]? {
        withState { state in
            guard case .file(let file) = state.node(path) else { return nil }
            return state.contents[file]?.visible
        }
    }

    /// All files, sorted.
    package func paths() -> [String] { image().files.keys.sorted(by: SimulatedState.precedes) }

    /// Flips the bits of `mask` in one byte, for readers at once and for good.
    package func corrupt(_ path: String, offset: Int, xor mask: UInt8) {
        damage(path) { $0.corrupt(offset: offset, xor: mask) }
    }

    /// Cuts the file, for readers at once and for good.
    package func truncate(_ path: String, to byteCount: Int) {
        damage(path) { $0 = SimulatedContents(durable: Array($0.visible.prefix(byteCount))) }
    }

    private func damage(_ path: String, _ body: (inout SimulatedContents) -> Void) {
        withState { state in
            guard case .file(let file) = state.node(path), var contents = state.contents[file] else {
                preconditionFailure("no such file: \(path)")
            }
            body(&contents)
            state.contents[file] = contents
        }
    }
}
