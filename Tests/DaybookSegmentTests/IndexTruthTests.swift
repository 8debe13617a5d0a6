import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// What the rows of a segment say themselves, page by page: what an index must not contradict.
struct IndexTruth {
    var users: [[UInt8]: Set<Int>] = [:]
    var names: [[UInt8]: Set<Int>] = [:]
    var sessions: [[UInt8]: Set<Int>] = [:]
    var events: [EventID: Set<Int>] = [:]
    var tokens: [[UInt8]: Set<Int>] = [:]

    init(_ segment: SegmentReader) throws {
        let shape = IndexShape(of: segment)
        for page in shape.pages {
            let batch = try segment.read(rowGroup: page / 8, rows: shape.rows(ofPage: page), .all)
            for row in 0..<batch.rowCount {
                func add(_ column: CodeColumn?, to map: inout [[UInt8]: Set<Int>]) {
                    guard let column, column.codes[row] != CodeColumn.missing else { return }
                    map[Array(column.table.bytes[column.table.range(of: column.codes[row])]), default: []].insert(page)
                }
                add(batch.users, to: &users)
                add(batch.names, to: &names)
                add(batch.sessions, to: &sessions)
                events[batch.identifiers[row], default: []].insert(page)
                for token in PlainTokens.of(batch.errorMessages?[row] ?? []) { tokens[token, default: []].insert(page) }
                for object in [batch.arguments?[row], batch.objects?[row]].compactMap({ $0 }) {
                    // Wild events have some that are no JSON.
                    guard let value = try? ParsedJSON(parsing: object) else { continue }
                    for token in PlainTokens.ofStrings(in: value) {
                        tokens[token, default: []].insert(page)
                    }
                }
            }
        }
    }

    /// Numbers of the pages in a set.
    static func numbers(_ set: PageSet, of shape: IndexShape) -> Set<Int> {
        Set(shape.pages.filter { set[$0 / 8] & 1 << UInt8($0 % 8) != 0 })
    }

    /// No page is left out.
    func expectNothingMissing(_ index: SegmentIndex, _ where: SourceLocation = #_sourceLocation) {
        func check(_ pages: Set<Int>, _ set: PageSet) {
            let missing = pages.subtracting(Self.numbers(set, of: index.shape))
            #expect(missing.isEmpty, sourceLocation: `where`)
        }
        for (value, pages) in users { check(pages, index.pages(withUser: value)) }
        for (value, pages) in names { check(pages, index.pages(withName: value)) }
        for (value, pages) in sessions { check(pages, index.pages(withSession: value)) }
        for (value, pages) in events { check(pages, index.pages(withEvent: value)) }
        for (value, pages) in tokens { check(pages, index.pages(containingToken: value)) }
    }
}

/// Two row groups of several pages, with values on all pages and on few.
enum IndexSample {
    static let rowCount = 84_000

    /// Commands whose sessions last about 400 rows, with an error of its own in one row of 1,000. Half of the
    /// identifiers are random where asked for.
    static func events(seed: UInt64, randomIdentifiers: Bool) -> [GeneratedEvent] {
        var random = SeededRandom(seed: seed)
        var generator = EventGenerator(seed: seed, style: .realistic)
        return (0..<rowCount).map { row in
            let hasError = row % 1_000 == 7
            var bytes: [UInt8] = []
            bytes.append(littleEndian: UInt16(0x9 | (hasError ? 0x4 : 0)))
            bytes += [hasError ? 1 : 0, 0]
            let time = 1_780_000_000_000 + UInt64(row)
            let high = randomIdentifiers ? random.next() : time << 16 | 0x7000 | random.next() & 0xFFF
            bytes.append(littleEndian: high.byteSwapped)
            bytes.append(littleEndian: random.next().byteSwapped)
            bytes.append(littleEndian: Int64(time * 1_000))
            bytes.append(littleEndian: UInt64(1_000_000))
            let rare = row == 33_333
            append(rare ? "rare-user" : "user-\(random.below(40))", to: &bytes)
            append(rare ? "rare-command" : "/command-\(random.below(12))", to: &bytes)
            append("session-\(row / 400 * 4 + random.below(4))", to: &bytes)
            if hasError { append("request req\(row) failed in main", to: &bytes) }
            append("{\"branch\":\"main\",\"module\":\"module \(random.below(50))\",\"n\":\(row)}", to: &bytes)
            var event = generator.next(.commandExecution)
            event.arrival = Timestamp(microseconds: Int64(time * 1_000))
            event.encoding = bytes
            return event
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(text.utf8.count))
        bytes += text.utf8
    }

    private static func make(seed: UInt64, randomIdentifiers: Bool) throws -> [UInt8] {
        let disk = SimulatedDisk()
        try writeSegment(events(seed: seed, randomIdentifiers: randomIdentifiers), disk: disk)
        return try disk.readAll(segmentPath)
    }

    private static let orderedBytes = Result { try make(seed: 1, randomIdentifiers: false) }
    private static let randomBytes = Result { try make(seed: 2, randomIdentifiers: true) }

    /// A disk of one's own: tests that run at once write the same index.
    private static func opened(_ bytes: Result<[UInt8], any Error>) -> Result<(SimulatedDisk, SegmentReader), any Error>
    {
        Result {
            let disk = try DaybookSegmentTests.disk(holding: try bytes.get())
            return (disk, try SegmentReader.open(disk: disk, path: segmentPath))
        }
    }

    static var ordered: Result<(SimulatedDisk, SegmentReader), any Error> { opened(orderedBytes) }
    static var random: Result<(SimulatedDisk, SegmentReader), any Error> { opened(randomBytes) }
}

struct IndexTruthTests {
    @Test(arguments: Family.ofOrganizations, [1, 2, 3] as [UInt64])
    func `nothing of wild events is missing`(family: Family, seed: UInt64) throws {
        let disk = SimulatedDisk()
        try writeSegment(wildEvents(family, count: 600, seed: seed), disk: disk)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        try IndexTruth(segment).expectNothingMissing(try SegmentIndex.rebuild(segment, disk: disk))
    }

    @Test(arguments: Family.ofOrganizations)
    func `nothing of realistic events is missing`(family: Family) throws {
        let disk = SimulatedDisk()
        try writeSegment(events(family, count: 20_000, seed: 6, style: .realistic), disk: disk)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        try IndexTruth(segment).expectNothingMissing(try SegmentIndex.rebuild(segment, disk: disk))
    }

    @Test func `sets name exactly the pages of a user, a name and a session`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        try #require(segment.rowGroupCount == 2)
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        let truth = try IndexTruth(segment)
        truth.expectNothingMissing(index)
        func numbers(_ set: PageSet) -> Set<Int> { IndexTruth.numbers(set, of: index.shape) }
        for (value, pages) in truth.users { #expect(numbers(index.pages(withUser: value)) == pages) }
        for (value, pages) in truth.names { #expect(numbers(index.pages(withName: value)) == pages) }
        for (value, pages) in truth.sessions { #expect(numbers(index.pages(withSession: value)) == pages) }
    }

    @Test func `a rare value is on one page of 8,192 rows`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        let set = index.pages(withUser: Array("rare-user".utf8))
        #expect(set.isKnown)
        #expect(set.rowGroups == [0])
        #expect(set.rows(rowGroup: 0) == [32_768..<40_960])
        #expect(set.pageCount == 1)
        #expect(set == index.pages(withName: Array("rare-command".utf8)))
        #expect(index.pages(withSession: Array("session-700".utf8)).rowCount <= 16_384)
    }

    @Test func `a value that is not there is on no page`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        for number in 0..<200 {
            let value = Array("nobody-\(number)".utf8)
            #expect(index.pages(withUser: value).isEmpty)
            #expect(index.pages(withName: value).isEmpty)
            #expect(index.pages(withSession: value).isEmpty)
        }
    }

    @Test func `a search tells a word of every page from a word of none`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        let everywhere = index.pages(containingToken: Array("main".utf8))
        #expect(everywhere.isKnown)
        #expect(everywhere.isEveryPage)
        #expect(index.pages(containingToken: Array("branch".utf8)).isEmpty)
        #expect(index.pages(containingToken: Array("nowhere".utf8)).isEmpty)
        #expect(index.pages(containingToken: Array("req33007".utf8)).rows(rowGroup: 0) == [32_768..<40_960])
    }

    @Test func `all words of a text must be on a page`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        #expect(index.pages(containingTokensOf: Array("Failed: REQ33007!".utf8)).pageCount == 1)
        #expect(index.pages(containingTokensOf: Array("req33007 req1007".utf8)).isEmpty)
        let none = index.pages(containingTokensOf: Array(" - ".utf8))
        #expect(none.isEveryPage)
        #expect(!none.isKnown)
    }

    @Test func `a family without the column has no such value`() throws {
        let disk = SimulatedDisk()
        try writeSegment(events(.sessionChange, count: 50, seed: 1, style: .realistic), disk: disk)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        #expect(index.pages(withName: Array("developer-1".utf8)).isEmpty)
        #expect(index.pages(withName: Array("developer-1".utf8)).isKnown)
    }

    @Test func `sets of pages join and meet`() throws {
        let (disk, segment) = try IndexSample.ordered.get()
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        let early = index.pages(containingToken: Array("req7".utf8))
        let late = index.pages(containingToken: Array("req69007".utf8))
        var both = early
        both.formUnion(late)
        #expect(both.pageCount == 2)
        #expect(both.rowGroups == [0, 1])
        both.formIntersection(late)
        #expect(both == late)
        both.formIntersection(early)
        #expect(both.isEmpty)
    }
}
