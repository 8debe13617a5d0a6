import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookSegment

struct IndexFilterTests {
    private static func hashes(_ count: Int, seed: UInt64) -> [UInt32] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in SegmentIndex.hash(EventID(high: random.next(), low: random.next())) }
    }

    private static func filter(_ hashes: [UInt32], bitsPerValue: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        SplitBlockFilter.append(hashes, blockCount: max(1, hashes.count * bitsPerValue / 256), to: &bytes)
        return bytes
    }

    @Test(arguments: [1, 2, 25, 26, 1_000, 8_192])
    func `a filter has every value that it was given`(count: Int) {
        let hashes = Self.hashes(count, seed: UInt64(count))
        Self.filter(hashes, bitsPerValue: 10).withRawSpan { blocks in
            var isComplete = true
            for hash in hashes { isComplete = isComplete && SplitBlockFilter.contains(hash, in: blocks) }
            #expect(isComplete)
        }
    }

    /// A million questions: the share that is said yes to in vain must lie within five standard deviations of what the
    /// bits of the filter promise, and within the bounds of the page.
    @Test(arguments: [(10, 0.0135), (8, 0.035), (6, 0.105)])
    func `a filter is wrong as rarely as its bits promise`(bitsPerValue: Int, bound: Double) {
        let questionCount = 1_000_000
        let absent = Self.hashes(questionCount, seed: 99)
        Self.filter(Self.hashes(8_192, seed: 7), bitsPerValue: bitsPerValue).withRawSpan { blocks in
            var falseCount = 0
            for hash in absent where SplitBlockFilter.contains(hash, in: blocks) { falseCount += 1 }
            let found = Double(falseCount) / Double(questionCount)
            let promised = SplitBlockFilter.falseShare(of: blocks)
            let deviation = (promised * (1 - promised) / Double(questionCount)).squareRoot()
            #expect(abs(found - promised) < 5 * deviation)
            #expect(promised < bound)
        }
    }

    @Test func `one event with a random identifier is found by reading about one page`() throws {
        let (disk, segment) = try IndexSample.random.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        let batch = try segment.read(rowGroup: 1, .identifier)
        var pageCount = 0
        let rows = stride(from: 0, to: batch.rowCount, by: 97)
        for row in rows {
            pageCount += segment.pages(withEvent: batch.identifiers[row], index).pageCount
            let found = try #require(try segment.find(batch.identifiers[row], index))
            #expect(found == (1, row))
        }
        let asked = Array(rows).count
        #expect(pageCount >= asked)
        #expect(Double(pageCount) < 1.3 * Double(asked))
        let report = try #require(index.report().sections.first { $0.name == "event" })
        #expect(report.kind == "filters")
        #expect(report.entryCount == IndexSample.rowCount)
        #expect(Double(report.byteCount) < 1.3 * Double(IndexSample.rowCount))
    }

    @Test func `an event that is not there is seldom looked for in a page`() throws {
        let (disk, segment) = try IndexSample.random.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        var random = SeededRandom(seed: 77)
        var pageCount = 0
        for _ in 0..<2_000 {
            let id = EventID(high: random.next(), low: random.next())
            pageCount += index.pages(withEvent: id).pageCount
            #expect(try segment.find(id, index) == nil)
        }
        // About 1.2 % of 2,000 questions of 9 pages.
        #expect(pageCount < 2_000 * index.shape.pageCount / 50)
    }

    @Test func `identifiers that begin with the time are found by zones alone`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        #expect(index.report().sections.first { $0.name == "event" }?.kind == "none")
        let batch = try segment.read(rowGroup: 0, .identifier)
        for row in stride(from: 0, to: batch.rowCount, by: 997) {
            let id = batch.identifiers[row]
            #expect(!index.pages(withEvent: id).isKnown)
            #expect(segment.pages(withEvent: id, index).pageCount == 1)
            let found = try #require(try segment.find(id, index))
            #expect(found == (0, row))
        }
        #expect(segment.pages(withEvent: EventID(high: 1, low: 2), index).isEmpty)
    }

    @Test func `sessions that hardly repeat have filters`() throws {
        let shape = Self.shape([65_536, 20_000])
        var values = PageValues(.session, of: shape)
        for page in shape.pages {
            values.begin(page: page)
            for hash in Self.hashes(shape.rows(ofPage: page).count, seed: UInt64(page)) { values.insert(hash) }
            values.end()
        }
        let made = values.section()
        let section = try #require(made)
        #expect(section.kind == .filters)
        #expect(section.content.count < shape.rowCount * 3 / 2)
    }

    @Test func `a page with more words than pay goes without a filter and is in every answer`() throws {
        let shape = Self.shape([20_000])
        let crowded = Self.hashes(60_000, seed: 3)
        let sparse = Self.hashes(9_000, seed: 4)
        var values = PageValues(.text, of: shape)
        for page in shape.pages {
            values.begin(page: page)
            for hash in page == 1 ? crowded : sparse { values.insert(hash &+ UInt32(page)) }
            values.end()
        }
        let made = values.section()
        let section = try #require(made)
        #expect(section.kind == .filters)
        #expect(section.content.count <= IndexPolicy.byteCountMax(.text, rowCount: shape.rowCount))
        let index = try Self.index([section], of: shape)
        for (position, hash) in sparse.enumerated() where position % 100 == 0 {
            #expect(Self.pages(index, .text, hash).contains(0))
            #expect(Self.pages(index, .text, hash).contains(1))
            #expect(Self.pages(index, .text, hash &+ 2).contains(2))
        }
    }

    @Test func `many words that pages share have sets though each page has too many for a filter`() throws {
        let shape = Self.shape([65_536, 65_536])
        let words = Self.hashes(30_000, seed: 5)
        var values = PageValues(.text, of: shape)
        for page in shape.pages {
            values.begin(page: page)
            for hash in words { values.insert(hash) }
            if page == 9 { values.insert(4) }
            values.end()
        }
        let made = values.section()
        let section = try #require(made)
        #expect(section.kind == .sets)
        #expect(section.content.count < 2 * shape.rowCount)
        let index = try Self.index([section], of: shape)
        #expect(Self.pages(index, .text, 4) == [9])
        #expect(index.pages(.text, words[17]).isEveryPage)
    }

    @Test func `a page whose values take too much memory may have any value`() throws {
        let shape = Self.shape([65_536])
        var values = PageValues(.text, of: shape)
        for page in shape.pages {
            values.begin(page: page)
            for value in 0..<(page == 2 ? 2_000_000 : 10) as Range<UInt32> where values.wantsMore {
                values.insert(value &* 2_654_435_761)
            }
            #expect(values.wantsMore == (page != 2))
            values.end()
        }
        let made = values.section()
        let index = try Self.index([try #require(made)], of: shape)
        #expect(Self.pages(index, .text, 12_345).contains(2))
        #expect(Self.pages(index, .text, 12_345).count < 4)
        #expect(index.pages(.text, 2_654_435_761).isEveryPage)
    }

    /// Random values on random pages of many row groups, so many that sets take too much memory on the way.
    @Test(arguments: [(4, 50), (40, 4_000), (40, 20_000), (300, 4_000)])
    func `nothing that was inserted is missing`(rowGroupCount: Int, valueCountPerPage: Int) throws {
        let shape = Self.shape([Int](repeating: 9_000, count: rowGroupCount))
        var random = SeededRandom(seed: UInt64(rowGroupCount * valueCountPerPage))
        let known = Self.hashes(200, seed: 1)
        var values = PageValues(.text, of: shape)
        var truth: [UInt32: Set<Int>] = [:]
        for page in shape.pages {
            values.begin(page: page)
            for number in 0..<valueCountPerPage {
                let isKnown = number % 3 == 0
                let hash = isKnown ? known[min(random.below(200), random.below(200))] : UInt32(random.below(1 << 32))
                if isKnown || random.oneIn(50) { truth[hash, default: []].insert(page) }
                values.insert(hash)
            }
            values.end()
        }
        let made = values.section()
        let section = try #require(made)
        let index = try Self.index([section], of: shape)
        for (hash, pages) in truth { #expect(pages.isSubset(of: Self.pages(index, .text, hash))) }
    }

    private static func shape(_ rowCounts: [Int]) -> IndexShape {
        IndexShape(segmentByteCount: 1_000_000, footerChecksum: 5, family: .commandExecution, rowCounts: rowCounts)
    }

    private static func index(_ sections: [IndexSection], of shape: IndexShape) throws -> SegmentIndex {
        let bytes = IndexBuilder.file(sections, of: shape)
        return try #require(SegmentIndex(verifying: Mapping(copy: bytes), of: shape))
    }

    private static func pages(_ index: SegmentIndex, _ subject: IndexSubject, _ hash: UInt32) -> Set<Int> {
        IndexTruth.numbers(index.pages(subject, hash), of: index.shape)
    }
}
