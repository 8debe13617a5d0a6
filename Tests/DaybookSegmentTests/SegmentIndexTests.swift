import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

struct SegmentIndexTests {
    static let indexPath = "segment.dbi"

    /// Three row groups and more, with sessions that lie in one or several of them.
    private func manyGroups() throws -> (SimulatedDisk, SegmentReader) {
        let disk = SimulatedDisk()
        var generator = EventGenerator(seed: 8, style: .realistic)
        let long = [UInt8](repeating: UInt8(ascii: "y"), count: 60_000)
        let events = (0..<450).map { row in
            var event = generator.next(.sessionChange)
            event.encoding.removeLast(event.encoding.count - 36)
            event.encoding.replaceSubrange(0..<4, with: [0x8, 0, 2, 0])
            event.encoding.replaceSubrange(28..<36, with: [UInt8](repeating: 0, count: 8))
            for text in ["user-\(row % 4)", "session-\(row / 10)", String(decoding: long, as: UTF8.self)] {
                event.encoding.append(varint: UInt64(text.utf8.count))
                event.encoding += text.utf8
            }
            return event
        }
        try writeSegment(events, disk: disk)
        return (disk, try SegmentReader.open(disk: disk, path: segmentPath))
    }

    /// What the index answers, asked of the rows themselves.
    private func truth(_ segment: SegmentReader, session: String) throws -> [Int] {
        try (0..<segment.rowGroupCount).filter { group in
            let sessions = try #require(try segment.read(rowGroup: group, .session).sessions)
            return sessions.table.code(of: Array(session.utf8)) != nil
        }
    }

    @Test func everySessionIsFoundInItsRowGroups() throws {
        let (disk, segment) = try manyGroups()
        try #require(segment.rowGroupCount >= 3)
        let index = try SegmentIndex.openOrRebuild(segment, disk: disk)
        for number in 0..<45 {
            let session = "session-\(number)"
            #expect(
                index.rowGroups(.session, containing: Array(session.utf8)) == (try truth(segment, session: session)))
        }
        #expect(index.rowGroups(.user, containing: Array("user-1".utf8)) == Array(0..<segment.rowGroupCount))
        // A session whose rows lie in two row groups is counted in both.
        let counts = try (0..<segment.rowGroupCount).map { try segment.table(rowGroup: $0, .session).count }
        #expect(index.distinctCount(.session) == counts.reduce(0, +))
    }

    @Test func whatIsNotThereIsNotFound() throws {
        let (disk, segment) = try manyGroups()
        let index = try SegmentIndex.openOrRebuild(segment, disk: disk)
        for number in 0..<1_000 {
            #expect(index.rowGroups(.session, containing: Array("other-\(number)".utf8)).isEmpty)
        }
        #expect(index.rowGroups(.name, containing: Array("user-1".utf8)).isEmpty)
    }

    @Test func aMissingIndexIsBuiltAgainWithTheSameBytes() throws {
        let (disk, segment) = try manyGroups()
        _ = try SegmentIndex.openOrRebuild(segment, disk: disk)
        let bytes = try disk.readAll(Self.indexPath)
        try disk.remove(Self.indexPath)
        #expect(try SegmentIndex.existing(segment, disk: disk) == nil)
        _ = try SegmentIndex.openOrRebuild(segment, disk: disk)
        #expect(try disk.readAll(Self.indexPath) == bytes)
    }

    @Test func aDamagedIndexIsBuiltAgain() throws {
        let (disk, segment) = try manyGroups()
        _ = try SegmentIndex.openOrRebuild(segment, disk: disk)
        let bytes = try disk.readAll(Self.indexPath)
        var random = SeededRandom(seed: 2)
        let cuts = [0, 1, 39, 40, 51, bytes.count - 1].map { Array(bytes.prefix($0)) }
        let flips = (0..<200).map { _ in
            var damaged = bytes
            damaged[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            return damaged
        }
        for damaged in cuts + flips {
            try disk.remove(Self.indexPath)
            let file = try disk.open(Self.indexPath, .create)
            try damaged.withRawSpan { try file.write($0, at: 0) }
            file.close()
            #expect(try SegmentIndex.existing(segment, disk: disk) == nil)
            let index = try SegmentIndex.openOrRebuild(segment, disk: disk)
            #expect(
                try index.rowGroups(.session, containing: Array("session-7".utf8))
                    == truth(segment, session: "session-7"))
            #expect(try disk.readAll(Self.indexPath) == bytes)
        }
    }

    @Test func theIndexOfAnotherSegmentIsNotTaken() throws {
        let (disk, segment) = try manyGroups()
        _ = try SegmentIndex.openOrRebuild(segment, disk: disk)
        try disk.rename(Self.indexPath, to: "other.dbi")
        try writeSegment(wildEvents(.commandExecution, count: 10, seed: 1), disk: disk, path: "other.dbs")
        let other = try SegmentReader.open(disk: disk, path: "other.dbs")
        #expect(try SegmentIndex.existing(other, disk: disk) == nil)
    }
}
