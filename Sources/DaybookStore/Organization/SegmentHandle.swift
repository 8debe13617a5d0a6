internal import DaybookFormat
internal import DaybookSystem
internal import Synchronization

/// A segment that snapshots may name, with the index and the rollup beside it. When it was replaced, its files go with
/// the last reference: a reader opens them by path for as long as it has its snapshot.
final class SegmentHandle: Sendable {
    enum Fate: UInt8, AtomicRepresentable {
        /// The manifest names it.
        case named
        /// Replaced: the files are removed.
        case replaced
        /// Replaced because it is damaged: the segment is kept under its quarantine name, beside its report.
        case setAside
    }

    let reference: SegmentReference
    private let disk: any Disk
    private let folder: String
    private let fate = Atomic<Fate>(.named)
    /// Readers beside a server hold the file open, because the server may replace and remove it at any time.
    let held: (any DiskFile)?

    init(_ reference: SegmentReference, disk: any Disk, folder: String, held: (any DiskFile)? = nil) {
        self.reference = reference
        self.disk = disk
        self.folder = folder
        self.held = held
    }

    /// The last call counts. Precondition: the manifest does not name the segment any more.
    func retire(_ fate: Fate) { self.fate.store(fate, ordering: .releasing) }

    deinit {
        let fate = fate.load(ordering: .acquiring)
        guard fate != .named else { return }
        for name in reference.fileNames {
            let path = Layout.path(folder, name)
            // A file that stays is dealt with when the organization is opened the next time.
            do {
                if fate == .setAside, name == reference.path {
                    try disk.rename(path, to: Layout.path(folder, .quarantine(of: name)))
                } else {
                    try disk.remove(path)
                }
            } catch {}
        }
    }
}
