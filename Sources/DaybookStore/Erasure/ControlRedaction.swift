internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// A file that was written anew under its own name.
struct RewrittenLog: Sendable, Equatable {
    var path: String
    var byteCount: UInt64
}

/// Where the erasing thread asks the checkpoint thread to take names out of the control log.
final class RedactionDesk: Sendable {
    private struct State {
        var wanted: UInt64 = 0
        var finished: UInt64 = 0
        var outcome: Result<[RewrittenLog], any Error> = .success([])
    }

    private let state = Mutex(State())

    /// Returns the number of the request.
    func request() -> UInt64 {
        state.withLock { state in
            state.wanted += 1
            return state.wanted
        }
    }

    /// The request that is to be served now; it serves all before it, too.
    var wanted: UInt64? { state.withLock { $0.wanted > $0.finished ? $0.wanted : nil } }
    var isWanted: Bool { wanted != nil }

    func finish(_ request: UInt64, _ outcome: Result<[RewrittenLog], any Error>) {
        state.withLock { state in
            state.finished = request
            state.outcome = outcome
        }
    }

    /// Nil while it waits.
    func outcome(of request: UInt64) -> Result<[RewrittenLog], any Error>? {
        state.withLock { $0.finished >= request ? $0.outcome : nil }
    }
}

/// Takes the names of users who are to be forgotten out of the control log's files. An act is replaced by one of the
/// same length, so that every record stays where the checkpoint says it is; a file that changes is written whole under a
/// temporary name and takes the place of the old one at once: after a crash it is the one or the other.
///
/// Belongs to the checkpoint thread, which alone writes to log files, and runs between two checkpoints: nothing that is to
/// be taken out may still be on its way from the journal.
struct ControlRedaction {
    let disk: any Disk
    let registry: OrganizationRegistry
    let control: ControlBook

    /// - Parameter willReplace: told the path before another file takes its place.
    func run(willReplace: (String) -> Void) throws -> [RewrittenLog] {
        let state = control.state
        let places = try registry.with(.control) { organization in
            organization.state.withLock { $0.extents.map { ($0.file.path, $0.byteCount) } }
        }
        var rewritten: [RewrittenLog] = []
        for (path, byteCount) in places {
            let file = try disk.open(path, .read)
            var bytes: [UInt8] = []
            do {
                defer { file.close() }
                try file.read(byteCount, at: 0, appendingTo: &bytes)
            }
            guard Self.redact(&bytes, state) else { continue }
            willReplace(path)
            try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path, with: span) }
            rewritten.append(RewrittenLog(path: path, byteCount: UInt64(bytes.count)))
        }
        return rewritten
    }

    private struct Patch {
        var offset: Int
        var bytes: [UInt8]
    }

    /// Returns whether anything was changed.
    private static func redact(_ bytes: inout [UInt8], _ state: ControlState) -> Bool {
        let patches = bytes.withRawSpan { redactions(of: $0, state) }
        apply(patches, to: &bytes)
        return !patches.isEmpty
    }

    private static func apply(_ patches: [Patch], to bytes: inout [UInt8]) {
        for patch in patches {
            bytes.replaceSubrange(patch.offset..<patch.offset + patch.bytes.count, with: patch.bytes)
        }
    }

    /// Records with what is to stand in their place. Passes over what does not verify.
    private static func redactions(of file: RawSpan, _ state: ControlState) -> [Patch] {
        var patches: [Patch] = []
        var walk = LogWalk(log: .control, from: LogFileHeader.byteCount, limit: file.byteCount)
        while true {
            do throws(FormatError) {
                guard let (header, offset) = try walk.next(file) else { return patches }
                let record = file.extracting(offset..<offset + header.byteCount)
                guard let redacted = try redacted(record, header, state) else { continue }
                patches.append(Patch(offset: offset, bytes: redacted))
            } catch {
                _ = walk.skipDamage(file)
            }
        }
    }

    /// The record with other acts and another checksum; nil when nothing is to be taken out of it.
    private static func redacted(
        _ record: RawSpan, _ header: GroupHeader, _ state: ControlState
    ) throws(FormatError) -> [UInt8]? {
        var patches: [Patch] = []
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.family == .control,
                let act = state.redacted(try ControlEvent(reading: record.extracting(entry.encoding)))
            else { continue }
            let encoding = act.encoded()
            guard encoding.count == entry.encoding.count else { continue }
            patches.append(Patch(offset: entry.encoding.lowerBound, bytes: encoding))
        }
        guard !patches.isEmpty else { return nil }
        var bytes = record.toArray()
        apply(patches, to: &bytes)
        let checksum = bytes.withRawSpan { crc32c($0.extracting(4..<$0.byteCount)) }
        bytes.store(littleEndian: checksum, at: 0)
        return bytes
    }
}
