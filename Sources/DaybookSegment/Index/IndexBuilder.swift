internal import DaybookFormat

/// Builds the bytes of an index from the columns of a segment: the same segment gives the same bytes. Reads what it
/// needs, one subject after the other; holds one row group of codes or one page of anything else, and what
/// `IndexPolicy` allows.
struct IndexBuilder {
    let segment: SegmentReader
    let shape: IndexShape

    static func build(_ segment: SegmentReader) throws(SegmentError) -> [UInt8] {
        let builder = IndexBuilder(segment: segment, shape: IndexShape(of: segment))
        var sections: [IndexSection] = []
        var byteCount = 0
        for subject in IndexSubject.allCases where subject.isUsed(by: segment.family) {
            guard let section = try builder.section(subject),
                byteCount + section.content.count <= IndexPolicy.byteCountMax
            else { continue }
            byteCount += section.content.count
            sections.append(section)
        }
        return file(sections, of: builder.shape)
    }

    static func file(_ sections: [IndexSection], of shape: IndexShape) -> [UInt8] {
        var descriptions: [UInt8] = []
        for section in sections { section.appendDescription(to: &descriptions) }
        let byteCount = sections.reduce(IndexLayout.headerByteCount + descriptions.count) { $0 + $1.content.count }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        bytes.append(littleEndian: IndexLayout.magic)
        bytes.append(littleEndian: IndexLayout.version)
        bytes.append(littleEndian: UInt64(byteCount))
        bytes.append(littleEndian: shape.segmentByteCount)
        bytes.append(littleEndian: shape.footerChecksum)
        bytes.append(littleEndian: UInt32(shape.rowGroupCount))
        bytes.append(littleEndian: UInt32(sections.count))
        var checksum = crc32c(descriptions, continuing: crc32c(bytes))
        for section in sections { checksum = crc32c(section.content, continuing: checksum) }
        bytes.append(littleEndian: checksum)
        bytes.append(contentsOf: descriptions)
        for section in sections { bytes.append(contentsOf: section.content) }
        return bytes
    }

    func section(_ subject: IndexSubject) throws(SegmentError) -> IndexSection? {
        switch subject {
        case .user, .name, .session: try codes(subject)
        case .event: try identifiers()
        case .text: try text()
        }
    }

    /// The rows, or nil when they are damaged.
    private func read(
        _ rowGroup: Int, _ rows: Range<Int>, _ selection: ColumnSelection
    ) throws(SegmentError) -> ColumnBatch? {
        do throws(SegmentError) {
            return try segment.read(rowGroup: rowGroup, rows: rows, selection)
        } catch {
            guard case .corrupt = error else { throw error }
            return nil
        }
    }

    // MARK: - Columns of codes

    private func codes(_ subject: IndexSubject) throws(SegmentError) -> IndexSection? {
        guard let column = subject.column else { preconditionFailure("no column of codes") }
        var values = PageValues(subject, of: shape)
        for rowGroup in 0..<shape.rowGroupCount {
            let first = rowGroup * IndexShape.rowGroupPageCountMax
            let pages = first..<first + shape.pageCount(rowGroup: rowGroup)
            let whole = try read(rowGroup, 0..<shape.rowCounts[rowGroup], column.selection)
            if let codes = whole?.codeColumn(column) {
                insert(codes, pages: pages, firstRow: 0, &values)
                continue
            }
            // Something is damaged: page by page the others are saved.
            for page in pages {
                let rows = shape.rows(ofPage: page)
                if let codes = try read(rowGroup, rows, column.selection)?.codeColumn(column) {
                    insert(codes, pages: page..<page + 1, firstRow: rows.lowerBound, &values)
                } else {
                    values.begin(page: page)
                    values.giveUp()
                    values.end()
                }
            }
        }
        return values.section()
    }

    private func insert(_ column: CodeColumn, pages: Range<Int>, firstRow: Int, _ values: inout PageValues) {
        let table = column.table
        let hashes = (0..<UInt32(table.count)).map { code in
            table.withBytes(of: code) { UInt32(truncatingIfNeeded: FieldHash.ofIndex($0)) }
        }
        /// The last page on which each code stood.
        var latest = [Int32](repeating: -1, count: table.count)
        for page in pages {
            values.begin(page: page)
            let rows = shape.rows(ofPage: page)
            for code in column.codes[rows.lowerBound - firstRow..<rows.upperBound - firstRow]
            where code != CodeColumn.missing && latest[Int(code)] != Int32(page) {
                latest[Int(code)] = Int32(page)
                values.insert(hashes[Int(code)])
            }
            values.end()
        }
    }

    // MARK: - Identifiers

    private func identifiers() throws(SegmentError) -> IndexSection? {
        guard try !zonesSuffice() else { return nil }
        var values = PageValues(.event, of: shape)
        for page in shape.pages {
            values.begin(page: page)
            if let batch = try read(IndexShape.rowGroup(ofPage: page), shape.rows(ofPage: page), .identifier) {
                for id in batch.identifiers { values.insert(SegmentIndex.hash(id)) }
            } else {
                values.giveUp()
            }
            values.end()
        }
        return values.section()
    }

    /// True when the zones of the pages find an identifier as well as a filter would, as they do for identifiers that
    /// begin with the time.
    private func zonesSuffice() throws(SegmentError) -> Bool {
        var zones: [ColumnZone] = []
        for rowGroup in 0..<shape.rowGroupCount {
            do throws(SegmentError) {
                zones += try segment.directory(rowGroup: rowGroup).column(.identifierTime)?.pages.map(\.zone) ?? []
            } catch {
                guard case .corrupt = error else { throw error }
            }
        }
        guard zones.allSatisfy({ $0.max &- $0.min <= IndexPolicy.identifierSpanMax }) else { return false }
        let starts = zones.map(\.min).sorted()
        let ends = zones.map(\.max).sorted()
        var overlapCount = 0
        var ended = 0
        var started = 0
        // Two zones overlap unless one ends before the other starts.
        for start in starts {
            while ended < ends.count && ends[ended] < start { ended += 1 }
            overlapCount += started - ended
            started += 1
        }
        return overlapCount * 2 + zones.count <= IndexPolicy.identifierOverlapMax * zones.count
    }

    // MARK: - Text

    private func text() throws(SegmentError) -> IndexSection? {
        let wanted: [ColumnNumber] = [.errorMessage, .arguments, .object]
        let there = ColumnNumber.columns(of: segment.family).filter { wanted.contains($0) }
        let selection = ColumnSelection(there.map(\.selection))
        var values = PageValues(.text, of: shape)
        var texts = PageTexts()
        for page in shape.pages {
            values.begin(page: page)
            if let batch = try read(IndexShape.rowGroup(ofPage: page), shape.rows(ofPage: page), selection) {
                texts.insert(batch, into: &values)
            } else {
                values.giveUp()
            }
            values.end()
        }
        return values.section()
    }
}
