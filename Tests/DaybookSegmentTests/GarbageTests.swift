import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Readers of garbage answer with an error or with rows, never with a trap. 20,000 changed files in all.
struct GarbageTests {
    private static func segment(_ family: Family, seed: UInt64) throws -> [UInt8] {
        let disk = SimulatedDisk()
        let events = wildEvents(family, count: 10, seed: seed).map { event in
            // Long objects would make most changes fall into them.
            event.encoding.count < 2_000 ? event : nil
        }
        try writeSegment(events.compactMap { $0 }, disk: disk, effort: .none)
        return try disk.readAll(segmentPath)
    }

    /// Opens, reads and rebuilds everything that can be read; returns whether anything could.
    static func readAll(_ bytes: [UInt8]) throws -> Bool {
        let disk = try disk(holding: bytes)
        let check = try SegmentCheck(disk: disk, path: segmentPath)
        guard let reader = try? SegmentReader.open(disk: disk, path: segmentPath) else {
            #expect(!check.isSound)
            return false
        }
        var isReadable = false
        for group in 0..<reader.rowGroupCount {
            _ = reader.zone(rowGroup: group)
            guard let batch = try? reader.read(rowGroup: group, .all) else { continue }
            isReadable = true
            var encoding: [UInt8] = []
            for row in 0..<batch.rowCount { batch.appendEncoding(row: row, to: &encoding) }
        }
        _ = try? SegmentIndex.rebuild(reader, disk: disk)
        return isReadable
    }

    @Test(arguments: Family.ofOrganizations)
    func changedBytesAreNeverTakenForTheOldOnes(family: Family) throws {
        var random = SeededRandom(seed: UInt64(family.rawValue))
        let bytes = try Self.segment(family, seed: 40)
        #expect(try Self.readAll(bytes))
        for _ in 0..<2_500 {
            var damaged = bytes
            switch random.below(4) {
            case 0: damaged.removeLast(1 + random.below(bytes.count))
            case 1: damaged.insert(UInt8(random.below(256)), at: random.below(bytes.count))
            default: for _ in 0...random.below(4) { damaged[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
            }
            let isWhole =
                try Self.readAll(damaged) && SegmentCheck(disk: disk(holding: damaged), path: segmentPath).isSound
            #expect(!isWhole || damaged == bytes)
        }
    }

    /// The same, with every checksum put right afterwards: only the checks behind them are left.
    @Test(arguments: Family.ofOrganizations)
    func changesUnderSoundChecksumsNeverTrap(family: Family) throws {
        var random = SeededRandom(seed: 500 + UInt64(family.rawValue))
        let bytes = try Self.segment(family, seed: 41)
        let pages = Resealing.pages(of: bytes)
        var readableCount = 0
        for _ in 0..<2_500 {
            var changed = bytes
            // Directory and footer, the last two pages, decide most.
            let page = random.oneIn(3) ? pages[pages.count - 1 - random.below(2)] : pages[random.below(pages.count)]
            let payload = page.lowerBound + PageHeader.byteCount..<page.upperBound
            for _ in 0...random.below(2) {
                changed[payload.lowerBound + random.below(payload.count)] = UInt8(random.below(256))
            }
            Resealing.reseal(&changed, page)
            if try Self.readAll(changed) { readableCount += 1 }
        }
        #expect(readableCount > 100)
    }
}

/// Puts the checksums of an uncompressed segment right after a change in one page.
enum Resealing {
    /// Header and payload of every page, in file order.
    static func pages(of bytes: [UInt8]) -> [Range<Int>] {
        var pages: [Range<Int>] = []
        var offset = SegmentHeader.byteCount
        while offset < bytes.count - SegmentTrailer.byteCount {
            let end = offset + PageHeader.byteCount + word(bytes, at: offset + 24)
            pages.append(offset..<end)
            offset = end
        }
        return pages
    }

    /// A page's checksum stands in the directory, the directory's in the footer, the footer's in the trailer.
    static func reseal(_ bytes: inout [UInt8], _ page: Range<Int>) {
        let pages = pages(of: bytes)
        var changed = page
        while true {
            let old = Array(bytes[changed.lowerBound..<changed.lowerBound + 4])
            bytes.store(
                littleEndian: crc32c(Array(bytes[changed.lowerBound + 4..<changed.upperBound])), at: changed.lowerBound)
            let new = Array(bytes[changed.lowerBound..<changed.lowerBound + 4])
            guard changed != pages.last else { break }
            // The directory for pages, the footer for the directory.
            let holder = changed == pages[pages.count - 2] ? pages[pages.count - 1] : pages[pages.count - 2]
            if let place = bytes[holder].firstRange(of: old) { bytes.replaceSubrange(place, with: new) }
            changed = holder
        }
        let trailer = bytes.count - SegmentTrailer.byteCount
        bytes.replaceSubrange(trailer + 12..<trailer + 16, with: bytes[changed.lowerBound..<changed.lowerBound + 4])
        bytes.store(littleEndian: crc32c(Array(bytes[trailer..<trailer + 16])), at: trailer + 16)
    }

    private static func word(_ bytes: [UInt8], at offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
}
