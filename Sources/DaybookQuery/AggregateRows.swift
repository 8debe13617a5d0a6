/// The groups of an answer in its order, with what was counted of each. An item is put together when it is wanted, and one
/// that is only printed never is as a whole.
enum AggregateRows: Sendable {
    /// Slots of a scan.
    case scanned(AggregateScan, [Int32])
    case listed([AggregateItem])

    var count: Int {
        switch self {
        case .scanned(_, let slots): slots.count
        case .listed(let items): items.count
        }
    }

    /// Complexity: O(items), each with its percentiles.
    func items() -> [AggregateItem] {
        switch self {
        case .listed(let items): return items
        case .scanned(var scan, let slots):
            return slots.map { slot in
                var item = AggregateItem()
                scan.fill(&item, slot: slot)
                item.group = scan.group(of: slot)
                return item
            }
        }
    }
}
