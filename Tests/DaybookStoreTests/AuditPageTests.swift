import DaybookFormat
import DaybookLog
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Pages of a trail of some length, in one large file of the control log.
struct AuditPageTests {
    private static let acme = OrganizationID("acme")!
    private static let globex = OrganizationID("globex")!
    private static let entryCount = 6_000
    /// Every so many entries one is of globex; the others are of acme.
    private static let rarity = 500
    /// Long, so that the log is.
    private static let route = String(repeating: "r", count: 600)

    private static var options: StoreOptions {
        var options = SmallStore.smallOptions
        options.logFileByteCount = 8 << 20
        options.journalFileByteCount = 1 << 20
        return options
    }

    private static func filled() throws -> SmallStore {
        var small = try SmallStore(options)
        for start in stride(from: 0, to: entryCount, by: 20) {
            try append(start..<start + 20, to: &small)
            if start.isMultiple(of: 1_000) { small.checkpoint() }
        }
        small.checkpoint()
        return small
    }

    private static func append(_ numbers: Range<Int>, to small: inout SmallStore) throws {
        let now = Timestamp(microseconds: small.clock.wallMicroseconds())
        let acts = numbers.map { number in
            ControlEvent.audited(
                AuditRecord(
                    at: now, organization: number.isMultiple(of: rarity) ? globex : acme, actor: .key("k"),
                    action: "key.create", target: "\(number)", route: Self.route))
        }
        let ticket = UInt64(1_000_000 + numbers.lowerBound)
        small.store.submit(
            Submission(group: ControlEvent.group(of: acts, at: now), sink: small.sink, ticket: ticket))
        while small.store.machine.stepCommitter() == .committed {}
        guard case .committed(let first, _) = small.sink.outcome(ticket) else { throw SmallStoreFailure.refused }
        small.store.control.take(acts, from: first)
    }

    private static func logByteCount(_ small: SmallStore) throws -> UInt64 {
        UInt64(try small.store.snapshot(of: .control).logFileByteCount)
    }

    /// What a page has, and how many bytes were read for it.
    private static func page(_ small: SmallStore, _ query: AuditQuery) throws -> (targets: [String], byteCount: UInt64)
    {
        let before = small.disk.readByteCount
        let page = try small.store.auditPage(query)
        return (page.entries.map(\.record.target), small.disk.readByteCount - before)
    }

    private static func targets(_ numbers: some Sequence<Int>) -> [String] { numbers.map { "\($0)" } }

    /// Blocks of the pages' entries, and the window in which they are read: not the log.
    private static func allowance(_ small: SmallStore) throws -> UInt64 { try logByteCount(small) / 8 }

    @Test(arguments: [false, true])
    func aPageReadsWhatItShows(isRestarted: Bool) throws {
        var small = try Self.filled()
        if isRestarted { try small.reopen() }
        #expect(try Self.logByteCount(small) > 3_500_000)
        let newest = try Self.page(small, AuditQuery(organization: nil, limit: 50))
        #expect(newest.targets == Self.targets((5_950..<6_000).reversed()))
        let middle = try Self.page(small, AuditQuery(organization: nil, before: 3_001, limit: 50))
        #expect(middle.targets == Self.targets((2_950..<3_000).reversed()))
        let oldest = try Self.page(small, AuditQuery(organization: nil, before: 51, limit: 50))
        #expect(oldest.targets == Self.targets((0..<50).reversed()))
        for page in [newest, middle, oldest] { #expect(try page.byteCount < Self.allowance(small)) }
    }

    @Test(arguments: [false, true])
    func aPageOfARareOrganizationPassesOverTheOthers(isRestarted: Bool) throws {
        var small = try Self.filled()
        if isRestarted { try small.reopen() }
        let page = try Self.page(small, AuditQuery(organization: Self.globex, before: 8, limit: 2))
        #expect(page.targets == ["3000", "2500"])
        #expect(try page.byteCount < 2 * Self.allowance(small))
        let all = try small.store.auditPage(AuditQuery(organization: Self.globex, limit: 100))
        #expect(all.entries.map(\.number) == (1...12).reversed())
        #expect(!all.hasMore)
    }

    @Test func pagesTogetherAreTheWholeTrail() throws {
        var small = try Self.filled()
        try small.reopen()
        // Not in a log file yet.
        try Self.append(6_000..<6_020, to: &small)
        var query = AuditQuery(organization: Self.acme, limit: 700)
        var targets: [String] = []
        var numbers: [UInt64] = []
        while true {
            let page = try small.store.auditPage(query)
            targets += page.entries.map(\.record.target)
            numbers += page.entries.map(\.number)
            guard page.hasMore else { break }
            query.before = page.entries.last?.number
        }
        #expect(targets == Self.targets((0..<6_020).reversed().filter { !$0.isMultiple(of: Self.rarity) }))
        #expect(numbers == (1...UInt64(targets.count)).reversed())
    }

    @Test func readersWithoutALockReadTheLogOnceAndThenPages() throws {
        let small = try Self.filled()
        let reader = try ReadOnlyStore.open(disk: small.disk)
        _ = try reader.auditPage(AuditQuery(organization: nil, limit: 1))
        let before = small.disk.readByteCount
        let snapshot = try reader.snapshot(of: .control)
        let opening = small.disk.readByteCount - before
        let page = try reader.auditPage(AuditQuery(organization: nil, before: 3_001, limit: 50))
        #expect(page.entries.map(\.record.target) == Self.targets((2_950..<3_000).reversed()))
        #expect(try small.disk.readByteCount - before - 2 * opening < Self.allowance(small))
        #expect(snapshot.damage.isEmpty)
    }

    @Test func damageCostsThePageWhatItHeldAndNothingElse() throws {
        let small = try Self.filled()
        let path = Layout.path(Layout.folder(of: .control), .logFile(first: 1))
        small.disk.corrupt(path, offset: Int(try Self.logByteCount(small) / 2), xor: 1)
        var query = AuditQuery(organization: nil, limit: 500)
        var targets: [String] = []
        while true {
            let page = try small.store.auditPage(query)
            targets += page.entries.map(\.record.target)
            #expect(zip(page.entries, page.entries.dropFirst()).allSatisfy { $0.number > $1.number })
            guard page.hasMore else { break }
            query.before = page.entries.last?.number
        }
        #expect(targets.count == Self.entryCount - 20)
        #expect(targets.last == "0" && targets.first == "5999")
    }
}

struct AuditIndexTests {
    private static func organization(_ number: Int) -> OrganizationID { OrganizationID("org-\(number)")! }

    @Test func marksNameTheBlocksOfANumber() {
        var index = AuditIndex()
        for sequence in stride(from: UInt64(10), to: 10_000, by: 10) { index.note(nil, at: sequence) }
        let trail = index.trail(of: nil)
        #expect(trail.entryCount == 999)
        for number in UInt64(1)...999 {
            let marks = trail.marks(of: number..<number + 1)
            #expect(marks.count == 1)
            #expect(marks.first?.block == (number * 10) >> UInt64(trail.blockShift))
            #expect((marks.first?.entryCountBefore ?? .max) < number)
        }
        #expect(trail.marks(of: 1..<1_000).count == trail.marks.count)
        #expect(index.trail(of: Self.organization(1)).entryCount == 0)
    }

    @Test func memoryIsBoundedAndNumbersStayRight() {
        var index = AuditIndex(markCountMax: 500)
        var counts: [Int: UInt64] = [:]
        var markCount = 0
        for sequence in UInt64(1)...50_000 {
            let number = Int(sequence % 50)
            index.note(Self.organization(number), at: sequence)
            counts[number, default: 0] += 1
            markCount = max(markCount, index.markCount)
        }
        // One mark of each trail may be too much when blocks are doubled.
        #expect((250...610).contains(markCount))
        for (number, count) in counts {
            let trail = index.trail(of: Self.organization(number))
            #expect(trail.entryCount == count)
            #expect(trail.marks.first?.entryCountBefore == 0)
            #expect(zip(trail.marks, trail.marks.dropFirst()).allSatisfy { $0.entryCountBefore < $1.entryCountBefore })
        }
    }

    @Test func moreTrailsThanMarksKeepOneMarkEach() {
        var index = AuditIndex(markCountMax: 10)
        for round in 0..<20 {
            for number in 0..<100 {
                index.note(Self.organization(number), at: UInt64(1 + round * 100 + number))
            }
        }
        #expect(index.markCount <= 202)
        #expect(index.trail(of: Self.organization(7)).entryCount == 20)
    }
}
