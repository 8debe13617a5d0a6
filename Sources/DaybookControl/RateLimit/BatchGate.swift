package import DaybookFormat
import Synchronization

/// How many batches and imports of each organization are under way.
package final class BatchGate: Sendable {
    private let counts = Mutex<[LogID: Int]>([:])

    package init() {}

    /// Lets one more in, unless there are `countMax` already. Whoever got in must leave.
    package func enter(_ organization: LogID, countMax: Int) -> Bool {
        counts.withLock { counts in
            let count = counts[organization] ?? 0
            guard count < countMax else { return false }
            counts[organization] = count + 1
            return true
        }
    }

    /// Precondition: entered, and not left since.
    package func leave(_ organization: LogID) {
        counts.withLock { counts in
            guard let count = counts[organization] else { preconditionFailure("left without having entered") }
            counts[organization] = count == 1 ? nil : count - 1
        }
    }
}
