internal import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem

/// Which rows of a batch are left out, and why: nil for the rows that stay. Nil instead of a list: all rows stay.
typealias RowVerdict = (ColumnBatch) throws -> [AbsenceReason?]?

/// Writes the rows of whole ranges that follow each other into one range, family by family, and leaves out those that a
/// verdict names. Each step reads and writes at most one page's worth of rows: memory holds these and one row group.
///
/// Reads with the normal reader. Rows that cannot be read because of damage become absences, and their segment is set
/// aside with a report; a failing disk throws. Nothing is published here.
final class RangeRewriter: RangeWork {
    struct Job {
        var range: ClosedRange<UInt64>
        /// All segments of the range, and all absences.
        var inputs: [SegmentReference]
        var absences: [Absence]
        /// What is written anew. The segments of the other families stay: they must have the whole range.
        var families: Set<Family>
    }

    /// One family under way.
    private final class Work {
        let family: Family
        var inputs: ArraySlice<SegmentReference>
        var name: FileKind
        var reader: SegmentReader?
        var rowGroup = 0
        var row = 0
        var lastSequence: UInt64 = 0
        /// Made with the first row that stays: a segment is never empty.
        var writer: SegmentWriter?

        init(_ family: Family, _ inputs: ArraySlice<SegmentReference>, name: FileKind) {
            self.family = family
            self.inputs = inputs
            self.name = name
        }
    }

    private let disk: any Disk
    private let organization: OrganizationStore
    private let job: Job
    var range: ClosedRange<UInt64> { job.range }
    private let verdict: RowVerdict
    /// Where rows go that leave for their age.
    private let history: HistoryBuilder?
    private let clock: any Clock
    private var families: [Family]
    private var work: Work?
    private var outputs: [SegmentReference] = []
    /// The rollup of the last output, while it is made.
    private var rollup: SegmentRollup?
    private var removed: [AbsenceReason: UInt64] = [:]
    private var damages: [(name: String, damage: SegmentDamage)] = []
    /// Of segments that were begun, finished ones included.
    private var created: [FileKind] = []
    private var encoding: [UInt8] = []
    /// Bytes of the files, about.
    private(set) var readByteCount: UInt64 = 0
    private(set) var writtenByteCount: UInt64 = 0
    /// The segment that was read last: the one to blame when the disk fails.
    private(set) var currentInput: SegmentReference?

    init(
        _ job: Job, of organization: OrganizationStore, clock: any Clock, history: HistoryBuilder? = nil,
        verdict: @escaping RowVerdict
    ) {
        precondition(
            job.inputs.allSatisfy { job.families.contains($0.family) || $0.range == job.range })
        self.job = job
        self.organization = organization
        disk = organization.disk
        self.clock = clock
        self.verdict = verdict
        self.history = history
        families = Family.ofOrganizations.filter { family in
            job.families.contains(family) && job.inputs.contains { $0.family == family }
        }
        outputs = job.inputs.filter { !job.families.contains($0.family) }
    }

    /// One piece of work. True when everything is written and synchronized.
    func step() throws -> Bool {
        if let work {
            if try !advance(work) { try finish(work) }
            return false
        }
        if rollup != nil {
            if try rollup?.step() == false { try finishRollup() }
            return false
        }
        guard let family = families.first else {
            try history?.finish()
            try synchronize()
            return true
        }
        families.removeFirst()
        guard let name = try organization.unusedName(job.range, family) else {
            throw DiskError(.alreadyExists, operation: "name segment", path: organization.folder)
        }
        work = Work(family, job.inputs.filter { $0.family == family }[...], name: name)
        return false
    }

    /// What is to be published once `step` has said that all is done.
    var replacement: Replacement {
        var counts = job.absences.eventCounts()
        for (reason, count) in removed { counts[reason, default: 0] += count }
        return Replacement(
            range: job.range, inputs: job.inputs, segments: outputs,
            absences: counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { reason, count in
                Absence(range: job.range, eventCount: count, reason: reason)
            },
            history: history?.references ?? [], setAside: Set(damages.map(\.name)))
    }

    /// Rows that were left out, by reason.
    var removedCounts: [AbsenceReason: UInt64] { removed }

    /// Removes what was written. Only before anything was published.
    func abandon() {
        work = nil
        rollup = nil
        history?.abandon()
        for case .segment(let first, let last, let family, let revision) in created {
            let kinds: [FileKind] = [
                .segment(first: first, last: last, family: family, revision: revision),
                .index(first: first, last: last, family: family, revision: revision),
                .rollup(first: first, last: last, family: family, revision: revision),
            ]
            for path in kinds.map(path) {
                // A file that stays is swept when the organization is opened the next time.
                do { if try disk.exists(path) { try disk.remove(path) } } catch {}
            }
        }
    }

    private func path(_ kind: FileKind) -> String { Layout.path(organization.folder, kind) }

    // MARK: - Reading

    /// False when all inputs of the family were read.
    private func advance(_ work: Work) throws -> Bool {
        guard let input = work.inputs.first else { return false }
        guard let reader = work.reader else {
            currentInput = input
            work.reader = try open(input)
            if work.reader == nil { next(work) }
            return true
        }
        guard work.rowGroup < reader.rowGroupCount else {
            next(work)
            return true
        }
        let rowCount = reader.zone(rowGroup: work.rowGroup).rowCount
        let end = min(work.row + SegmentLimits.pageRowCountMax, rowCount)
        try copy(reader, input, rows: work.row..<end, work)
        readByteCount += input.byteCount * UInt64(end - work.row) / UInt64(max(1, input.rowCount))
        work.row = end
        if end == rowCount {
            work.row = 0
            work.rowGroup += 1
        }
        return true
    }

    private func next(_ work: Work) {
        work.inputs.removeFirst()
        work.reader = nil
        work.rowGroup = 0
        work.row = 0
    }

    /// Nil when the file says nothing that can be used: all its rows are lost.
    private func open(_ input: SegmentReference) throws -> SegmentReader? {
        let path = Layout.path(organization.folder, input.path)
        do {
            let reader = try SegmentReader.open(disk: disk, path: path)
            guard reader.rowCount == input.rowCount, reader.family == input.family, reader.log == organization.log,
                reader.byteCount == input.byteCount, reader.firstSequence == input.firstSequence,
                reader.lastSequence == input.lastSequence
            else {
                throw SegmentError.corrupt(
                    Corruption(file: path, offset: 0, reason: .invalid("segment of another place")))
            }
            return reader
        } catch SegmentError.corrupt(let corruption) {
            lose(input, rowCount: input.rowCount, corruption)
            return nil
        }
    }

    private func lose(_ input: SegmentReference, rowCount: Int, _ corruption: Corruption) {
        removed[.segmentDamaged, default: 0] += UInt64(rowCount)
        damages.append((input.path, SegmentDamage(corruption: corruption, rowCount: rowCount)))
    }

    private func copy(
        _ reader: SegmentReader, _ input: SegmentReference, rows: Range<Int>, _ work: Work
    ) throws {
        do {
            try append(try reader.read(rowGroup: work.rowGroup, rows: rows, .all), input, work)
        } catch SegmentError.corrupt {
            try salvage(reader, input, rows: rows, work)
        }
    }

    /// Reads what the damaged pages leave over, from page boundary to page boundary of all columns.
    private func salvage(
        _ reader: SegmentReader, _ input: SegmentReference, rows: Range<Int>, _ work: Work
    ) throws {
        let directory: RowGroupDirectory
        do {
            directory = try reader.directory(rowGroup: work.rowGroup)
        } catch {
            guard case .corrupt(let corruption) = error else { throw error }
            return lose(input, rowCount: rows.count, corruption)
        }
        var cuts: Set<Int> = [rows.lowerBound, rows.upperBound]
        for column in directory.columns {
            for page in column.pages where page.rows.overlaps(rows) {
                cuts.formUnion([page.rows.lowerBound, page.rows.upperBound].filter(rows.contains))
            }
        }
        let sorted = cuts.sorted()
        for (start, end) in zip(sorted, sorted.dropFirst()) {
            do {
                try append(try reader.read(rowGroup: work.rowGroup, rows: start..<end, .all), input, work)
            } catch SegmentError.corrupt(let corruption) {
                lose(input, rowCount: end - start, corruption)
            }
        }
    }

    // MARK: - Writing

    /// Throws damage only before the first row is appended.
    private func append(_ batch: ColumnBatch, _ input: SegmentReference, _ work: Work) throws {
        try check(batch, input, after: work.lastSequence)
        let verdicts = try verdict(batch)
        if let verdicts { history?.add(batch) { verdicts[$0] == .expired } }
        for row in 0..<batch.rowCount {
            if let reason = verdicts?[row] {
                removed[reason, default: 0] += 1
                continue
            }
            encoding.removeAll(keepingCapacity: true)
            batch.appendEncoding(row: row, to: &encoding)
            if work.writer == nil { try create(work, schemaVersion: batch.schemaVersion) }
            do {
                try encoding.withRawSpan { (bytes: RawSpan) throws(SegmentError) in
                    try work.writer!.append(
                        sequence: batch.sequences[row], arrival: Timestamp(microseconds: batch.arrivals[row]),
                        encoding: bytes)
                }
            } catch {
                guard case .corrupt(let corruption) = error else { throw error }
                // Values that no event has, although their checksums agree.
                lose(input, rowCount: 1, corruption)
            }
        }
        work.lastSequence = batch.sequences.last ?? work.lastSequence
    }

    /// What a writer takes for granted, and a file that somebody changed need not keep.
    private func check(_ batch: ColumnBatch, _ input: SegmentReference, after sequence: UInt64) throws {
        guard let first = batch.sequences.first, let last = batch.sequences.last else { return }
        guard first > sequence, input.range.contains(first), input.range.contains(last) else {
            throw SegmentError.corrupt(
                Corruption(
                    file: Layout.path(organization.folder, input.path), offset: 0,
                    reason: .invalid("sequence of another segment")))
        }
    }

    private func create(_ work: Work, schemaVersion: UInt8) throws {
        created.append(work.name)
        work.writer = try SegmentWriter(
            disk: disk, path: path(work.name), log: organization.log, family: work.family,
            schemaVersion: schemaVersion, firstSequence: job.range.lowerBound, lastSequence: job.range.upperBound,
            effort: .high)
    }

    private func finish(_ work: Work) throws {
        self.work = nil
        guard work.writer != nil else { return }
        let summary = try work.writer!.finish()
        let path = path(work.name)
        outputs.append(SegmentReference(summary, name: path))
        writtenByteCount += summary.byteCount
        let reader = try SegmentReader.open(disk: disk, path: path)
        _ = try SegmentIndex.rebuild(reader, disk: disk)
        rollup = SegmentRollup(reader)
    }

    private func finishRollup() throws {
        let last = outputs.count - 1
        let bytes = rollup?.finish(outputs[last])
        rollup = nil
        guard let bytes else { return }
        try SegmentRollup.write(bytes, beside: &outputs[last], disk: disk, folder: organization.folder)
        writtenByteCount += UInt64(bytes.count)
    }

    /// Reports first: they keep the sweep at the next start away from the segments that are set aside.
    private func synchronize() throws {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        for name in Set(damages.map(\.name)).sorted() {
            try Quarantine.report(
                disk: disk, folder: organization.folder, name: name,
                damages: damages.filter { $0.name == name }.map(\.damage), at: now)
        }
        try disk.synchronizeDirectory(organization.folder)
    }
}

/// Rows of a segment that could not be read.
struct SegmentDamage: Sendable {
    var corruption: Corruption
    var rowCount: Int
}
