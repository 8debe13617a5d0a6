internal import DaybookFormat

/// A split-block Bloom filter for each page. Spec: docs/format/index.md, "Filters".
struct FilterSection: Equatable, Sendable {
    var pageCount: Int
    var blockCount: Int
    /// Where the content stands in the file.
    var range: Range<Int>

    /// Checks that the parts fill the content.
    init(pageCount: Int, blockCount: Int, range: Range<Int>, in bytes: RawSpan) throws(FormatError) {
        self.pageCount = pageCount
        self.blockCount = blockCount
        self.range = range
        guard range.count == SplitBlockFilter.blockByteCount * blockCount + 4 * pageCount,
            pageCount == 0 || bytes.word(at: range.upperBound - 4) == UInt32(blockCount)
        else { throw .invalid("index section length") }
    }

    /// Calls `body` with the position of each page and its blocks; without blocks nothing is known of the page.
    private func forEachPage(in file: RawSpan, _ body: (Int, RawSpan) -> Void) {
        let bytes = file.extracting(range)
        let ends = SplitBlockFilter.blockByteCount * blockCount
        var first = 0
        for page in 0..<pageCount {
            let end = min(Int(bytes.word(at: ends + 4 * page) ?? 0), blockCount)
            let last = max(first, end)
            body(
                page,
                bytes.extracting(
                    SplitBlockFilter.blockByteCount * first..<SplitBlockFilter.blockByteCount * last))
            first = last
        }
    }

    /// For each page whether it may hold `hash`.
    func pages(of hash: UInt32, in file: RawSpan) -> [Bool] {
        var found = [Bool](repeating: true, count: pageCount)
        forEachPage(in: file) { page, blocks in
            if blocks.byteCount > 0 { found[page] = SplitBlockFilter.contains(hash, in: blocks) }
        }
        return found
    }

    /// How many pages are read in vain on average for a value that is not there; for reports.
    func falsePageCount(in file: RawSpan) -> Double {
        var sum = 0.0
        forEachPage(in: file) { _, blocks in sum += SplitBlockFilter.falseShare(of: blocks) }
        return sum
    }
}

extension FilterSection {
    struct Builder {
        private var ends: [UInt32] = []
        private var blocks: [UInt8] = []
        private var valueCount = 0

        /// Appends the filter of the next page.
        /// - Parameter blockCount: 0 when the page goes without.
        mutating func append(_ hashes: some Sequence<UInt32>, valueCount: Int, blockCount: Int) {
            if blockCount > 0, blocks.count <= IndexPolicy.byteCountMax {
                SplitBlockFilter.append(hashes, blockCount: blockCount, to: &blocks)
                self.valueCount += valueCount
            }
            ends.append(UInt32(blocks.count / SplitBlockFilter.blockByteCount))
        }

        /// Nil when no page has a filter.
        consuming func section(_ subject: IndexSubject) -> IndexSection? {
            guard let last = ends.last, last > 0 else { return nil }
            for end in ends { blocks.append(littleEndian: end) }
            return IndexSection(
                subject: subject, kind: .filters, valueCount: valueCount, unitCount: Int(last), content: blocks)
        }
    }
}
