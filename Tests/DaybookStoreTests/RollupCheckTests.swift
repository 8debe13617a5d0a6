import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookRollup
@testable import DaybookStore

/// `verify rollups`: every rollup is derived again, and whatever is not the same to the bit is told.
struct RollupCheckTests {
    /// A store with two ranges, and rollups beside both segments of commands.
    private static func disk() throws -> SimulatedDisk {
        SimulatedDisk(recovering: try RollupFileTests.filled([2_000, 1_500]).disk.image())
    }

    private static func manifest(_ disk: SimulatedDisk) throws -> Manifest {
        try #require(try ManifestLog.load(disk: disk, folder: SmallStore.folder, log: SmallStore.log)).manifest
    }

    private static func commands(_ disk: SimulatedDisk, _ index: Int = 0) throws -> SegmentReference {
        try manifest(disk).segments.filter { $0.family == .commandExecution }[index]
    }

    private static func path(_ name: String) -> String { Layout.path(SmallStore.folder, name) }

    private static func check(_ disk: SimulatedDisk) throws -> RollupCheckReport {
        try RollupCheck(disk: disk, isServed: { false }).run()
    }

    private static func write(_ bytes: [UInt8], _ path: String, _ disk: SimulatedDisk) throws {
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path, with: span) }
    }

    /// Puts bytes where a rollup was, and makes the manifest name them.
    private static func replaceRollup(
        of segment: SegmentReference, by bytes: [UInt8], _ disk: SimulatedDisk
    ) throws {
        try write(bytes, path(segment.rollupPath), disk)
        try name(segment, disk) { reference in
            reference.rollupByteCount = UInt64(bytes.count)
            reference.rollupChecksum = crc32c(bytes)
        }
    }

    /// Makes the manifest say something else of a segment.
    private static func name(
        _ segment: SegmentReference, _ disk: SimulatedDisk, _ change: (inout SegmentReference) -> Void
    ) throws {
        var manifest = try manifest(disk)
        let index = try #require(manifest.segments.firstIndex(of: segment))
        change(&manifest.segments[index])
        var file = ManifestFileHeader(log: SmallStore.log).encoded()
        ManifestRecord(generation: manifest.generation, edit: .snapshot(manifest)).append(to: &file)
        try write(file, path(FileKind.manifest.name), disk)
    }

    /// A part of a rollup file: its place, and of which grain and window it is.
    private struct Part {
        var range: Range<Int>
        var checksum: UInt32
        var grain: String
        /// Nil for strings.
        var window: RollupWindow?
        /// How many parts before it have the same bytes.
        var twinCount = 0
    }

    private static func parts(_ bytes: [UInt8]) throws -> [Part] {
        try bytes.withRawSpan { (span: RawSpan) throws in
            let header = try RollupHeader(reading: span)
            let end = RollupHeader.byteCount + header.directoryByteCount
            let directory = try RollupDirectory(
                reading: span.extracting(RollupHeader.byteCount..<end), start: end, eventCount: header.eventCount)
            let parts = directory.grains.flatMap { entry in
                let grain = "\(entry.grain)"
                let strings = entry.strings.map { [Part(range: $0.range, checksum: $0.checksum, grain: grain)] } ?? []
                return strings
                    + entry.sections.flatMap { section in
                        [section.columns, section.histograms].map {
                            Part(range: $0.range, checksum: $0.checksum, grain: grain, window: section.window)
                        }
                    }
            }
            return parts.enumerated().map { index, part in
                var part = part
                part.twinCount = parts[..<index].count { $0.checksum == part.checksum }
                return part
            }
        }
    }

    /// The file with one byte changed and all its checksums made right again.
    private static func changed(_ bytes: [UInt8], at offset: Int, in part: Part) throws -> [UInt8] {
        var bytes = bytes
        bytes[offset] ^= 1
        var old: [UInt8] = []
        old.append(littleEndian: part.checksum)
        let header = try bytes.withRawSpan { (span: RawSpan) throws in try RollupHeader(reading: span) }
        let directory = RollupHeader.byteCount..<RollupHeader.byteCount + header.directoryByteCount
        let places = directory.filter { Array(bytes[$0..<$0 + 4]) == old }
        let place = try #require(places.dropFirst(part.twinCount).first)
        bytes.store(littleEndian: crc32c(Array(bytes[part.range])), at: place)
        let sealed = RollupHeader(
            identity: header.identity, eventCount: header.eventCount, directoryByteCount: directory.count,
            directoryChecksum: crc32c(Array(bytes[directory])))
        return sealed.encoded() + bytes[RollupHeader.byteCount...]
    }

    @Test func `a sound store is clean`() throws {
        let disk = try Self.disk()
        let report = try Self.check(disk)
        #expect(report.findings == [])
        #expect(report.notes == [])
        #expect(report.isSound)
        #expect(report.logCount == 1)
        #expect(report.segmentCount == 4)
        #expect(report.rollupCount == 2)
        #expect(report.rowCount == 3_500)
        let stored = try (0..<2).reduce(0) { try $0 + Self.commands(disk, $1).rollupByteCount }
        #expect(report.rollupByteCount == stored)
    }

    @Test func `merged segments have sound rollups`() throws {
        let small = try RollupFileTests.filled([500, 500, 500, 500])
        small.compact()
        let report = try RollupCheck(disk: small.disk, isServed: { false }).run(SmallStore.log)
        #expect(report.findings == [])
        #expect(report.rollupCount == 1)
        #expect(report.rowCount == 2_000)
    }

    @Test func `a changed byte under sound checksums is found where it is`() throws {
        let disk = try Self.disk()
        let segment = try Self.commands(disk)
        let rollupPath = Self.path(segment.rollupPath)
        let bytes = try disk.readAll(rollupPath)
        let parts = try Self.parts(bytes).filter { !$0.range.isEmpty }
        #expect(parts.count > 10)
        var placedCount = 0
        for part in parts {
            for offset in Set([part.range.lowerBound, part.range.lowerBound + part.range.count / 2]) {
                let copy = disk.copy()
                try Self.replaceRollup(of: segment, by: try Self.changed(bytes, at: offset, in: part), copy)
                let finding = try #require(try Self.check(copy).findings.first, "offset \(offset)")
                #expect(finding.problem == .different)
                #expect(finding.file == rollupPath)
                #expect(finding.segment == Self.path(segment.path))
                // A bit that no reader looks at changes the bytes only.
                guard let grain = finding.grain else { continue }
                placedCount += 1
                #expect(grain == part.grain, "offset \(offset)")
                guard part.window != nil else { continue }
                #expect(finding.window != nil)
            }
        }
        #expect(placedCount > 10)
    }

    @Test func `a difference is named by grain, window and start`() throws {
        let disk = try Self.disk()
        let segment = try Self.commands(disk)
        let snapshot = try ReadOnlyStore.open(disk: disk).snapshot(of: SmallStore.log)
        let reader = try snapshot.open(segment)
        var builder = RollupBuilder(family: reader.family, eventCountMax: reader.rowCount)
        var columns = RollupColumns(try reader.read(rowGroup: 0, [.time, .status, .duration, .name, .user]))
        columns.durations[7] += 1_000_000
        builder.add(columns)
        let identity = RollupIdentity(
            log: SmallStore.log, family: segment.family, firstSequence: segment.firstSequence,
            lastSequence: segment.lastSequence, segmentChecksum: segment.footerChecksum)
        let finished = builder.finish(identity)
        let bytes = try #require(finished)
        try Self.replaceRollup(of: segment, by: bytes, disk)
        let report = try Self.check(disk)
        #expect(report.findings.count == 1)
        let finding = try #require(report.findings.first)
        #expect(finding.problem == .different)
        #expect(finding.grain == "status")
        #expect(finding.window == "1m")
        let start = try #require(finding.windowStart)
        #expect(start <= segment.timestampMin && segment.timestampMin < start.adding(microseconds: 60_000_000))
    }

    @Test func `a missing file is found`() throws {
        let disk = try Self.disk()
        let segment = try Self.commands(disk, 1)
        try disk.remove(Self.path(segment.rollupPath))
        let report = try Self.check(disk)
        #expect(report.findings.map(\.problem) == [.missing])
        #expect(report.findings.map(\.file) == [Self.path(segment.rollupPath)])
        #expect(report.rollupCount == 1)
    }

    @Test func `a rollup of another segment is found`() throws {
        let disk = try Self.disk()
        let segment = try Self.commands(disk)
        let other = try disk.readAll(Self.path(Self.commands(disk, 1).rollupPath))
        try Self.replaceRollup(of: segment, by: other, disk)
        let report = try Self.check(disk)
        #expect(report.findings.map(\.problem) == [.foreign])
        #expect(report.findings.map(\.segment) == [Self.path(segment.path)])
    }

    @Test func `a sound file that the manifest does not name is found`() throws {
        let disk = try Self.disk()
        try Self.name(try Self.commands(disk), disk) { $0.rollupChecksum ^= 1 }
        #expect(try Self.check(disk).findings.map(\.problem) == [.unnamed])
    }

    @Test func `a damaged header is found`() throws {
        let disk = try Self.disk()
        disk.corrupt(Self.path(try Self.commands(disk).rollupPath), offset: 9, xor: 1)
        #expect(try Self.check(disk).findings.map(\.problem) == [.unreadable])
    }

    @Test func `a rollup of a damaged segment cannot be derived`() throws {
        let disk = try Self.disk()
        let segment = try Self.commands(disk)
        disk.corrupt(Self.path(segment.path), offset: Int(segment.byteCount) - 3, xor: 4)
        let report = try Self.check(disk)
        #expect(report.findings.map(\.problem) == [.underivable])
        #expect(report.rollupCount == 1)
    }

    @Test func `a damaged manifest is found`() throws {
        let disk = try Self.disk()
        disk.corrupt(Self.path(FileKind.manifest.name), offset: 4, xor: 1)
        let report = try Self.check(disk)
        #expect(report.findings.map(\.problem) == [.underivable])
        #expect(report.segmentCount == 0)
    }

    @Test func `one that pays and is not stored is a note`() throws {
        let disk = try Self.disk()
        try Self.name(try Self.commands(disk), disk) { reference in
            reference.rollupByteCount = 0
            reference.rollupChecksum = 0
        }
        let report = try Self.check(disk)
        #expect(report.isSound)
        #expect(report.notes.map(\.problem) == [.missing])
    }

    @Test func `a check changes no file`() throws {
        let disk = try Self.disk()
        disk.corrupt(Self.path(try Self.commands(disk).rollupPath), offset: 90, xor: 1)
        let before = disk.image()
        _ = try Self.check(disk)
        #expect(disk.image() == before)
        #expect(disk.changeCount == 0)
    }

    @Test func `segments that a server merges meanwhile are no finding`() throws {
        let small = try RollupFileTests.filled([500, 500, 500, 500])
        var hasMerged = false
        func mergeOnce(_ path: String) {
            guard !hasMerged else { return }
            hasMerged = true
            small.compact()
        }
        let report = try RollupCheck(disk: small.disk, isServed: { true }, progress: mergeOnce).run()
        #expect(hasMerged)
        #expect(report.findings == [])
        #expect(report.segmentCount == 2)
        #expect(report.rowCount == 2_000)
    }

    @Test func `a directory without an identity is no store`() {
        #expect(throws: StoreError.self) { try Self.check(SimulatedDisk(seed: 1)) }
    }

    @Test(arguments: [9, 100])
    func `the check of all files tells a damaged rollup, and it is no damage of the store`(offset: Int) throws {
        let disk = try Self.disk()
        let path = Self.path(try Self.commands(disk).rollupPath)
        #expect(try disk.check().counts.rollups == 2)
        disk.corrupt(path, offset: offset, xor: 1)
        let report = try disk.check()
        #expect(report.isSound)
        #expect(report.findings.map(\.file) == [path])
        #expect(report.findings.map(\.severity) == [.disposable])
        #expect(report.findings.map(\.subject) == [.rollup])
    }
}
