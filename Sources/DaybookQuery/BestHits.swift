/// Keeps the first few of many positions in the order of a list: a heap with the last of them on top.
struct BestHits {
    struct Hit {
        var position: Cursor.Position
        /// Which row group, and which row of it.
        var place: Int
        var row: Int
    }

    private let capacity: Int
    private let order: ListQuery.Order
    private var heap: [Hit] = []

    /// Precondition: `capacity` is positive.
    init(capacity: Int, order: ListQuery.Order) {
        precondition(capacity > 0)
        self.capacity = capacity
        self.order = order
    }

    /// Whether `left` comes before `right` in the list.
    static func precedes(_ left: Cursor.Position, _ right: Cursor.Position, in order: ListQuery.Order) -> Bool {
        order == .newestFirst ? right < left : left < right
    }

    /// The position that a new one must precede; nil while there is room for any.
    var worst: Cursor.Position? { heap.count < capacity ? nil : heap[0].position }

    /// Complexity: O(log capacity).
    mutating func offer(_ hit: Hit) {
        if heap.count < capacity {
            heap.append(hit)
            siftUp(heap.count - 1)
        } else if Self.precedes(hit.position, heap[0].position, in: order) {
            heap[0] = hit
            siftDown()
        }
    }

    /// In the order of the list.
    func sorted() -> [Hit] { heap.sorted { Self.precedes($0.position, $1.position, in: order) } }

    private func isWorse(_ left: Int, _ right: Int) -> Bool {
        Self.precedes(heap[right].position, heap[left].position, in: order)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0, isWorse(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var worst = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isWorse(child, worst) {
                worst = child
            }
            guard worst != parent else { return }
            heap.swapAt(parent, worst)
            parent = worst
        }
    }
}
