import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport

@testable import DaybookStore

/// A store on a simulated disk that has something of everything: sealed events, events in log files, events that only the
/// journal holds, in two logs with events of the same number and size.
final class CheckedStore {
    static let logs = [LogID(16), LogID(17)]
    let disk = SimulatedDisk(seed: 1)
    let store: Store
    private let clock = ManualClock()
    private let sink = CollectingSink()
    private var ticket: UInt64 = 0
    private var number: UInt64 = 0

    init() throws {
        var options = StoreOptions()
        options.journalFileByteCount = 64 << 10
        options.logFileByteCount = 4 << 10
        options.checkpointByteCount = 48 << 10
        options.pendingByteCountMax = 24 << 10
        options.sealRowCountMin = 8
        let entropy = SeededEntropy(seed: 2)
        try Store.create(disk: disk, clock: clock, entropy: entropy, options: options)
        store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: options)
        submit(groupCount: 40)
        checkpoint()
        seal()
        submit(groupCount: 20)
        checkpoint()
        submit(groupCount: 3)
    }

    func submit(groupCount: Int) {
        for _ in 0..<groupCount {
            for log in Self.logs {
                let now = Timestamp(microseconds: clock.wallMicroseconds())
                var group = GroupBuilder(log: log, arrival: now)
                for _ in 0..<3 {
                    number += 1
                    TestEvents.command(number, user: "user-\(number % 5)", at: now).withRawSpan {
                        group.append(.commandExecution, schemaVersion: 1, encoding: $0)
                    }
                }
                ticket += 1
                store.submit(Submission(group: group, sink: sink, ticket: ticket))
            }
            clock.advance(seconds: 1)
        }
        while case .committed = store.machine.stepCommitter() {}
    }

    func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    func seal() { while store.machine.stepSealer() {} }

    /// The disk as a process finds it that comes after this one.
    func remains() -> SimulatedDisk { SimulatedDisk(recovering: disk.image()) }
}

extension SimulatedDisk {
    /// The first file of the first organization whose name ends so, or the last one.
    func path(ending: String, last: Bool = false) -> String {
        let folder = Layout.folder(of: CheckedStore.logs[0]) + "/"
        let found = paths().filter { $0.hasPrefix(folder) && $0.hasSuffix(ending) }
        guard let path = last ? found.last : found.first else { preconditionFailure("no file ends in \(ending)") }
        return path
    }

    func check(isServed: Bool = false) throws -> StoreCheckReport {
        try StoreCheck(disk: self, isServed: { isServed }).run()
    }
}
