internal import DaybookFormat

/// What is real in one organization: which sequences left the log, and where each of them is. A value; `ManifestLog`
/// keeps it on disk. Spec: docs/format/manifest.md.
package struct Manifest: Sendable, Equatable {
    /// Number of the edit that led here; 0 for a folder without a manifest.
    package var generation: UInt64 = 0
    /// Every sequence up to this one is accounted for below; every later one is in the log. 0 when nothing is sealed.
    package var sealedThrough: UInt64 = 0
    /// By sequence, the families of a range one behind the other. A family without rows in a range has no segment.
    package var segments: [SegmentReference] = []
    /// By sequence, the reasons of a range one behind the other.
    package var absences: [Absence] = []
    /// What is kept of expired events: by sequence, the families of a range one behind the other.
    package var history: [HistoryReference] = []
    /// Name of the carry file; nil when nothing was carried over.
    package var carry: String?

    package init() {}

    /// Names of the files that must not be removed, indexes, rollups and history files included.
    package var namedFiles: Set<String> {
        var names: Set<String> = []
        for segment in segments { names.formUnion(segment.fileNames) }
        names.formUnion(history.map(\.path))
        if let carry { names.insert(carry) }
        return names
    }

    /// Of segments, of their rollups, and of history files.
    var byteCount: UInt64 {
        segments.reduce(0) { $0 + $1.byteCount + $1.rollupByteCount } + history.reduce(0) { $0 + $1.byteCount }
    }
}

extension SegmentReference {
    /// Whether the name is that of a segment of this family and range.
    var isNamedRightly: Bool {
        guard case .segment(firstSequence, lastSequence, family, _)? = FileKind(name: path) else { return false }
        return true
    }

    /// How often this range was written anew before; 0 when the name is not that of a segment.
    package var revision: UInt16 {
        guard case .segment(_, _, _, let revision)? = FileKind(name: path) else { return 0 }
        return revision
    }

    /// Name of the index beside the segment, whether or not it is there.
    package var indexPath: String { stem + ".dbi" }

    /// Name of the rollup beside the segment, whether or not it is there.
    package var rollupPath: String { stem + ".dbr" }

    private var stem: Substring { path.hasSuffix(".dbs") ? path.dropLast(4) : path[...] }

    /// The segment and what goes with it: its index, and its rollup if one was stored.
    package var fileNames: [String] {
        rollupByteCount > 0 ? [path, indexPath, rollupPath] : [path, indexPath]
    }

    /// The sequences that this segment shares with those of the other families of its range.
    package var range: ClosedRange<UInt64> { firstSequence...lastSequence }
}

/// The first named rule that a manifest or an edit breaks. A bug of ours when it is met before a publication, damage
/// when it is met in a file.
package struct ManifestViolation: Error, Equatable, Sendable, CustomStringConvertible {
    package let rule: StaticString

    package init(_ rule: StaticString) { self.rule = rule }

    package var description: String { "\(rule)" }

    package static func == (left: ManifestViolation, right: ManifestViolation) -> Bool {
        left.description == right.description
    }
}
