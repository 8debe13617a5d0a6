/// A stack of plain values with a capacity that the limits give: no growth, no reference counting, checked bounds.
@safe struct FixedStack<Element: BitwiseCopyable>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    private let capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        unsafe base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    @inline(__always)
    mutating func push(_ element: Element) {
        precondition(count < capacity)
        unsafe (base + count).initialize(to: element)
        count &+= 1
    }

    /// Precondition: not more than there are.
    @inline(__always)
    mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count)
        count = newCount
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count)
            unsafe base[index] = newValue
        }
    }
}
