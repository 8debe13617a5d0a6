internal import DaybookFormat

/// Collects the hashes of what one subject has on each page, and makes the section that pays. Sets of pages are kept
/// until they take too much memory; from then on, and when filters are clearly smaller, each page has a filter.
struct PageValues {
    private struct Page {
        var number: Int
        var rowCount: Int
        /// Nil when the page was not read, or has too many.
        var valueCount: Int?
    }

    private let subject: IndexSubject
    private let shape: IndexShape
    private let setWordCount: Int
    /// Spreads hashes over the slots in a way that no client knows.
    private let multiplier = FieldHash.ofProcess.first | 1
    /// Open table of positions plus one; 0 is empty. Its size is a power of two, at least twice the number of hashes.
    private var slots = [UInt32](repeating: 0, count: slotCountMin)
    private static let slotCountMin = 1 << 10
    private var hashes: [UInt32] = []
    /// A set for each hash; empty once there are filters.
    private var sets: [UInt64] = []
    private var pages: [Page] = []
    private var valueCountMax = 0
    private var filters: FilterSection.Builder?

    init(_ subject: IndexSubject, of shape: IndexShape) {
        self.subject = subject
        self.shape = shape
        setWordCount = (shape.rowGroupCount + 7) / 8
        // Hardly an identifier is there twice: sets never pay, and nothing is gained by looking for equal ones.
        if subject == .event { filters = FilterSection.Builder() }
    }

    /// Values inserted from now on are of this page. Pages come in rising order, each once.
    mutating func begin(page: Int) {
        let rowCount = shape.rows(ofPage: page).count
        pages.append(Page(number: page, rowCount: rowCount, valueCount: 0))
        valueCountMax = IndexPolicy.pageValueCountMax(subject, rowCount: rowCount)
    }

    /// The page cannot be read: it counts as one that may hold anything.
    mutating func giveUp() { pages[pages.count - 1].valueCount = nil }

    /// False once more about this page makes no difference.
    var wantsMore: Bool { pages[pages.count - 1].valueCount != nil }

    /// Complexity: O(1) on average.
    mutating func insert(_ hash: UInt32) {
        guard let valueCount = pages[pages.count - 1].valueCount else { return }
        if subject == .event {
            hashes.append(hash)
        } else if filters == nil {
            let number = pages[pages.count - 1].number
            let word = position(of: hash) * setWordCount + number / 64
            let bit: UInt64 = 1 << UInt64(number % 64)
            guard sets[word] & bit == 0 else { return }
            sets[word] |= bit
        } else {
            guard position(of: hash) == valueCount else { return }
        }
        let hasRoom = filters == nil ? setsByteCount <= 2 * IndexPolicy.setsByteCountMax : valueCount < valueCountMax
        pages[pages.count - 1].valueCount = hasRoom ? valueCount + 1 : nil
    }

    /// Memory of the sets so far, about.
    private var setsByteCount: Int { (8 * setWordCount + 4) * hashes.count + 4 * slots.count }

    /// Where the hash stands among the hashes; it is appended when it is new.
    private mutating func position(of hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: (UInt64(hash) &* multiplier) >> 32) & mask
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if hashes[position] == hash { return position }
            slot = (slot + 1) & mask
        }
        hashes.append(hash)
        slots[slot] = UInt32(hashes.count)
        if filters == nil { for _ in 0..<setWordCount { sets.append(0) } }
        if hashes.count * 2 > slots.count { grow() }
        return hashes.count - 1
    }

    private mutating func grow() {
        let mask = slots.count * 4 - 1
        slots = [UInt32](repeating: 0, count: mask + 1)
        for (position, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: (UInt64(hash) &* multiplier) >> 32) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(position) + 1
        }
    }

    /// After the last value of a page.
    mutating func end() {
        if filters != nil {
            appendFilter(pages[pages.count - 1], hashes)
            clear()
        } else if setsByteCount > IndexPolicy.setsByteCountMax {
            takeFilters()
        }
    }

    private mutating func clear() {
        hashes.removeAll(keepingCapacity: true)
        guard subject != .event else { return }
        for slot in slots.indices { slots[slot] = 0 }
    }

    private mutating func appendFilter(_ page: Page, _ hashes: some Sequence<UInt32>) {
        let blockCount = page.valueCount.flatMap {
            IndexPolicy.filterBlockCount(subject, valueCount: $0, rowCount: page.rowCount)
        }
        filters?.append(hashes, valueCount: page.valueCount ?? 0, blockCount: blockCount ?? 0)
    }

    /// Makes filters of the sets so far. Complexity: O(pages · values).
    private mutating func takeFilters() {
        filters = FilterSection.Builder()
        for page in pages {
            let word = page.number / 64
            let bit: UInt64 = 1 << UInt64(page.number % 64)
            let there = hashes.indices.lazy.filter { [sets, setWordCount] in sets[$0 * setWordCount + word] & bit != 0 }
            appendFilter(page, there.map { [hashes] in hashes[$0] })
        }
        sets = []
        hashes = []
        slots = [UInt32](repeating: 0, count: Self.slotCountMin)
    }

    /// The section, or nil when none pays. The last page must have ended.
    mutating func section() -> IndexSection? {
        let rowCount = shape.rowCount
        if filters == nil {
            let section = setSection()
            let filterByteCount = pages.reduce(0) { $0 + IndexPolicy.filterByteCount(valueCount: $1.valueCount ?? 0) }
            if IndexPolicy.takesSets(
                subject, setByteCount: section.content.count, filterByteCount: filterByteCount, rowCount: rowCount)
            {
                return section
            }
            takeFilters()
        }
        return filters?.section(subject)
    }

    private func setSection() -> IndexSection {
        var builder = SetSection.Builder(rowGroupCount: shape.rowGroupCount)
        let order = hashes.indices.sorted { hashes[$0] < hashes[$1] }
        let everyPage = set(pages.map(\.number))
        for position in order {
            let set = sets[position * setWordCount..<(position + 1) * setWordCount]
            let count = set.reduce(0) { $0 + $1.nonzeroBitCount }
            let isRounded = subject == .text && IndexPolicy.isNearlyAll(count, of: pages.count)
            builder.append(hashes[position], isRounded ? everyPage[...] : set)
        }
        let unread = pages.filter { $0.valueCount == nil }.map(\.number)
        return builder.section(subject, unread: unread.isEmpty ? nil : set(unread)[...])
    }

    private func set(_ numbers: [Int]) -> [UInt64] {
        var set = [UInt64](repeating: 0, count: setWordCount)
        for number in numbers { set[number / 64] |= 1 << UInt64(number % 64) }
        return set
    }
}
