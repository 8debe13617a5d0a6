import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Whole records, with checksums that agree, that say what this version does not know.
struct LaterVersionTests {
    private static func commit(_ group: GroupBuilder, _ small: SmallStore) {
        small.store.submit(Submission(group: group, sink: small.sink, ticket: 99))
        while small.store.machine.stepCommitter() == .committed {}
    }

    @Test func `an act of a later version keeps the store closed and says so`() throws {
        var small = try SmallStore()
        var group = GroupBuilder(log: .control, arrival: Timestamp(microseconds: 1))
        ([63, 0, 0, 0] as [UInt8]).withRawSpan { group.append(.control, schemaVersion: 1, encoding: $0) }
        Self.commit(group, small)
        #expect {
            try small.reopen()
        } throws: { error in
            guard case StoreError.corrupt(let corruption) = error else { return false }
            return corruption.file == Layout.control
        }
    }

    @Test func `a session that cannot be read closes ingest of its organization only`() throws {
        var small = try SmallStore()
        try small.fill([20])
        let name = try #require(try small.snapshot.manifest.carry)
        let carry = try CarryFile.load(disk: small.disk, folder: SmallStore.folder, name: name, log: SmallStore.log)
        #expect(!carry.sessions.isEmpty)
        let changed = CarryFile(
            log: carry.log, sealedThrough: carry.sealedThrough, requests: carry.requests,
            sessions: carry.sessions.map { CarriedSession(sessionID: $0.sessionID, state: [255]) })
        try changed.encoded().withRawSpan { (span) throws(DiskError) in
            try small.disk.replaceAtomically(Layout.path(SmallStore.folder, name), with: span)
        }
        try small.reopen()
        #expect(throws: SmallStoreFailure.self) { try small.append(1) }
        #expect(try SmallStore.sealedRows(small.snapshot).count == 20)
    }
}
