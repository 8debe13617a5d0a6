import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Foundation
import Synchronization
import Testing

@testable import DaybookStore

/// Collects outcomes by ticket.
final class CollectingSink: AcknowledgementSink {
    private let outcomes = Mutex<[UInt64: CommitOutcome]>([:])
    private let wakeup = Wakeup()

    func acknowledge(_ list: [Acknowledged]) {
        outcomes.withLock { outcomes in
            for item in list { outcomes[item.ticket] = item.outcome }
        }
        wakeup.signal()
    }

    func outcome(_ ticket: UInt64) -> CommitOutcome {
        while true {
            if let outcome = outcomes.withLock({ $0[ticket] }) { return outcome }
            wakeup.wait()
        }
    }
}

@Suite struct StoreRoundTripTests {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("daybook-\(UUID().uuidString)").path

    func group(_ log: LogID, _ numbers: Range<UInt64>, key: UInt64? = nil) -> GroupBuilder {
        let time = Timestamp(microseconds: SystemClock().wallMicroseconds())
        let hash = key.map { IdempotencyHash($0, 1, 2, 3) }
        var group = GroupBuilder(log: log, arrival: time, keyHash: hash, bodyHash: hash)
        for number in numbers {
            TestEvents.command(number, at: time).withRawSpan {
                group.append(.commandExecution, schemaVersion: 1, encoding: $0)
            }
        }
        return group
    }

    func sequences(_ snapshot: OrganizationSnapshot) throws -> [UInt64] {
        var found: [UInt64] = []
        try snapshot.forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) { found.append(entry.sequence) }
            return true
        }
        return found
    }

    @Test func acknowledgedEventsAreThereAfterAKillAndAfterACleanEnd() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let disk = try PosixDisk(creatingRoot: root)
        var options = StoreOptions()
        options.journalFileByteCount = 1 << 20
        options.checkpointByteCount = 1 << 20
        try Store.create(disk: disk, clock: SystemClock(), entropy: SystemEntropy(), options: options)
        let store = try Store.open(disk: disk, clock: SystemClock(), entropy: SystemEntropy(), options: options)
        store.start()
        let organization = try store.createOrganization(OrganizationID("acme")!)
        let sink = CollectingSink()
        store.submit(Submission(group: group(organization.log, 0..<3), sink: sink, ticket: 1))
        store.submit(Submission(group: group(organization.log, 3..<5, key: 7), sink: sink, ticket: 2))
        #expect(sink.outcome(1) == .committed(firstSequence: 1, lastSequence: 3))
        #expect(sink.outcome(2) == .committed(firstSequence: 4, lastSequence: 5))
        #expect(try sequences(store.snapshot(of: organization.log)) == [1, 2, 3, 4, 5])

        // A reader beside the running server, then one after it: both see the same, and nothing is written.
        let beside = try ReadOnlyStore.open(disk: disk, isServed: { true })
        #expect(beside.organizations() == [organization])
        #expect(try sequences(beside.snapshot(of: organization.log)) == [1, 2, 3, 4, 5])
        store.shutdown()

        let again = try Store.open(disk: disk, clock: SystemClock(), entropy: SystemEntropy(), options: options)
        #expect(again.recoveryReport.isClean)
        again.start()
        #expect(again.organization(organization.id) == organization)
        again.submit(Submission(group: group(organization.log, 3..<5, key: 7), sink: sink, ticket: 3))
        guard case .duplicate(4, 2, _, _) = sink.outcome(3) else {
            Issue.record("a repeated key was stored twice: \(sink.outcome(3))")
            return
        }
        again.submit(Submission(group: group(organization.log, 5..<6), sink: sink, ticket: 4))
        #expect(sink.outcome(4) == .committed(firstSequence: 6, lastSequence: 6))
        #expect(try sequences(again.snapshot(of: organization.log)) == [1, 2, 3, 4, 5, 6])
        again.shutdown()
    }
}
