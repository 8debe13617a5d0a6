import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookStore

/// One of the sets of files under data/golden, and what they say in words.
struct GoldenFiles: Sendable, CustomTestStringConvertible {
    /// Of the folder: the version of the set, not of any one format, and what it is about.
    let name: String
    let organizations: [(id: String, log: LogID)]
    /// By which it was made.
    let options: StoreOptions
    /// Writes it with today's code.
    let make: @Sendable () throws -> SimulatedDisk

    /// Events in every state.
    static let events = GoldenFiles(
        name: "v1", organizations: GoldenStore.organizations, options: GoldenStore.options,
        make: GoldenStore.make)
    /// Acts of every kind, and what they leave.
    static let acts = GoldenFiles(
        name: "v1-acts", organizations: GoldenActs.organizations, options: ErasingStore.options,
        make: GoldenActs.make)
    static let all = [events, acts]

    var testDescription: String { name }

    private var folder: URL { Repository.root.appending(path: "data/golden/\(name)") }

    /// The data directory as it is checked in. Empty folders are in no repository.
    func image() throws -> DiskImage {
        let root = folder.appending(path: "store").standardizedFileURL.path + "/"
        guard let walk = FileManager.default.enumerator(atPath: root) else { throw GoldenFailure.noFolder }
        var files: [String: [UInt8]] = [:]
        for case let name as String in walk where walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
            files[name] = Array(try Data(contentsOf: URL(filePath: root + name)))
        }
        return DiskImage(
            files: files,
            directories: [
                Layout.journal, Layout.checkpoint, Layout.control, Layout.organizations, Layout.recovery,
            ])
    }

    func disk() throws -> SimulatedDisk { SimulatedDisk(recovering: try image()) }

    func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// Replaces all of it by what today's code writes.
    func rewrite(_ disk: SimulatedDisk) throws {
        let manager = FileManager.default
        if manager.fileExists(atPath: folder.path) { try manager.removeItem(at: folder) }
        for (path, bytes) in disk.image().files {
            let file = folder.appending(path: "store").appending(path: path)
            try manager.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        try contents(disk).write(to: folder.appending(path: "contents.txt"), atomically: true, encoding: .utf8)
        for (id, log) in organizations {
            let file = folder.appending(path: id + ".ndjson")
            try events(disk, id, log).write(to: file, atomically: true, encoding: .utf8)
        }
    }

    // MARK: - In words

    /// Every event that can be read, also those that have expired, in sequence order as replay prints them.
    func events(_ disk: SimulatedDisk, _ id: String, _ log: LogID) throws -> String {
        guard let organization = OrganizationID(id) else { throw GoldenFailure.noFolder }
        var lines: [UInt64: [UInt8]] = [:]
        func print(
            _ family: Family, _ schemaVersion: UInt8, _ encoding: RawSpan, _ sequence: UInt64, _ arrival: Timestamp
        ) throws {
            try EventPrinter.append(
                family: family, schemaVersion: schemaVersion, encoding: encoding, sequence: sequence,
                arrival: arrival, organization: organization, to: &lines[sequence, default: []])
            lines[sequence]?.append(UInt8(ascii: "\n"))
        }
        let snapshot = try ReadOnlyStore.open(disk: disk).snapshot(of: log)
        for reference in snapshot.segments {
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                let batch = try segment.read(rowGroup: rowGroup, .all)
                for row in 0..<batch.rowCount {
                    var encoding: [UInt8] = []
                    batch.appendEncoding(row: row, to: &encoding)
                    try encoding.withRawSpan { (bytes: RawSpan) throws in
                        try print(
                            batch.family, batch.schemaVersion, bytes, batch.sequences[row],
                            Timestamp(microseconds: batch.arrivals[row]))
                    }
                }
            }
        }
        try snapshot.forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                try print(
                    entry.family, entry.schemaVersion, record.extracting(entry.encoding), entry.sequence,
                    header.arrival)
            }
            return true
        }
        return lines.sorted { $0.key < $1.key }.map { String(decoding: $0.value, as: UTF8.self) }.joined()
    }

    /// What the other files say: identity, checkpoint, control log, journal, manifests, carry files, reports, notes and
    /// certificates of erasures.
    func contents(_ disk: SimulatedDisk) throws -> String {
        let store = try ReadOnlyStore.open(disk: disk)
        let storeID = store.identity.storeID
        var lines = ["store \(hexText(storeID)) made at \(store.identity.createdAt.microseconds)"]
        let table = try CheckpointLog.read(disk: disk, storeID: storeID).table
        lines.append("checkpoint at journal position \(table.journalPosition)")
        for mark in table.marks.values.sorted(by: { $0.log < $1.log }) {
            lines.append(
                "mark of log \(mark.log.rawValue): file \(mark.fileFirstSequence), \(mark.fileByteCount) bytes, "
                    + "through \(mark.lastSequence), sealed through \(mark.sealedThrough), "
                    + "arrival \(mark.lastArrival.microseconds)")
        }
        let scan = try JournalScan.read(disk: disk, storeID: storeID, from: table.journalPosition)
        lines.append("journal through position \(scan.endPosition), damages \(scan.damages.count)")
        for group in scan.groups {
            lines.append("journal group of log \(group.log.rawValue): \(group.firstSequence) to \(group.lastSequence)")
        }
        try store.snapshot(of: .control).forEachControlAct { _, encoding in
            lines.append("act: \(Self.words(try ControlEvent(reading: encoding)))")
            return true
        }
        for (id, log) in organizations { lines += try contents(disk, store, id, log) }
        for (path, bytes) in disk.image().files.sorted(by: { $0.key < $1.key }) {
            switch FileKind(name: String(path.split(separator: "/").last ?? "")) {
            case .quarantineReport?, .certificate?:
                let text = String(decoding: bytes, as: UTF8.self)
                lines.append("\(path): \(text.trimmingCharacters(in: .newlines))")
            case .erasure?:
                let notes = try bytes.withRawSpan { (span) throws(FormatError) in try ErasureProgress(reading: span) }
                lines += Self.words(notes).map { "\(path): \($0)" }
            default: continue
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func contents(
        _ disk: SimulatedDisk, _ store: ReadOnlyStore, _ id: String, _ log: LogID
    ) throws -> [String] {
        let folder = Layout.folder(of: log)
        let manifest = try store.snapshot(of: log).manifest
        var lines = ["\(id): manifest \(manifest.generation), sealed through \(manifest.sealedThrough)"]
        for segment in manifest.segments {
            lines.append(
                "\(id): \(segment.path) of \(segment.family.typeName): \(segment.rowCount) rows, "
                    + "\(segment.byteCount) bytes, rollup of \(segment.rollupByteCount)")
        }
        for absence in manifest.absences {
            lines.append(
                "\(id): of \(absence.range.lowerBound) to \(absence.range.upperBound) \(absence.eventCount) are "
                    + "\(absence.reason)")
        }
        guard let name = manifest.carry else { return lines }
        let carry = try CarryFile.load(disk: disk, folder: folder, name: name, log: log)
        lines.append("\(id): \(name) through \(carry.sealedThrough), \(carry.sessions.count) open sessions")
        for request in carry.requests {
            lines.append(
                "\(id): key \(request.keyHash.words.0) of \(request.firstSequence), \(request.eventCount) events")
        }
        return lines
    }

    private static func words(_ notes: ErasureProgress) -> [String] {
        [
            "\(notes.droppedRequestCount) keys and \(notes.droppedSessionCount) sessions dropped, "
                + "\(notes.removed.count) files removed, \(notes.zeroed.count) zeroed, \(notes.redacted.count) redacted"
        ]
            + notes.rewrites.map { rewrite in
                let erased = Family.ofOrganizations.map { "\(rewrite.erased[$0] ?? 0)" }.joined(separator: ", ")
                return
                    "of \(rewrite.range.lowerBound) to \(rewrite.range.upperBound) \(rewrite.old.count) files became "
                    + "\(rewrite.new.map(\.name).joined(separator: " ")), erased \(erased), lost \(rewrite.lostCount)"
            }
    }

    private static func words(_ act: ControlEvent) -> String {
        switch act {
        case .organizationCreated(let id, let log, let time):
            return "organization \(id.text) has log \(log.rawValue) at \(time.microseconds)"
        case .keyCreated(let key):
            return "key \(key.keyID) of \(key.organization.text) for \(key.user), \(key.name), "
                + "\(key.scopes.joined(separator: "+")), until \(key.expiresAt.map { "\($0.microseconds)" } ?? "ever")"
        case .keyRevoked(let id, let time): return "key \(id) revoked at \(time.microseconds)"
        case .retentionSet(let id, let policy, let time):
            let days = Family.ofOrganizations.map { "\(policy[$0])" }.joined(separator: ", ")
            return "\(id.text) keeps \(days) days, held \(policy.isHeld), at \(time.microseconds)"
        case .quotaSet(let id, let byteCount, let time):
            return "\(id.text) may take \(byteCount) bytes, at \(time.microseconds)"
        case .userSecretSet(let id, let secret, let time):
            return "\(id.text) hashes names with \(secret.count) bytes, at \(time.microseconds)"
        case .erasureBegun(let record): return "erasure begun: \(record)"
        case .erasureDone(let id, let generation, let time):
            return "erasure \(id) done in generation \(generation), at \(time.microseconds)"
        case .keyRetired(let id, let until, let time):
            return "key \(id) retired until \(until.microseconds), at \(time.microseconds)"
        case .keysUsed(let uses, let time): return "\(uses.count) keys used, at \(time.microseconds)"
        case .members(let act): return "members: \(act)"
        case .configurationSet(let id, let configuration, let time):
            return "\(id.text) chose \(configuration), at \(time.microseconds)"
        case .organizationDeleted(let id, let time): return "\(id.text) deleted at \(time.microseconds)"
        case .organizationRemoved(let log, let time):
            return "log \(log.rawValue) removed at \(time.microseconds)"
        case .token(let act, let time): return "\(act), at \(time.microseconds)"
        case .audited(let record): return "audited: \(record)"
        case .rateLimitsSet(let id, let policy, let time):
            return "\(id.text) may send \(policy), at \(time.microseconds)"
        case .deadLettered(let letter): return "dead letter: \(letter)"
        case .deadLetterRemoved(let id, let isReplayed, let time):
            return "dead letter \(id) removed, replayed \(isReplayed), at \(time.microseconds)"
        case .durabilitySet(let id, let durability, let time):
            return "\(id.text) is answered \(durability.name), at \(time.microseconds)"
        }
    }
}
