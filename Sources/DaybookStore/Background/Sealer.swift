internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem

/// Turns whole log files into segments, one log file a run. A state machine: each step does one piece of work.
///
/// Order: segments and the carry file are written and synchronized, then their folder, then the manifest's edit, which
/// is the moment they become real; only then is the log file let go. What fails is tried again a little later, and after
/// three attempts it is a dead letter: the log file stays, and is asked like any other.
final class Sealer {
    private enum Phase {
        case resting
        case reading(Run)
        case finishing(Run)
        case publishing(Run)
    }

    private final class Run {
        let organization: OrganizationStore
        let extent: LogExtent
        let file: any DiskFile
        var reader: LogFileReader
        /// Boxed: a writer is large, and a dictionary of structs would copy it with every event.
        var writers: [Family: WriterBox] = [:]
        var carry: CarryBuilder
        var nextSequence: UInt64
        var lost: [ClosedRange<UInt64>] = []
        var references: [SegmentReference] = []

        init(_ organization: OrganizationStore, _ extent: LogExtent, _ file: any DiskFile, _ carry: CarryBuilder) {
            self.organization = organization
            self.extent = extent
            self.file = file
            self.carry = carry
            reader = LogFileReader(file: file, log: organization.log, limit: extent.byteCount)
            nextSequence = extent.firstSequence
        }
    }

    private final class WriterBox {
        var writer: SegmentWriter
        init(_ writer: SegmentWriter) { self.writer = writer }
    }

    private let disk: any Disk
    private let registry: OrganizationRegistry
    private let shared: SharedState
    private let clock: any Clock
    private var phase = Phase.resting
    private(set) var sealedFileCount = 0

    init(disk: any Disk, registry: OrganizationRegistry, shared: SharedState, clock: any Clock) {
        self.disk = disk
        self.registry = registry
        self.shared = shared
        self.clock = clock
    }

    /// Whether files of this log are being made.
    func isSealing(_ log: LogID) -> Bool {
        switch phase {
        case .resting: false
        case .reading(let run), .finishing(let run), .publishing(let run): run.organization.log == log
        }
    }

    /// True when there was something to do.
    func step() -> Bool {
        switch phase {
        case .resting: return begin()
        case .reading(let run): attempt(run) { try read(run) }
        case .finishing(let run): attempt(run) { try finish(run) }
        case .publishing(let run): attempt(run) { try publish(run) }
        }
        return true
    }

    private func begin() -> Bool {
        guard let log = shared.takeSealable() else { return false }
        // Of a log its oldest file is sealed first: where that is held, all of them are.
        let isHeld = !shared.retries.held(.sealing, log, at: clock.monotonicNanoseconds()).isEmpty
        guard !isHeld, !shared.deletions.contains(log) else {
            shared.sealingEnded()
            return true
        }
        do {
            let organization = try registry.lease(log)
            guard let extent = organization.sealableExtent else {
                registry.release(log)
                shared.sealingEnded()
                return true
            }
            do {
                let file = try disk.open(extent.file.path, .read)
                let carry = try CarryBuilder(
                    organization, now: now, sessionIdleMicroseconds: shared.sessionIdleMicroseconds)
                phase = .reading(Run(organization, extent, file, carry))
            } catch {
                registry.release(log)
                fail(extent, of: log, error)
                shared.sealingEnded()
            }
        } catch {
            // The organization cannot be opened; whoever opens it next finds out, too.
            shared.note(error)
            shared.sealingEnded()
        }
        return true
    }

    private var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    /// A failure ends the run: its files are left without a name in the manifest and replaced by the next attempt.
    private func attempt(_ run: Run, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            fail(run.extent, of: run.organization.log, error)
            end(run)
        }
    }

    private func fail(_ extent: LogExtent, of log: LogID, _ error: any Error) {
        shared.note(error)
        shared.retries.failed(Self.work(extent, of: log), error, at: now, clock.monotonicNanoseconds())
    }

    private static func work(_ extent: LogExtent, of log: LogID) -> BackgroundWork {
        BackgroundWork(
            kind: .sealing, log: log, sequences: extent.firstSequence...extent.lastSequence, subject: extent.file.path)
    }

    private func end(_ run: Run) {
        run.file.close()
        phase = .resting
        shared.sealingEnded()
        registry.release(run.organization.log)
    }

    /// Reads up to some hundred groups.
    private func read(_ run: Run) throws {
        for _ in 0..<256 {
            let start = run.reader.offset
            do {
                var isForeign = false
                let found = try run.reader.next { (header, record) throws in
                    isForeign = header.firstSequence < run.nextSequence || header.lastSequence > run.extent.lastSequence
                    if !isForeign { try take(header, record, run) }
                }
                if isForeign { try keepForeign(start..<run.reader.offset, run) }
                if !found {
                    if run.nextSequence <= run.extent.lastSequence {
                        run.lost.append(run.nextSequence...run.extent.lastSequence)
                    }
                    phase = .finishing(run)
                    return
                }
            } catch LogFileReaderError<any Error>.log(.corrupt(let corruption)) {
                let damaged = try run.reader.skipDamage()
                try Quarantine.keep(
                    disk: disk, path: run.extent.file.path, range: damaged, corruption: corruption, at: now)
            } catch LogFileReaderError<any Error>.log(let error) {
                throw error
            } catch LogFileReaderError<any Error>.body(let error) {
                throw error
            }
        }
    }

    /// A whole record whose sequences are not those of this file, or come again.
    private func keepForeign(_ range: Range<Int>, _ run: Run) throws {
        let path = run.extent.file.path
        let corruption = Corruption(
            file: path, offset: UInt64(range.lowerBound), reason: .invalid("group record sequence"))
        try Quarantine.keep(disk: disk, path: path, range: range, corruption: corruption, at: now)
    }

    private func take(_ header: GroupHeader, _ record: RawSpan, _ run: Run) throws {
        if header.firstSequence > run.nextSequence { run.lost.append(run.nextSequence...header.firstSequence - 1) }
        run.nextSequence = header.lastSequence + 1
        try run.carry.note(header, record)
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            let box: WriterBox
            if let known = run.writers[entry.family] {
                box = known
            } else {
                box = try writer(entry, run)
                run.writers[entry.family] = box
            }
            try box.writer.append(
                sequence: entry.sequence, arrival: header.arrival, encoding: record.extracting(entry.encoding))
        }
    }

    private func path(_ family: Family, _ run: Run) -> String {
        let kind = FileKind.segment(
            first: run.extent.firstSequence, last: run.extent.lastSequence, family: family)
        return Layout.path(run.organization.folder, kind)
    }

    private func writer(_ entry: GroupEntry, _ run: Run) throws -> WriterBox {
        let path = path(entry.family, run)
        // A leftover of a run that was never published.
        if try disk.exists(path) { try disk.remove(path) }
        return WriterBox(
            try SegmentWriter(
                disk: disk, path: path, log: run.organization.log, family: entry.family,
                schemaVersion: entry.schemaVersion, firstSequence: run.extent.firstSequence,
                lastSequence: run.extent.lastSequence))
    }

    private func finish(_ run: Run) throws {
        for family in Family.ofOrganizations where run.writers[family] != nil {
            let summary = try run.writers[family]!.writer.finish()
            let path = path(family, run)
            var reference = SegmentReference(summary, name: path)
            let reader = try SegmentReader.open(disk: disk, path: path)
            // Disposable: whoever misses it makes it again.
            _ = try SegmentIndex.rebuild(reader, disk: disk)
            var rollup = SegmentRollup(reader)
            while try rollup.step() {}
            if let bytes = rollup.finish(reference) {
                try SegmentRollup.write(bytes, beside: &reference, disk: disk, folder: run.organization.folder)
            }
            run.references.append(reference)
        }
        run.writers.removeAll()
        try run.carry.file(sealedThrough: run.extent.lastSequence).write(
            disk: disk, folder: run.organization.folder)
        try disk.synchronizeDirectory(run.organization.folder)
        phase = .publishing(run)
    }

    private func publish(_ run: Run) throws {
        try run.organization.publishSeal(
            run.extent, segments: run.references, carry: FileKind.carry(sealedThrough: run.extent.lastSequence).name,
            lost: run.lost)
        sealedFileCount += 1
        shared.retries.succeeded(Self.work(run.extent, of: run.organization.log))
        shared.maintenance.add(run.organization.log)
        if run.organization.sealableExtent != nil { shared.addSealable(run.organization.log) }
        end(run)
    }
}
