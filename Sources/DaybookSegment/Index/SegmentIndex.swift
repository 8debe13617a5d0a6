package import DaybookFormat
package import DaybookSystem

/// The memory-mapped index beside a segment: which pages may hold a value, without a scan. Disposable: it carries no
/// truth, and whoever lacks it rebuilds it from the segment. Spec: docs/format/index.md.
package final class SegmentIndex: Sendable {
    let mapping: Mapping
    let layout: IndexLayout
    let shape: IndexShape

    private init(_ mapping: Mapping, _ layout: IndexLayout, _ shape: IndexShape) {
        self.mapping = mapping
        self.layout = layout
        self.shape = shape
    }

    /// The index in `mapping`, checked completely; nil when it is damaged, of another version or of another segment.
    package convenience init?(verifying mapping: Mapping, of shape: IndexShape) {
        do throws(FormatError) {
            let layout = try mapping.withBytes { (bytes: RawSpan) throws(FormatError) in
                try IndexLayout(verifying: bytes, of: shape)
            }
            self.init(mapping, layout, shape)
        } catch {
            // Damage here is no loss: the segment has everything.
            return nil
        }
    }

    /// The path of the index of the segment at `path`: the same name, ending in `.dbi`.
    package static func path(ofSegment path: String) -> String {
        (path.hasSuffix(".dbs") ? String(path.dropLast(4)) : path) + ".dbi"
    }

    /// Maps the index of an open segment. One that is missing, damaged, of an older version or of another segment is
    /// built anew, written beside the segment and synchronized; the answers are the same.
    package static func openOrRebuild(_ segment: SegmentReader, disk: any Disk) throws(SegmentError) -> SegmentIndex {
        if let index = try existing(segment, disk: disk) { return index }
        return try rebuild(segment, disk: disk)
    }

    /// The index if there is a sound one; nil otherwise. Writes nothing: for readers without a lock.
    package static func existing(_ segment: SegmentReader, disk: any Disk) throws(SegmentError) -> SegmentIndex? {
        do throws(DiskError) {
            return SegmentIndex(
                verifying: try disk.map(path(ofSegment: segment.path)), of: IndexShape(of: segment))
        } catch {
            if error.kind == .notFound { return nil }
            throw .disk(error)
        }
    }

    /// Builds the index from the columns of the segment, and writes it. Pages that are damaged count as pages that may
    /// hold anything.
    package static func rebuild(_ segment: SegmentReader, disk: any Disk) throws(SegmentError) -> SegmentIndex {
        let path = path(ofSegment: segment.path)
        let shape = IndexShape(of: segment)
        let bytes = try IndexBuilder.build(segment)
        let mapping: Mapping
        do throws(DiskError) {
            try bytes.withRawSpan { (span: RawSpan) throws(DiskError) in
                try disk.replaceAtomically(path, with: span)
            }
            // Mapped rather than kept: memory of the page cache is not ours.
            mapping = try disk.map(path)
        } catch {
            throw .disk(error)
        }
        // A file that changed since it was written is not trusted; the bytes that were written are.
        if let index = SegmentIndex(verifying: mapping, of: shape) { return index }
        guard let index = SegmentIndex(verifying: Mapping(copy: bytes), of: shape) else {
            preconditionFailure("an index just built does not verify")
        }
        return index
    }

    package var byteCount: Int { mapping.byteCount }
}

// MARK: - Questions

extension SegmentIndex {
    package func pages(withUser wanted: [UInt8]) -> PageSet { pages(.user, Self.hash(wanted)) }
    package func pages(withName wanted: [UInt8]) -> PageSet { pages(.name, Self.hash(wanted)) }
    package func pages(withSession wanted: [UInt8]) -> PageSet { pages(.session, Self.hash(wanted)) }
    package func pages(withEvent wanted: EventID) -> PageSet { pages(.event, Self.hash(wanted)) }

    /// - Parameter token: one of `TextTokens.of` of what is searched for; another is not found.
    package func pages(containingToken token: [UInt8]) -> PageSet { pages(.text, Self.hash(token)) }

    /// The pages whose texts may contain all tokens of `text`; every page when it has none.
    package func pages(containingTokensOf text: [UInt8]) -> PageSet {
        var result = PageSet.unknown(shape)
        for token in TextTokens.of(text) { result.formIntersection(pages(containingToken: token)) }
        return result
    }

    /// The row groups that may hold a row whose column is `wanted`, in order. Precondition: a column of
    /// `IndexSubject`.
    package func rowGroups(_ column: ColumnNumber, containing wanted: RawSpan) -> [Int] {
        guard let subject = IndexSubject(column) else { preconditionFailure("a column without an index") }
        return pages(subject, UInt32(truncatingIfNeeded: FieldHash.ofIndex(wanted))).rowGroups
    }

    package func rowGroups(_ column: ColumnNumber, containing wanted: [UInt8]) -> [Int] {
        wanted.withRawSpan { rowGroups(column, containing: $0) }
    }

    /// The distinct strings of a column over the whole segment, about; 0 when the index does not know.
    package func distinctCount(_ column: ColumnNumber) -> Int {
        IndexSubject(column).flatMap { layout.section($0)?.valueCount } ?? 0
    }

    static func hash(_ value: [UInt8]) -> UInt32 {
        value.withRawSpan { UInt32(truncatingIfNeeded: FieldHash.ofIndex($0)) }
    }

    /// Of the 16 bytes of an identifier, as they are printed.
    static func hash(_ id: EventID) -> UInt32 {
        let bytes = SIMD2(id.high.bigEndian, id.low.bigEndian)
        return unsafe withUnsafeBytes(of: bytes) { unsafe UInt32(truncatingIfNeeded: FieldHash.ofIndex($0)) }
    }

    /// Complexity: O(log n) with n values where there are sets, O(pages) where there are filters.
    func pages(_ subject: IndexSubject, _ hash: UInt32) -> PageSet {
        guard subject.isUsed(by: shape.family) else { return .none(shape) }
        switch layout.section(subject)?.content {
        case .sets(let section):
            let masks = mapping.withBytes { section.masks(of: hash, in: $0, rowGroupCount: shape.rowGroupCount) }
            return masks.map { PageSet($0, of: shape) } ?? .unknown(shape)
        case .filters(let section):
            let found = mapping.withBytes { section.pages(of: hash, in: $0) }
            var masks = [UInt8](repeating: 0, count: shape.rowGroupCount)
            var position = 0
            for rowGroup in masks.indices {
                for place in 0..<shape.pageCount(rowGroup: rowGroup) {
                    if found[position] { masks[rowGroup] |= 1 << UInt8(place) }
                    position += 1
                }
            }
            return PageSet(masks, of: shape)
        case nil: return .unknown(shape)
        }
    }
}
