internal import DaybookFormat
internal import DaybookRollup
internal import DaybookStore
internal import Synchronization

extension AggregateScan {
    /// Scans everything, in parts that run at the same time where that pays.
    static func run(_ query: AggregateQuery, _ scan: Scan, _ options: QueryOptions) throws -> AggregateScan {
        let queue = ScanQueue(scan)
        let executor = options.executor
        guard executor.width > 1, scan.expectedRowCount >= options.parallelRowCountMin else {
            return try part(query, scan, queue)
        }
        let parts = Mutex<[Result<AggregateScan, any Error>]>([])
        executor.run(executor.width) { _ in
            let found = Result { try part(query, scan, queue) }
            // The others need not finish what will not be answered.
            if case .failure = found { queue.close() }
            parts.withLock { $0.append(found) }
        }
        var whole: AggregateScan?
        for found in parts.withLock({ $0 }) {
            let part = try found.get()
            if whole == nil { whole = part } else { try whole?.merge(part) }
        }
        return whole ?? AggregateScan(query, scan.conditions)
    }

    /// Scans what nobody else has taken, until nothing is left.
    private static func part(_ query: AggregateQuery, _ scan: Scan, _ queue: ScanQueue) throws -> AggregateScan {
        var part = AggregateScan(query, scan.conditions)
        while let next = try queue.next() { try part.add(next, of: scan) }
        return part
    }
}
