import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookLog

/// What is torn and what is corrupt, byte by byte. The file holds two commits: a durable group, then one of two groups.
struct JournalDamageTests {
    private static let header = JournalFileHeader(storeID: 1, basePosition: 4_096, nonce: 99, ordinal: 3)
    private static let fileByteCount = 4_096

    private struct Sample {
        var bytes: [UInt8]
        /// Offsets in the file at which frames begin, and the end.
        var bounds: [Int]
    }

    /// - Parameter tail: the last bytes of every payload.
    private static func sample(tail: [UInt8]) -> Sample {
        var bytes = header.encoded()
        var bounds = [bytes.count]
        var position = header.basePosition
        for (index, sizes) in [[40], [300, 700]].enumerated() {
            var commit = CommitBuilder(position: position, durable: index == 0 ? 0 : position, nonce: header.nonce)
            for size in sizes {
                let first = UInt64(bounds.count) * 2
                let text = [UInt8](repeating: 0x61, count: size) + tail
                var group = GroupBuilder(log: LogID(16), arrival: Timestamp(microseconds: 1))
                text.withRawSpan { group.append(.commandExecution, schemaVersion: 1, encoding: $0) }
                group.seal(firstSequence: first, durableThrough: first - 1)
                commit.append(LogID(16), payload: group.bytes, gatherFrom: 1 << 20)
                bounds.append(JournalFileHeader.byteCount + Int(commit.position - header.basePosition))
            }
            bytes += commit.finish().joined()
            position = commit.position
        }
        bytes += [UInt8](repeating: 0, count: fileByteCount - bytes.count)
        return Sample(bytes: bytes, bounds: bounds)
    }

    private static func read(_ bytes: [UInt8]) -> (groupCount: Int, damages: [JournalDamage]) {
        var walk = JournalWalk(slot: 0, header: header, offset: JournalFileHeader.byteCount, limit: bytes.count)
        bytes.withRawSpan { walk.run($0) }
        walk.dropUnacknowledged()
        return (walk.groups.count, walk.judged(bytes.count, mustReach: nil))
    }

    static let tails: [[UInt8]] = [[], [0], [0, 0, 0, 0, 0, 0, 0, 0, 0], [7], [0xDB, 0]]

    @Test(arguments: tails)
    func aWriteThatStoppedAnywhereIsTorn(tail: [UInt8]) {
        let sample = Self.sample(tail: tail)
        for end in sample.bounds[1]..<sample.bounds[3] {
            var bytes = sample.bytes
            for index in end..<sample.bounds[3] { bytes[index] = 0 }
            let (groupCount, damages) = Self.read(bytes)
            // A frame that lacks nothing but its end is whole.
            #expect(groupCount >= 1)
            #expect(groupCount < 3 || end > sample.bounds[3] - 8 - tail.count)
            #expect(damages.allSatisfy { $0.judgement == .torn }, "stopped at \(end) of \(sample.bounds)")
        }
    }

    @Test func anySetOfUnwrittenSectorsIsTorn() {
        let sample = Self.sample(tail: [0, 0, 0])
        let sectors = Array(sample.bounds[1] / 512...(sample.bounds[3] - 1) / 512)
        for subset in 0..<(1 << sectors.count) - 1 {
            var bytes = sample.bytes
            for (index, sector) in sectors.enumerated() where subset >> index & 1 == 0 {
                for offset in max(sector * 512, sample.bounds[1])..<sector * 512 + 512 { bytes[offset] = 0 }
            }
            let (groupCount, damages) = Self.read(bytes)
            #expect(groupCount == 1 || groupCount == 2)
            #expect(damages.allSatisfy { $0.judgement == .torn }, "sectors \(subset)")
        }
    }

    @Test(arguments: tails)
    func aChangedByteOfAWholeFrameIsCorrupt(tail: [UInt8]) {
        let sample = Self.sample(tail: tail)
        let lastPayload = sample.bounds[2] + JournalFrame.headerByteCount
        for offset in [sample.bounds[0] + 60, sample.bounds[1] + 100, lastPayload + 50, lastPayload + 700] {
            var bytes = sample.bytes
            bytes[offset] ^= 0x40
            let (_, damages) = Self.read(bytes)
            #expect(damages.map(\.judgement) == [.corrupt], "changed at \(offset)")
        }
    }

    @Test func anEmptyFileBehindItsHeaderHasNoDamage() {
        let bytes = Self.header.encoded() + [UInt8](repeating: 0, count: 1_024)
        let (groupCount, damages) = Self.read(bytes)
        #expect(groupCount == 0)
        #expect(damages.isEmpty)
    }
}
