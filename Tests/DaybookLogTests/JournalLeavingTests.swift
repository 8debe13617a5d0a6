import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookLog

/// Journal files that are left before they are full, and zeroed whole.
struct JournalLeavingTests {
    private static let byteCount = 8 << 10
    private let disk = SimulatedDisk()

    private func files(_ count: Int = 4) throws -> JournalFiles {
        try disk.createDirectory(Layout.journal)
        let files = JournalFiles(
            conditions: Array(repeating: .dirty, count: count), fileByteCount: Self.byteCount, ordinal: 0)
        for slot in 0..<count { try zero(slot, files) }
        return files
    }

    private func zero(_ slot: Int, _ files: JournalFiles) throws {
        var zeroing = try JournalZeroing(disk: disk, storeID: 7, slot: slot, byteCount: Self.byteCount)
        while try !zeroing.step() {}
        files.markClean(slot)
    }

    private func commit(_ journal: Journal) throws {
        let frame = [UInt8](repeating: 1, count: 64)
        #expect(try journal.reserve(frame.count) == .ready)
        try journal.commit([frame], byteCount: frame.count)
    }

    @Test func theActiveFileIsLeftAlthoughThereIsRoomInIt() throws {
        let files = try files()
        let journal = Journal(disk: disk, entropy: SeededEntropy(seed: 1), storeID: 7, files: files, position: 0)
        try commit(journal)
        #expect(files.conditions[0] == .active)
        let retirement = files.retireAll()
        #expect(retirement.slots == [0])
        #expect(files.isLeaving && files.releasingPosition(of: retirement) == nil)
        try commit(journal)
        #expect(files.conditions[0] == .full(end: 64) && files.conditions[1] == .active)
        #expect(!files.isLeaving && files.releasingPosition(of: retirement) == 64)
        try commit(journal)
        #expect(files.conditions[1] == .active)
        files.release(before: 64)
        #expect(files.unzeroed(retirement) == [0])
        try zero(0, files)
        #expect(files.unzeroed(retirement).isEmpty)
    }

    @Test func withoutACleanFileTheActiveOneIsNotLeft() throws {
        let files = try files(1)
        let journal = Journal(disk: disk, entropy: SeededEntropy(seed: 1), storeID: 7, files: files, position: 0)
        try commit(journal)
        _ = files.retireAll()
        #expect(files.isLeaving && !files.canLeave)
        try commit(journal)
        #expect(files.conditions == [.active])
    }

    @Test func cleanFilesAreNotRetired() throws {
        let files = try files()
        #expect(files.retireAll().slots == [])
        #expect(!files.isLeaving)
    }

    @Test func zeroingLeavesNothingBehindTheEndOfAFile() throws {
        try disk.createDirectory(Layout.journal)
        let file = try disk.open(JournalFiles.path(0), .create)
        try [UInt8](repeating: 9, count: 3 * Self.byteCount).withRawSpan { (span) throws(DiskError) in
            try file.write(span, at: 0)
        }
        var zeroing = try JournalZeroing(disk: disk, storeID: 7, slot: 0, byteCount: Self.byteCount)
        while try !zeroing.step() {}
        let bytes = try disk.readAll(JournalFiles.path(0))
        #expect(bytes.count == Self.byteCount)
        #expect(!bytes.dropFirst(JournalFileHeader.byteCount).contains(9))
    }
}
