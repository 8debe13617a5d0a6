import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookLog

/// Journal files that are not what their headers, or those of the others, say.
struct JournalScanTests {
    private static let storeID: UInt64 = 7

    /// A file with two groups of three events each, without zeroes behind them, and where it ends in the journal.
    private static func file(base: UInt64, ordinal: UInt64, first: UInt64) -> (bytes: [UInt8], end: UInt64) {
        let header = JournalFileHeader(storeID: storeID, basePosition: base, nonce: ordinal * 31, ordinal: ordinal)
        var bytes = header.encoded()
        var position = base
        for number in 0..<2 as Range<UInt64> {
            var group = GroupBuilder(log: LogID(16), arrival: Timestamp(microseconds: 1))
            for _ in 0..<3 {
                [UInt8](repeating: 0x61, count: 40).withRawSpan {
                    group.append(.commandExecution, schemaVersion: 1, encoding: $0)
                }
            }
            let sequence = first + 3 * number
            group.seal(firstSequence: sequence, durableThrough: sequence - 1)
            var commit = CommitBuilder(position: position, durable: position, nonce: header.nonce)
            commit.append(LogID(16), payload: group.bytes, gatherFrom: 1 << 20)
            position = commit.position
            bytes += commit.finish().joined()
        }
        return (bytes, position)
    }

    private static func scan(_ files: [[UInt8]], from position: UInt64 = 0) throws -> JournalScan {
        var image: [String: [UInt8]] = [:]
        for (slot, bytes) in files.enumerated() { image[JournalFiles.path(slot)] = bytes }
        return try JournalScan.read(
            disk: SimulatedDisk(recovering: DiskImage(files: image)), storeID: storeID, from: position)
    }

    /// Two files, the second one where the first one ends.
    private static let two = {
        let first = file(base: 0, ordinal: 1, first: 1)
        return [first.bytes, file(base: first.end, ordinal: 2, first: 7).bytes]
    }()

    @Test func `files are read in the order of their uses`() throws {
        for files in [Self.two, Self.two.reversed()] {
            let scan = try Self.scan(Array(files))
            #expect(scan.groups.map(\.firstSequence) == [1, 4, 7, 10])
            #expect(scan.damages.isEmpty)
        }
    }

    @Test func `a file that was cut although another continues it is corrupt`() throws {
        for byteCount in 44..<Self.two[0].count {
            let scan = try Self.scan([Array(Self.two[0].prefix(byteCount)), Self.two[1]])
            #expect(scan.groups.suffix(2).map(\.firstSequence) == [7, 10], "\(byteCount)")
            #expect(scan.groups.count < 4, "\(byteCount)")
            #expect(scan.damages.contains { $0.judgement == .corrupt && $0.slot == 0 }, "\(byteCount)")
            #expect(scan.damages.allSatisfy { !$0.range.isEmpty })
        }
    }

    @Test func `the last file may be cut anywhere`() throws {
        for byteCount in 0..<Self.two[1].count {
            let scan = try Self.scan([Self.two[0], Array(Self.two[1].prefix(byteCount))])
            #expect(scan.groups.prefix(2).map(\.firstSequence) == [1, 4], "\(byteCount)")
        }
    }

    @Test func `headers that contradict each other are damage`() throws {
        let files = [Self.file(base: 8_192, ordinal: 1, first: 1), Self.file(base: 4_096, ordinal: 2, first: 7)]
        let scan = try Self.scan(files.map(\.bytes))
        #expect(scan.groups.map(\.firstSequence) == [7, 10])
        #expect(scan.damages.map(\.slot) == [0])
        #expect(scan.damages.map(\.judgement) == [.corrupt])
    }

    @Test func `a position that nobody can reach is damage`() throws {
        let header = JournalFileHeader(storeID: Self.storeID, basePosition: .max - 100, nonce: 1, ordinal: 3)
        let scan = try Self.scan(Self.two + [header.encoded() + [UInt8](repeating: 1, count: 600)])
        #expect(scan.groups.count == 4)
        #expect(scan.damages.contains { $0.slot == 2 && $0.judgement == .corrupt })
    }

    @Test func `a file with a number of its own is none of ours`() throws {
        var image = [JournalFiles.path(0): Self.two[0]]
        image[JournalFiles.path(Int(Int32.max))] = Self.two[1]
        let scan = try JournalScan.read(
            disk: SimulatedDisk(recovering: DiskImage(files: image)), storeID: Self.storeID, from: 0)
        #expect(scan.slotCount == 1)
        #expect(scan.groups.count == 2)
    }
}
