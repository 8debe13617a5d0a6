internal import DaybookFormat

/// Sorted hashes, and for each the number of a set of pages. Values on the same pages share their set.
/// Spec: docs/format/index.md, "Sets".
struct SetSection: Equatable, Sendable {
    var hashCount: Int
    var setCount: Int
    var setNumberByteCount: Int
    /// Its pages may hold anything.
    var unreadSet: Int?
    /// Where the content stands in the file.
    var range: Range<Int>

    /// Checks that the parts fill the content.
    init(
        hashCount: Int, setCount: Int, setNumberByteCount: Int, unreadSet: Int?, range: Range<Int>, in bytes: RawSpan
    ) throws(FormatError) {
        guard [0, 1, 2, 4].contains(setNumberByteCount) else { throw .invalid("index set number") }
        guard hashCount == 0 || setCount > 0, unreadSet ?? -1 < setCount else { throw .invalid("index set") }
        self.hashCount = hashCount
        self.setCount = setCount
        self.setNumberByteCount = setNumberByteCount
        self.unreadSet = unreadSet
        self.range = range
        let endOfEnds = hashCount * (4 + setNumberByteCount) + setCount * 4
        guard endOfEnds <= range.count else { throw .invalid("index section length") }
        let setByteCount = setCount == 0 ? 0 : Int(bytes.word(at: range.lowerBound + endOfEnds - 4) ?? .max)
        guard endOfEnds + setByteCount == range.count else { throw .invalid("index section length") }
    }

    /// The bytes of the set of `hash`, one for each row group; nil when the section makes no sense there.
    func masks(of hash: UInt32, in file: RawSpan, rowGroupCount: Int) -> [UInt8]? {
        let bytes = file.extracting(range)
        var masks = [UInt8](repeating: 0, count: rowGroupCount)
        if let unreadSet { guard add(unreadSet, in: bytes, to: &masks) else { return nil } }
        guard let position = position(of: hash, in: bytes) else { return masks }
        guard let number = setNumber(position, in: bytes), add(number, in: bytes, to: &masks) else { return nil }
        return masks
    }

    private func position(of hash: UInt32, in bytes: RawSpan) -> Int? {
        var low = 0
        var high = hashCount
        while low < high {
            let middle = (low + high) / 2
            if bytes.word(at: 4 * middle) ?? .max < hash { low = middle + 1 } else { high = middle }
        }
        return low < hashCount && bytes.word(at: 4 * low) == hash ? low : nil
    }

    private func setNumber(_ position: Int, in bytes: RawSpan) -> Int? {
        var number = 0
        let start = 4 * hashCount + position * setNumberByteCount
        for index in 0..<setNumberByteCount { number |= Int(bytes.byte(at: start + index)) << (8 * index) }
        return number < setCount ? number : nil
    }

    /// Adds the pages of a set; false when it makes no sense.
    private func add(_ number: Int, in bytes: RawSpan, to masks: inout [UInt8]) -> Bool {
        let ends = hashCount * (4 + setNumberByteCount)
        let base = ends + 4 * setCount
        let start = number == 0 ? 0 : bytes.word(at: ends + 4 * number - 4)
        guard let start, let end = bytes.word(at: ends + 4 * number), start < end,
            base + Int(end) <= bytes.byteCount, Int(end - start) <= masks.count
        else { return false }
        let set = bytes.extracting(base + Int(start)..<base + Int(end))
        guard set.byteCount < masks.count else {
            for index in masks.indices { masks[index] |= set.byte(at: index) }
            return true
        }
        var reader = ByteReader()
        var next: UInt64 = 0
        while !reader.isAtEnd(set) {
            guard let step = try? reader.varint(set), step < UInt64(masks.count * 8) - next else { return false }
            let page = Int(next + step)
            masks[page / 8] |= 1 << UInt8(page % 8)
            next = UInt64(page + 1)
        }
        return true
    }

    /// The pages that are read for each value, added up, and those that are read for any; for reports.
    func pageCounts(in file: RawSpan, of shape: IndexShape) -> (found: Int, unread: Int) {
        let bytes = file.extracting(range)
        var unread = [UInt8](repeating: 0, count: shape.rowGroupCount)
        if let unreadSet { _ = add(unreadSet, in: bytes, to: &unread) }
        let counts = (0..<setCount).map { number in
            var masks = unread
            _ = add(number, in: bytes, to: &masks)
            return PageSet(masks, of: shape).pageCount
        }
        let found = (0..<hashCount).reduce(0) { $0 + (setNumber($1, in: bytes).map { counts[$0] } ?? 0) }
        return (found, PageSet(unread, of: shape).pageCount)
    }
}

extension SetSection {
    /// Takes hashes in rising order.
    struct Builder {
        private let rowGroupCount: Int
        private var hashes: [UInt8] = []
        private var numbers: [UInt32] = []
        private var pool = StringInterner()

        init(rowGroupCount: Int) { self.rowGroupCount = rowGroupCount }

        mutating func append(_ hash: UInt32, _ set: ArraySlice<UInt64>) {
            hashes.append(littleEndian: hash)
            numbers.append(number(of: set))
        }

        /// The shorter of a list of pages and a bit for each.
        private mutating func number(of set: ArraySlice<UInt64>) -> UInt32 {
            var bytes: [UInt8] = []
            var next = 0
            for (index, word) in set.enumerated() {
                var rest = word
                while rest != 0 && bytes.count < rowGroupCount {
                    let page = index * 64 + rest.trailingZeroBitCount
                    bytes.append(varint: UInt64(page - next))
                    next = page + 1
                    rest &= rest - 1
                }
            }
            if bytes.count >= rowGroupCount {
                bytes.removeAll(keepingCapacity: true)
                for word in set { bytes.append(littleEndian: word) }
                bytes.removeLast(bytes.count - rowGroupCount)
            }
            return bytes.withRawSpan { pool.code(of: $0) }
        }

        /// - Parameter unread: the pages that may hold anything.
        mutating func section(_ subject: IndexSubject, unread: ArraySlice<UInt64>?) -> IndexSection {
            let unreadSet = unread.map { Int(number(of: $0)) }
            let setNumberByteCount =
                switch pool.count {
                case 0...1: 0
                case ...0x100: 1
                case ...0x10000: 2
                default: 4
                }
            var content = hashes
            for number in numbers {
                for index in 0..<setNumberByteCount {
                    content.append(UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))))
                }
            }
            for end in pool.offsets.dropFirst() { content.append(littleEndian: end) }
            content.append(contentsOf: pool.bytes)
            return IndexSection(
                subject: subject, kind: .sets, setNumberByteCount: setNumberByteCount, valueCount: numbers.count,
                unitCount: pool.count, unreadSet: unreadSet, content: content)
        }
    }
}
