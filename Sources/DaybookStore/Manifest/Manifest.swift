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
    /// In order of sequences.
    package var lost: [LostRange] = []
    /// Name of the carry file; nil when nothing was carried over.
    package var carry: String?

    package init() {}

    /// Names of the files that must not be removed, indexes included.
    package var namedFiles: Set<String> {
        var names: Set<String> = []
        for segment in segments {
            names.insert(segment.path)
            names.insert(segment.indexPath)
        }
        if let carry { names.insert(carry) }
        return names
    }
}

extension SegmentReference {
    /// What the segment's name must state. Precondition: the sequences are a range from 1 on.
    var fileKind: FileKind { .segment(first: firstSequence, last: lastSequence, family: family) }

    /// Name of the index beside the segment, whether or not it is there.
    package var indexPath: String {
        FileKind.index(first: firstSequence, last: lastSequence, family: family).name
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
