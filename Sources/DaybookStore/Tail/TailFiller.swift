internal import DaybookFormat

/// What one extension of a tail works on. Counters stand beside the chunks: to ask a large struct in an optional is to
/// copy it.
struct TailFiller: Sendable {
    private(set) var growing: [GrowingChunk?]
    private var versions: [UInt8]
    private var rowCounts: [Int]
    /// First sequence of each growing chunk.
    private var firstSequences: [UInt64]
    /// Whole chunks of this extension.
    private(set) var fresh: [[TailChunk]]
    private var freshByteCount = 0

    private static let familyCount = Family.ofOrganizations.count

    init() {
        growing = [GrowingChunk?](repeating: nil, count: Self.familyCount)
        versions = [UInt8](repeating: 0, count: Self.familyCount)
        rowCounts = [Int](repeating: 0, count: Self.familyCount)
        firstSequences = [UInt64](repeating: 0, count: Self.familyCount)
        fresh = [[TailChunk]](repeating: [], count: Self.familyCount)
    }

    static func index(of family: Family) -> Int { Int(family.rawValue) - 1 }

    /// Takes in the rows of a record from a sequence on.
    mutating func append(_ header: GroupHeader, _ record: RawSpan, from start: UInt64) throws {
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.sequence >= start, Family.ofOrganizations.contains(entry.family) else { continue }
            let index = Self.index(of: entry.family)
            if rowCounts[index] > 0, versions[index] != entry.schemaVersion { close(index) }
            if rowCounts[index] == 0 {
                growing[index] = GrowingChunk(entry.family, schemaVersion: entry.schemaVersion)
                versions[index] = entry.schemaVersion
                firstSequences[index] = entry.sequence
            }
            try growing[index]!.append(
                sequence: entry.sequence, arrival: header.arrival, encoding: record.extracting(entry.encoding))
            rowCounts[index] += 1
            if rowCounts[index] >= GrowingChunk.rowCountMax { close(index) }
        }
    }

    private mutating func close(_ index: Int) {
        guard let chunk = growing[index]?.whole() else { return }
        fresh[index].append(chunk)
        freshByteCount += chunk.byteCount
        abandon(index)
    }

    /// Ends a growing chunk without making it whole: readers keep the pieces that they have of it.
    private mutating func abandon(_ index: Int) {
        growing[index] = nil
        rowCounts[index] = 0
    }

    /// Abandons growing chunks with sequences up to this one, and returns which.
    mutating func abandonAll(through sequence: UInt64) -> [Int] {
        let found = growing.indices.filter { rowCounts[$0] > 0 && firstSequences[$0] <= sequence }
        for index in found { abandon(index) }
        return found
    }

    /// Memory of what this extension has made and of what grows; chunks of long events are closed.
    mutating func measure() -> Int {
        var byteCount = freshByteCount
        for index in growing.indices where rowCounts[index] > 0 {
            if growing[index]!.isLong {
                let before = freshByteCount
                close(index)
                byteCount += freshByteCount - before
            } else {
                byteCount += growing[index]!.byteCountWithPieces
            }
        }
        return byteCount
    }

    /// What readers get: whole chunks, and the pieces of each growing one.
    mutating func publish() -> (fresh: [[TailChunk]], pieces: [[TailChunk]], builderByteCount: Int) {
        var pieces: [[TailChunk]] = []
        var builderByteCount = 0
        for index in growing.indices {
            pieces.append(rowCounts[index] > 0 ? growing[index]!.publish() : [])
            if rowCounts[index] > 0 { builderByteCount += growing[index]!.byteCount }
        }
        defer {
            fresh = [[TailChunk]](repeating: [], count: Self.familyCount)
            freshByteCount = 0
        }
        return (fresh, pieces, builderByteCount)
    }
}
