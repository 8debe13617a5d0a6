import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

struct PosixDiskTests {
    private let directory: TemporaryDirectory
    private let disk: PosixDisk

    init() throws {
        directory = try TemporaryDirectory()
        disk = try PosixDisk(root: directory.path)
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws {
        let file = try disk.open(path, .create)
        defer { file.close() }
        try file.write(gathering: [bytes], at: 0)
    }

    private func kind(_ body: () throws -> Void) -> DiskError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? DiskError)?.kind
        }
    }

    @Test func aFileReturnsTheBytesThatWereWritten() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        try write("a", bytes)
        #expect(try disk.readAll("a") == bytes)
    }

    @Test func readingAppendsAndStopsAtTheEndOfTheFile() throws {
        try write("a", [1, 2, 3, 4])
        let file = try disk.open("a", .read)
        var bytes: [UInt8] = [9]
        try file.read(100, at: 2, appendingTo: &bytes)
        try file.read(100, at: 50, appendingTo: &bytes)
        #expect(bytes == [9, 3, 4])
    }

    @Test func aDamagedLengthAsksForNoMemory() throws {
        try write("a", [1, 2, 3, 4])
        let file = try disk.open("a", .read)
        var bytes: [UInt8] = []
        try file.read(.max, at: 1, appendingTo: &bytes)
        try file.read(.max, at: 9, appendingTo: &bytes)
        #expect(bytes == [2, 3, 4])
        #expect(bytes.capacity < 1 << 20)
    }

    @Test func anOffsetThatNoFileHasIsAnError() throws {
        try write("a", [1])
        let file = try disk.open("a", .readWrite)
        #expect(kind { try file.write(gathering: [[1]], at: .max) } == .other)
        #expect(kind { _ = try file.readExactly(1, at: .max) } == .other)
        #expect(kind { try file.truncate(to: .max) } == .other)
    }

    @Test func readingExactlyMoreThanThereIsIsAnError() throws {
        try write("a", [1, 2])
        let file = try disk.open("a", .read)
        #expect(kind { _ = try file.readExactly(3, at: 0) } == .endOfFile)
    }

    @Test func gatheredPartsStandOneBehindTheOther() throws {
        // More parts than one system call takes, with empty ones between.
        let parts = (0..<2_500).map { index in [UInt8](repeating: UInt8(index % 251), count: index % 7) }
        let file = try disk.open("a", .create)
        try file.write(gathering: parts, at: 3)
        #expect(try file.readExactly(Int(try file.byteCount()), at: 0) == [0, 0, 0] + Array(parts.joined()))
    }

    @Test func gatheringNothingWritesNothing() throws {
        let file = try disk.open("a", .create)
        try file.write(gathering: [], at: 0)
        try file.write(gathering: [[], []], at: 8)
        #expect(try file.byteCount() == 0)
    }

    @Test func aSpanIsWrittenWhereItBelongs() throws {
        let file = try disk.open("a", .create)
        try file.write(([1, 2, 3] as [UInt8]).span.bytes, at: 2)
        try file.synchronize()
        #expect(try disk.readAll("a") == [0, 0, 1, 2, 3].map { UInt8($0) })
    }

    @Test func truncationCutsAndExtends() throws {
        try write("a", [1, 2, 3])
        let file = try disk.open("a", .readWrite)
        try file.truncate(to: 1)
        try file.truncate(to: 3)
        #expect(try disk.readAll("a") == [1, 0, 0])
    }

    @Test func evictedPagesAreReadAgain() throws {
        try write("a", [7, 8])
        let file = try disk.open("a", .readWrite)
        try file.synchronize()
        file.evictFromPageCache()
        #expect(try file.readExactly(2, at: 0) == [7, 8])
    }

    @Test func whatIsWrittenOutInPiecesIsThere() throws {
        let piece = [UInt8](repeating: 7, count: 100_000)
        let file = try disk.open("a", .create)
        for number in 0..<4 {
            let range = number * piece.count..<(number + 1) * piece.count
            try file.write(piece.span.bytes, at: UInt64(range.lowerBound))
            if number % 2 == 0 { file.startWriting(range) } else { try file.writeOut(range) }
            file.evictFromPageCache(range)
        }
        #expect(try disk.readAll("a") == Array(repeating: 7, count: 400_000))
    }

    @Test func missingFilesAndExistingOnesAreToldApart() throws {
        try write("a", [])
        #expect(kind { _ = try disk.open("b", .read) } == .notFound)
        #expect(kind { _ = try disk.open("b", .readWrite) } == .notFound)
        #expect(kind { _ = try disk.open("a", .create) } == .alreadyExists)
        #expect(kind { try disk.createDirectory("a") } == .alreadyExists)
        #expect(kind { try disk.remove("b") } == .notFound)
        #expect(try disk.exists("a"))
        #expect(try !disk.exists("b"))
        #expect(try !disk.exists("b/c"))
    }

    @Test func namesAreListedInByteOrder() throws {
        for name in ["b", "a", "B", "é", "z"] { try write(name, []) }
        #expect(try disk.list("") == ["B", "a", "b", "z", "é"])
    }

    @Test func directoriesHoldFiles() throws {
        try disk.createDirectory("d")
        try write("d/a", [1])
        try disk.rename("d/a", to: "b")
        try disk.synchronizeDirectory("d")
        try disk.synchronizeDirectory("")
        #expect(try disk.list("d") == [])
        #expect(try disk.list("") == ["b", "d"])
    }

    @Test func renamingReplacesTheTarget() throws {
        try write("a", [1])
        try write("b", [2])
        try disk.rename("a", to: "b")
        #expect(try disk.list("") == ["b"])
        #expect(try disk.readAll("b") == [1])
    }

    @Test func replacingAtomicallyLeavesNoTemporaryFile() throws {
        try write("a", [1])
        try write("a.tmp", [9, 9, 9])
        try disk.replaceAtomically("a", with: ([2] as [UInt8]).span.bytes)
        #expect(try disk.list("") == ["a"])
        #expect(try disk.readAll("a") == [2])
    }

    @Test(arguments: ["/etc/passwd", "../a", "d/../../a", "d//a", "./a", "d/", "a\0b"])
    func namesThatLeaveTheDirectoryAreRefused(path: String) {
        #expect(kind { _ = try disk.open(path, .create) } == .other)
        #expect(kind { try disk.remove(path) } == .other)
        #expect(kind { try disk.rename("a", to: path) } == .other)
        #expect(kind { _ = try disk.map(path) } == .other)
    }

    @Test func symbolicLinksAreNotFollowed() throws {
        try FileManager.default.createSymbolicLink(atPath: directory.path + "/a", withDestinationPath: "/etc/passwd")
        #expect(kind { _ = try disk.open("a", .read) } == .other)
    }

    @Test func mappedFilesShowTheirBytes() throws {
        try write("a", [1, 2, 3])
        let mapping = try disk.map("a")
        try disk.remove("a")
        #expect(mapping.withBytes { bytes in bytes.withUnsafeBytes { Array($0) } } == [1, 2, 3])
    }

    @Test func anEmptyFileCanBeMapped() throws {
        try write("a", [])
        let mapping = try disk.map("a")
        #expect(mapping.byteCount == 0)
        #expect(mapping.withBytes { $0.byteCount } == 0)
    }

    @Test func aDirectoryCannotBeMapped() throws {
        try disk.createDirectory("d")
        #expect(kind { _ = try disk.map("d") } == .other)
    }

    @Test func filesAndDirectoriesBelongToTheUserAlone() throws {
        try write("a", [])
        try disk.createDirectory("d")
        for (name, mode) in [("a", 0o600), ("d", 0o700)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/" + name)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
        }
    }

    @Test func theWholeFileSystemCanBeSynchronizedAndHasRoom() throws {
        try disk.synchronizeAll()
        #expect(try disk.freeByteCount() > 0)
    }

    @Test func theRootIsMadeWhenAsked() throws {
        let path = directory.path + "/new"
        #expect(kind { _ = try PosixDisk(root: path) } == .notFound)
        for _ in 0..<2 { #expect(try PosixDisk(creatingRoot: path).list("") == []) }
    }

    @Test func aClosedFileGivesItsDescriptorBack() throws {
        try write("a", [])
        let closed = try disk.open("a", .read)
        #expect(try openDescriptors(in: directory.path).count == 1)
        closed.close()
        #expect(try openDescriptors(in: directory.path).isEmpty)
        withExtendedLifetime(closed) {}
    }

    @Test func aFileThatNobodyHasGivesItsDescriptorBack() throws {
        try write("a", [])
        let left = try disk.open("a", .read)
        #expect(try openDescriptors(in: directory.path).count == 1)
        withExtendedLifetime(left) {}
        _ = consume left
        #expect(try openDescriptors(in: directory.path).isEmpty)
    }

    @Test func oneFileServesManyThreads() throws {
        let file = try disk.open("a", .create)
        let threads = (0..<4).map { index in
            SystemThread.start(name: "writer \(index)") {
                for block in 0..<64 {
                    let bytes = [UInt8](repeating: UInt8(index + 1), count: 100)
                    try? file.write(gathering: [bytes], at: UInt64((block * 4 + index) * 100))
                }
            }
        }
        for thread in threads { thread.join() }
        let expected = (0..<64).flatMap { _ in (1...4).flatMap { [UInt8](repeating: UInt8($0), count: 100) } }
        #expect(try disk.readAll("a") == expected)
    }

    @Test func aFullDeviceIsToldApart() throws {
        // /dev/full takes no byte.
        #expect(kind { try HostFile.write("/dev/full", ([1] as [UInt8]).span.bytes) } == .noSpace)
    }
}
