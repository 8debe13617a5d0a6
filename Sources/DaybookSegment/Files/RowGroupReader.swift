internal import DaybookFormat

/// Reads rows of one row group. First all pages that are needed, neighbours with one call, then decodes them.
struct RowGroupReader {
    let segment: SegmentReader
    let directory: RowGroupDirectory
    /// Those that are decoded next: all that are wanted, whose pages were read, or a part of them.
    var rows: Range<Int>
    let selection: ColumnSelection
    /// Attributes that are wanted by themselves.
    let attributes: [AttributeName]
    private var runs: [Run] = []
    var integers = IntegerPageDecoder()
    private var strings = BytePageDecoder()
    private var expanded: [UInt8] = []
    /// Made when the first page of integers is decoded.
    var values: [UInt64] = []
    /// Dictionaries that the caller has already, by the number of their column.
    private let tables: [UInt16: StringTable]
    /// Flags are wanted although no wanted column needs them.
    private let readsFlags: Bool

    /// Bytes of the file that were read together.
    private struct Run {
        var offset: UInt64
        var end: UInt64
        var bytes: [UInt8] = []
    }

    /// Reading over a gap this small is cheaper than another call.
    private static let gapByteCountMax: UInt64 = 8 << 10

    /// Nothing is loaded yet.
    private init(
        _ segment: SegmentReader, _ directory: RowGroupDirectory, _ rows: Range<Int>,
        selection: ColumnSelection = [], attributes: [AttributeName] = [], tables: [UInt16: StringTable] = [:],
        readsFlags: Bool = false
    ) {
        self.segment = segment
        self.directory = directory
        self.rows = rows
        self.selection = selection
        self.attributes = attributes
        self.tables = tables
        self.readsFlags = readsFlags
    }

    init(
        _ segment: SegmentReader, _ directory: RowGroupDirectory, rows: Range<Int>, _ selection: ColumnSelection,
        tables: [ColumnNumber: StringTable] = [:], readsFlags: Bool = false
    ) throws(SegmentError) {
        let numbered = Dictionary(uniqueKeysWithValues: tables.map { ($0.key.rawValue, $0.value) })
        self.init(segment, directory, rows, selection: selection, tables: numbered, readsFlags: readsFlags)
        var wanted: [ColumnDescriptor] = []
        for column in ColumnNumber.columns(of: segment.family) where isWanted(column) {
            wanted.append(try descriptor(column))
        }
        if isWanted(.identifierTime), !isWanted(.timestamp) { wanted.append(try descriptor(.timestamp)) }
        try load(wanted + objectDescriptors())
    }

    /// For the dictionary of one column alone, without its rows.
    init(
        _ segment: SegmentReader, _ directory: RowGroupDirectory, dictionaryOf column: ColumnNumber
    ) throws(SegmentError) {
        self.init(segment, directory, 0..<0)
        try load([try descriptor(column)])
    }

    /// For the strings of one byte column alone.
    init(
        _ segment: SegmentReader, _ directory: RowGroupDirectory, rows: Range<Int>, stringsOf column: ColumnNumber
    ) throws(SegmentError) {
        self.init(segment, directory, rows)
        try load([try descriptor(column)])
    }

    /// For columns of attributes alone, and what is left of the objects where it is needed.
    init(
        _ segment: SegmentReader, _ directory: RowGroupDirectory, rows: Range<Int>, attributes: [AttributeName],
        tables: [UInt16: StringTable]
    ) throws(SegmentError) {
        self.init(segment, directory, rows, attributes: attributes, tables: tables)
        try load(attributeDescriptors())
    }

    /// For single columns of attributes.
    init(
        _ segment: SegmentReader, _ directory: RowGroupDirectory, rows: Range<Int>, columns: [ColumnDescriptor],
        tables: [UInt16: StringTable]
    ) throws(SegmentError) {
        self.init(segment, directory, rows, tables: tables)
        try load(columns)
    }

    func isWanted(_ column: ColumnNumber) -> Bool {
        guard column == .flags else { return !selection.isDisjoint(with: column.selection) }
        return readsFlags || selection.needsFlags(of: segment.family)
    }

    func descriptor(_ column: ColumnNumber) throws(SegmentError) -> ColumnDescriptor {
        if let found = directory.column(column) { return found }
        let offset = segment.footer.rowGroups[directory.rowGroup].directoryOffset
        throw segment.file.damage(at: offset, .invalid("directory without a column"))
    }

    private mutating func load(_ columns: [ColumnDescriptor]) throws(SegmentError) {
        var needed: [Run] = []
        for descriptor in columns {
            let dictionaryPages = tables[descriptor.number] == nil ? descriptor.dictionaryPages : []
            for page in dictionaryPages + descriptor.pages.filter({ $0.rows.overlaps(rows) }) {
                needed.append(Run(offset: page.offset, end: page.offset + UInt64(page.byteCount)))
            }
        }
        needed.sort { $0.offset < $1.offset }
        for next in needed {
            if let last = runs.last, next.offset <= last.end + Self.gapByteCountMax {
                runs[runs.count - 1].end = max(last.end, next.end)
            } else {
                runs.append(next)
            }
        }
        for index in runs.indices {
            let run = runs[index]
            runs[index].bytes = try segment.file.read(Int(run.end - run.offset), at: run.offset)
        }
    }

    /// Checks one page and lends its payload.
    mutating func withPayload<R>(
        _ page: PageDescriptor, column: UInt16,
        _ body: (inout Self, PageEncoding, UnsafeRawBufferPointer) throws(FormatError) -> R
    ) throws(SegmentError) -> R {
        guard let index = runs.firstIndex(where: { $0.offset <= page.offset && page.offset < $0.end }) else {
            preconditionFailure("a page was not loaded")
        }
        // Taken out while `body` works on `self`, so that nothing is copied.
        var bytes: [UInt8] = []
        var scratch: [UInt8] = []
        swap(&bytes, &runs[index].bytes)
        swap(&scratch, &expanded)
        defer {
            swap(&bytes, &runs[index].bytes)
            swap(&scratch, &expanded)
        }
        let start = Int(page.offset - runs[index].offset)
        do throws(FormatError) {
            return try bytes.withRawSpan { (all: RawSpan) throws(FormatError) -> R in
                let header = try PageHeader(verifying: all, at: start)
                try check(header, page, column: column)
                let first = start + PageHeader.byteCount
                let stored = all.extracting(first..<first + page.storedByteCount)
                guard header.isCompressed else {
                    return try unsafe stored.withUnsafeBytes {
                        (payload: UnsafeRawBufferPointer) throws(FormatError) -> R in
                        try unsafe body(&self, header.encoding, payload)
                    }
                }
                try unsafe stored.withUnsafeBytes { (source: UnsafeRawBufferPointer) throws(FormatError) in
                    try unsafe Compression.expand(source, byteCount: Int(header.encodedByteCount), to: &scratch)
                }
                return try scratch.withRawSpan { (span: RawSpan) throws(FormatError) -> R in
                    try unsafe span.withUnsafeBytes { (payload: UnsafeRawBufferPointer) throws(FormatError) -> R in
                        try unsafe body(&self, header.encoding, payload)
                    }
                }
            }
        } catch {
            throw segment.file.damage(at: page.offset, error)
        }
    }

    private func check(_ header: PageHeader, _ page: PageDescriptor, column: UInt16) throws(FormatError) {
        guard header.checksum == page.checksum else {
            throw .checksum(expected: page.checksum, found: header.checksum)
        }
        guard header.column == column, Int(header.rowGroup) == directory.rowGroup,
            Int(header.firstRow) == page.firstRow, Int(header.rowCount) == page.rowCount,
            Int(header.storedByteCount) == page.storedByteCount
        else { throw .invalid("page of another place") }
    }

    /// Calls `body` with the values of each page that lie in `rows`, and where they go.
    mutating func forEachPage(
        _ descriptor: ColumnDescriptor,
        _ body: (_ values: UnsafeBufferPointer<UInt64>, _ target: Int) throws(FormatError) -> Void
    ) throws(SegmentError) {
        let rows = rows
        for page in descriptor.pages where page.rows.overlaps(rows) {
            let wanted = page.rows.clamped(to: rows)
            try unsafe withPayload(page, column: descriptor.number) {
                (self: inout Self, encoding, payload: UnsafeRawBufferPointer) throws(FormatError) in
                var values: [UInt64] = []
                swap(&values, &self.values)
                defer { swap(&values, &self.values) }
                try unsafe self.decode(encoding, payload, count: page.rowCount, to: &values)
                try unsafe values.span
                    .extracting(wanted.lowerBound - page.firstRow..<wanted.upperBound - page.firstRow)
                    .withUnsafeBufferPointer { (part: UnsafeBufferPointer<UInt64>) throws(FormatError) in
                        try unsafe body(part, wanted.lowerBound - rows.lowerBound)
                    }
            }
        }
    }

    private mutating func decode(
        _ encoding: PageEncoding, _ payload: UnsafeRawBufferPointer, count: Int, to values: inout [UInt64]
    ) throws(FormatError) {
        if values.isEmpty { values = [UInt64](repeating: 0, count: SegmentLimits.pageRowCountMax) }
        var target = values.mutableSpan
        try unsafe target.withUnsafeMutableBufferPointer {
            (buffer: UnsafeMutableBufferPointer<UInt64>) throws(FormatError) in
            guard let start = buffer.baseAddress else { return }
            try unsafe integers.decode(encoding, payload, count: count, to: start)
        }
    }

    /// About what the rows of a byte column take, as the page headers say; not yet checked, so only good to reserve.
    private func expectedByteCount(_ descriptor: ColumnDescriptor) -> Int {
        var sum = 0
        for page in descriptor.pages where page.rows.overlaps(rows) {
            guard let run = runs.first(where: { $0.offset <= page.offset && page.offset < $0.end }) else { continue }
            let header = run.bytes.withRawSpan { (bytes: RawSpan) in
                try? PageHeader(reading: bytes, at: Int(page.offset - run.offset))
            }
            sum += Int(header?.encodedByteCount ?? 0)
        }
        return min(sum, SegmentLimits.columnByteCountMax)
    }

    /// The strings of one byte column.
    mutating func byteColumn(_ column: ColumnNumber) throws(SegmentError) -> ByteColumn {
        try byteColumn(try descriptor(column))
    }

    mutating func byteColumn(_ descriptor: ColumnDescriptor) throws(SegmentError) -> ByteColumn {
        let expected = expectedByteCount(descriptor)
        var result = ByteColumnRows(expectedRowCount: rows.count, expectedByteCount: expected)
        for page in descriptor.pages where page.rows.overlaps(rows) {
            let wanted = page.rows.clamped(to: rows)
            let local = wanted.lowerBound - page.firstRow..<wanted.upperBound - page.firstRow
            try unsafe withPayload(page, column: descriptor.number) {
                (self: inout Self, encoding, payload: UnsafeRawBufferPointer) throws(FormatError) in
                try unsafe self.strings.decode(encoding, payload, count: page.rowCount, wanted: local, to: &result)
            }
        }
        return result.column()
    }

    /// The dictionary of one code column.
    mutating func table(_ column: ColumnNumber) throws(SegmentError) -> StringTable {
        try table(try descriptor(column))
    }

    mutating func table(_ descriptor: ColumnDescriptor) throws(SegmentError) -> StringTable {
        if let known = tables[descriptor.number] { return known }
        var result = ByteColumnRows(expectedRowCount: descriptor.dictionaryEntryCount, expectedByteCount: 0)
        for page in descriptor.dictionaryPages {
            try unsafe withPayload(page, column: descriptor.number | PageHeader.dictionaryBit) {
                (self: inout Self, encoding, payload: UnsafeRawBufferPointer) throws(FormatError) in
                let all = 0..<page.rowCount
                try unsafe self.strings.decode(encoding, payload, count: page.rowCount, wanted: all, to: &result)
                guard result.missingCount == 0 else { throw .invalid("dictionary entry") }
            }
        }
        return StringTable(bytes: result.bytes, offsets: result.offsets)
    }
}
