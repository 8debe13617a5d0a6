import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Copies from before an erasure that come back, and what later requests know of an erased user.
struct ErasureRepeatTests {
    private static let folder = Layout.folder(of: ErasingStore.log)
    private static let otherFolder = Layout.folder(of: ErasingStore.otherLog)

    /// The next life of a store.
    private func next(_ erasing: ErasingStore, on disk: SimulatedDisk) throws -> ErasingStore {
        try ErasingStore(on: disk, wallMicroseconds: erasing.clock.wallMicroseconds())
    }

    // MARK: - Copies

    /// The organization's folder comes back from a copy that was made before the erasure.
    @Test func aFolderOutOfAnOldCopyIsErasedAgain() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        erasing.checkpoint()
        erasing.seal()
        erasing.checkpoint()
        let copy = erasing.disk.image()
        let erasure = try erasing.begin()
        #expect(erasing.work())
        erasing.checkpoint()
        var image = erasing.disk.image()
        for path in image.files.keys where path.hasPrefix(Self.folder + "/") { image.files[path] = nil }
        for (path, bytes) in copy.files where path.hasPrefix(Self.folder + "/") { image.files[path] = bytes }
        let restored = try next(erasing, on: SimulatedDisk(recovering: image))
        #expect(!restored.store.shared.erasures.hasWork)
        let visibility = try restored.store.snapshot(of: ErasingStore.log).visibility(of: .commandExecution)
        #expect(visibility.erases(user: Array(ErasingStore.user.utf8), sequence: erasure.through))
        #expect(try !ErasureSearch.found(on: restored.disk.image(), but: Self.otherFolder).isEmpty)
        #expect(restored.work())
        #expect(try ErasureSearch.found(on: restored.disk.image(), but: Self.otherFolder) == [])
        let again = try next(restored, on: restored.disk.copy())
        _ = try again.store.snapshot(of: ErasingStore.log)
        #expect(!again.store.shared.erasures.hasWork)
    }

    @Test func anErasureThatIsBegunAgainIsDoneAgain() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        let erasure = try erasing.begin()
        #expect(erasing.work())
        let before = try erasing.events()
        try erasing.act([.erasureBegun(erasure)])
        #expect(erasing.store.erasureStatus(erasure.id)?.isDone == false)
        #expect(erasing.work())
        #expect(erasing.store.erasureStatus(erasure.id)?.isDone == true)
        #expect(try erasing.events() == before)
    }

    // MARK: - What later requests know

    @Test func aSessionOfAnErasedUserWasNeverThere() throws {
        let erasing = try ErasingStore()
        erasing.send([ErasingStore.session(ErasingStore.user, "erased-session")])
        erasing.send([ErasingStore.session("bob", "kept-session")])
        try erasing.begin()
        #expect(erasing.work())
        let erased = erasing.send(
            [(#"{"user_id":"bob","agents_used":["a"]}"#, .sessionUpdate(sessionID: Array("erased-session".utf8)))])
        let kept = erasing.send(
            [(#"{"user_id":"bob","agents_used":["a"]}"#, .sessionUpdate(sessionID: Array("kept-session".utf8)))])
        #expect(erased == .refused(.sessionNotFound(ChangePlace())))
        #expect(kept.isCommitted)
    }

    @Test func whatAnErasedUserBroughtIntoASessionOfAnotherIsGone() throws {
        let erasing = try ErasingStore()
        erasing.send([ErasingStore.session("bob", "shared")])
        erasing.send([
            (
                #"{"user_id":"\#(ErasingStore.user)","context":{"x":"\#(ErasingStore.mark)"}}"#,
                .sessionUpdate(sessionID: Array("shared".utf8))
            )
        ])
        erasing.checkpoint()
        erasing.seal()
        try erasing.begin()
        #expect(erasing.work())
        #expect(try ErasureSearch.found(on: erasing.disk.image(), but: Self.otherFolder) == [])
        let name = try #require(try erasing.store.snapshot(of: ErasingStore.log).manifest.carry)
        let carry = try CarryFile.load(disk: erasing.disk, folder: Self.folder, name: name, log: ErasingStore.log)
        #expect(carry.sessions.map(\.sessionID) == [Array("shared".utf8)])
    }

    @Test func keysOfRequestsWithEventsOfOthersAreKept() throws {
        let erasing = try ErasingStore()
        let mixed = [ErasingStore.command(ErasingStore.user, ErasingStore.mark), ErasingStore.command("bob")]
        #expect(erasing.send(mixed, key: "mixed").isCommitted)
        #expect(erasing.send([ErasingStore.command(ErasingStore.user, ErasingStore.mark)], key: "own").isCommitted)
        try erasing.begin()
        #expect(erasing.work())
        guard case .duplicate(let first, let count, _, let firstEvent) = erasing.send(mixed, key: "mixed") else {
            Issue.record("the key of others is forgotten")
            return
        }
        #expect(first == 1 && count == 2)
        let bobs = try #require(try erasing.events()[2])
        let fields = try bobs.withRawSpan { (span) throws(FormatError) in
            try EventFields(family: .commandExecution, schemaVersion: 1, reading: span)
        }
        #expect(firstEvent == fields.id)
        #expect(erasing.send([ErasingStore.command(ErasingStore.user)], key: "own").isCommitted)
    }

    // MARK: - Damage

    /// What cannot be read may be the user's: it is not kept.
    @Test func aDamagedSegmentOfTheUserIsNotSetAside() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        erasing.checkpoint()
        erasing.seal()
        let segment = try #require(
            try erasing.store.snapshot(of: ErasingStore.log).segments.first { $0.family == .commandExecution })
        let path = Layout.path(Self.folder, segment.path)
        let directory = try SegmentReader.open(disk: erasing.disk, path: path).directory(rowGroup: 0)
        let page = try #require(directory.columns.first { $0.number == ColumnNumber.timestamp.rawValue }?.pages[0])
        erasing.disk.corrupt(path, offset: Int(page.offset) + 20, xor: 1)
        let damaged = try next(erasing, on: erasing.disk.copy())
        let erasure = try damaged.begin()
        #expect(damaged.work())
        #expect(try ErasureSearch.found(on: damaged.disk.image(), but: Self.otherFolder) == [])
        #expect(try damaged.disk.list(Self.folder).contains { $0.hasSuffix(".quarantine") } == false)
        #expect(try damaged.certificate(erasure.id)["events_unreadable"]?.unsigned == UInt64(segment.rowCount))
    }
}
