internal import DaybookFormat

/// Brings every organization before the compactor now and then, although nothing happens to it: its events grow old,
/// and nobody knows at the start what an earlier life left undone. Stepped by the checkpoint thread; a lap goes over all
/// logs that a checkpoint ever named, evenly spread over its time.
final class MaintenancePatrol {
    private let registry: OrganizationRegistry
    private let queue: MaintenanceQueue
    private let options: CompactionOptions
    private var lap: [LogID] = []
    private var next = 0
    private var lapMicroseconds: Int64
    private var lapStart: Int64?
    /// More are not added at once, whatever the clock does.
    private static let logCountMax = 64

    init(registry: OrganizationRegistry, queue: MaintenanceQueue, options: CompactionOptions) {
        self.registry = registry
        self.queue = queue
        self.options = options
        lapMicroseconds = min(options.firstPatrolMicroseconds, options.patrolMicroseconds)
    }

    func look(nowMicroseconds now: Int64) {
        guard let start = lapStart, now >= start else { return begin(now) }
        let elapsed = now - start
        if next == lap.count {
            guard elapsed >= lapMicroseconds else { return }
            lapMicroseconds = options.patrolMicroseconds
            return begin(now)
        }
        let share = min(1, Double(elapsed) / Double(lapMicroseconds))
        let due = min(lap.count, next + Self.logCountMax, Int((Double(lap.count) * share).rounded(.up)))
        while next < due {
            queue.addPatrolled(lap[next])
            next += 1
        }
    }

    private func begin(_ now: Int64) {
        lapStart = now
        lap = registry.marks.keys.filter { $0 != .control }.sorted()
        next = 0
    }
}
