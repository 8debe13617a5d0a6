internal import DaybookFormat
package import DaybookSystem

/// The memory-mapped index beside a segment: which row groups may hold a string, without a scan. Disposable: it carries
/// no truth, and whoever lacks it rebuilds it from the segment. Spec: docs/format/index.md.
package final class SegmentIndex: Sendable {
    /// The columns that are indexed.
    package static let columns: [ColumnNumber] = [.user, .name, .session]

    private let mapping: Mapping
    private let layout: IndexLayout

    private init(_ mapping: Mapping, _ layout: IndexLayout) {
        self.mapping = mapping
        self.layout = layout
    }

    /// The path of the index of the segment at `path`: the same name, ending in `.dbi`.
    package static func path(ofSegment path: String) -> String {
        (path.hasSuffix(".dbs") ? String(path.dropLast(4)) : path) + ".dbi"
    }

    /// Maps the index of an open segment. One that is missing, damaged or of another segment is built anew, written
    /// beside the segment and synchronized; the answers are the same.
    package static func openOrRebuild(_ segment: SegmentReader, disk: any Disk) throws(SegmentError) -> SegmentIndex {
        if let index = try existing(segment, disk: disk) { return index }
        return try rebuild(segment, disk: disk)
    }

    /// The index if there is a sound one; nil otherwise. Writes nothing: for readers without a lock.
    package static func existing(_ segment: SegmentReader, disk: any Disk) throws(SegmentError) -> SegmentIndex? {
        let mapping: Mapping
        do throws(DiskError) {
            mapping = try disk.map(path(ofSegment: segment.path))
        } catch {
            if error.kind == .notFound { return nil }
            throw .disk(error)
        }
        do throws(FormatError) {
            let layout = try mapping.withBytes { (bytes: RawSpan) throws(FormatError) in
                try IndexLayout(verifying: bytes, of: segment)
            }
            return SegmentIndex(mapping, layout)
        } catch {
            // Damage here is no loss: the segment has everything.
            return nil
        }
    }

    /// Builds the index from the dictionaries of the segment, and writes it.
    package static func rebuild(_ segment: SegmentReader, disk: any Disk) throws(SegmentError) -> SegmentIndex {
        let bytes = try IndexBuilder.build(segment)
        let path = path(ofSegment: segment.path)
        do throws(DiskError) {
            try bytes.withRawSpan { (span: RawSpan) throws(DiskError) in
                try disk.replaceAtomically(path, with: span)
            }
        } catch {
            throw .disk(error)
        }
        let mapping = Mapping(copy: bytes)
        do throws(FormatError) {
            return SegmentIndex(
                mapping,
                try bytes.withRawSpan { (span: RawSpan) throws(FormatError) in
                    try IndexLayout(verifying: span, of: segment)
                })
        } catch {
            preconditionFailure("an index just built does not verify")
        }
    }

    /// The row groups that may hold a row whose column is `wanted`, in order. Never leaves out one that does; names one
    /// that does not about once in 2^32 questions per distinct string. Precondition: an indexed column.
    /// Complexity: O(log n), n distinct strings of the segment.
    package func rowGroups(_ column: ColumnNumber, containing wanted: RawSpan) -> [Int] {
        precondition(Self.columns.contains(column))
        guard let section = layout.section(column) else { return [] }
        let hash = UInt32(truncatingIfNeeded: FieldHash.ofIndex(wanted))
        return mapping.withBytes { section.rowGroups(of: hash, in: $0, rowGroupCount: layout.rowGroupCount) }
    }

    package func rowGroups(_ column: ColumnNumber, containing wanted: [UInt8]) -> [Int] {
        wanted.withRawSpan { rowGroups(column, containing: $0) }
    }

    /// The distinct strings of a column over the whole segment, about.
    package func distinctCount(_ column: ColumnNumber) -> Int { layout.section(column)?.entryCount ?? 0 }

    package var byteCount: Int { mapping.byteCount }
}
