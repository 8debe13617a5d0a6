import DaybookFormat
import DaybookTestSupport

@testable import DaybookStore

/// Manifests, edits and segments that the tests of the manifest share.
enum Sample {
    static let log = LogID(16)
    static let folder = Layout.folder(of: log)
    static let path = Layout.path(folder, .manifest)

    static func segment(
        _ range: ClosedRange<UInt64>, _ family: Family, rowCount: UInt64, revision: UInt16 = 0
    ) -> SegmentReference {
        let kind = FileKind.segment(
            first: range.lowerBound, last: range.upperBound, family: family, revision: revision)
        return SegmentReference(
            family: family, firstSequence: range.lowerBound, lastSequence: range.upperBound, rowCount: Int(rowCount),
            timestampMin: Timestamp(microseconds: -5), timestampMax: Timestamp(microseconds: 1_000),
            path: kind.name, byteCount: 4_096, footerChecksum: 0xC0FF_EE00,
            arrivalMax: Timestamp(microseconds: 2_000), rollupByteCount: 512, rollupChecksum: 0xDEAD_BEEF)
    }

    static func absence(
        _ range: ClosedRange<UInt64>, _ reason: AbsenceReason, _ eventCount: UInt64? = nil
    ) -> Absence {
        Absence(range: range, eventCount: eventCount ?? range.upperBound - range.lowerBound + 1, reason: reason)
    }

    /// A range whose last row is an agent interaction and whose other rows are commands.
    static func seal(_ range: ClosedRange<UInt64>, carry: Bool = true) -> ManifestEdit {
        let rowCount = range.upperBound - range.lowerBound + 1
        var segments = [segment(range, .agentInteraction, rowCount: 1)]
        if rowCount > 1 { segments.insert(segment(range, .commandExecution, rowCount: rowCount - 1), at: 0) }
        return .seal(
            range, segments: segments, carry: carry ? FileKind.carry(sealedThrough: range.upperBound).name : nil)
    }

    static let edits: [ManifestEdit] = [
        seal(1...100), .lost(101...105, .logDamaged), seal(106...106, carry: false), seal(107...300),
    ]

    /// Merges the first ranges of `edits` and lets some of their rows expire.
    static let merge = ManifestEdit.replace(
        1...106,
        segments: [
            segment(1...106, .commandExecution, rowCount: 60), segment(1...106, .agentInteraction, rowCount: 2),
        ],
        absences: [absence(1...106, .logDamaged, 5), absence(1...106, .expired, 39)])

    static func manifest(_ edits: [ManifestEdit] = edits) throws(ManifestViolation) -> Manifest {
        var manifest = Manifest()
        for edit in edits { manifest = try manifest.applying(edit) }
        return manifest
    }

    /// A file that holds the edits one by one.
    static func file(_ edits: [ManifestEdit] = edits) throws -> [UInt8] {
        var bytes = ManifestFileHeader(log: log).encoded()
        var manifest = Manifest()
        for edit in edits {
            manifest = try manifest.applying(edit)
            ManifestRecord(generation: manifest.generation, edit: edit).append(to: &bytes)
        }
        return bytes
    }

    /// A disk that holds the folder and these files in it, durable.
    static func disk(_ files: [String: [UInt8]] = [:]) -> SimulatedDisk {
        SimulatedDisk(recovering: DiskImage(files: files, directories: [folder]), seed: 1)
    }

    /// A disk with a manifest of these edits.
    static func disk(_ edits: [ManifestEdit]) throws -> SimulatedDisk { disk([path: try file(edits)]) }

    static func open(_ disk: SimulatedDisk) throws(ManifestError) -> ManifestLog {
        try ManifestLog.open(disk: disk, folder: folder, log: log)
    }

    static func load(_ disk: SimulatedDisk) throws(ManifestError) -> Manifest? {
        try ManifestLog.load(disk: disk, folder: folder, log: log)?.manifest
    }

    /// What a start finds after losing power now, in some of the ways that are possible.
    static func afterPowerLoss(_ disk: SimulatedDisk) throws(ManifestError) -> [Manifest?] {
        var found: [Manifest?] = []
        for seed in 0..<8 as Range<UInt64> { found.append(try load(disk.copy().reopen(seed: seed))) }
        return found
    }

    static func read(_ bytes: [UInt8]) throws(Corruption) -> ManifestFile {
        try bytes.withRawSpan { (span) throws(Corruption) in try ManifestFile(reading: span, file: path) }
    }
}
