internal import DaybookFormat

/// The events of a row between its smallest and its largest, as positions of their buckets. The extremes themselves,
/// and what follows from them, are not stored. Spec: docs/format/rollup.md, "Histograms".
struct HistogramCoding {
    /// Events between the extremes that are stored.
    let count: UInt64
    /// Positions of the extremes.
    let low: Int32
    let high: Int32
    let shape: RollupShape

    private static let widthBits = 6
    private static let positionBits = 17

    /// - Parameter eventCount: all that count in the histogram.
    @inline(__always)
    init(eventCount: UInt64, low: Int32, high: Int32, shape: RollupShape) {
        // Of three durations the middle one follows from the sum.
        let derivedCount: UInt64 = shape == .values ? 2 : 3
        count = low == high || eventCount <= derivedCount ? 0 : eventCount &- 2
        self.low = low
        self.high = high
        self.shape = shape
    }

    /// Values with zero as the smallest: the bits of bucket 0 and those of the rest lie far apart.
    @inline(__always)
    private var storesZeros: Bool { shape == .values && low == 0 }

    // MARK: - Writing

    /// Precondition: the row's bins are what the extremes and the count say.
    func append(_ bins: BinLists, row: Int, to writer: inout BitWriter) {
        guard count > 0 else { return }
        var rest = count
        var first = low
        if storesZeros {
            let zeroCount = bins.counts[bins.bins(of: row).lowerBound] - 1
            let width = NumberColumn.width(of: zeroCount)
            writer.append(UInt64(width), width: Self.widthBits)
            writer.append(zeroCount, width: width)
            rest -= zeroCount
            guard rest > 0 else { return }
            first = high
            forEachInner(bins, row) { position, _ in if position > 0 { first = min(first, position) } }
            writer.append(UInt64(first), width: Self.positionBits)
        }
        var most: UInt64 = 0
        forEachInner(bins, row) { position, count in if position >= first { most = max(most, count) } }
        let span = UInt64(high - first)
        let shift = Self.shift(count: rest, span: span)
        let width = NumberColumn.width(of: most)
        let dense = UInt64(Self.widthBits) + (span + 1) * UInt64(width)
        if dense < Self.sparseBitCount(count: rest, span: span, shift: shift) {
            writer.append(1, width: 1)
            writer.append(UInt64(width - 1), width: Self.widthBits)
            appendDense(bins, row, from: first, width: width, to: &writer)
        } else {
            writer.append(0, width: 1)
            appendSparse(bins, row, from: first, shift: shift, to: &writer)
        }
    }

    /// Positions by rising number, each with the events that are not extremes, if there are any.
    @inline(__always)
    private func forEachInner(_ bins: BinLists, _ row: Int, _ body: (Int32, UInt64) -> Void) {
        for bin in bins.bins(of: row) {
            let position = bins.positions[bin]
            let count = bins.counts[bin] &- (position == low || position == high ? 1 : 0)
            if count > 0 { body(position, count) }
        }
    }

    private func appendDense(_ bins: BinLists, _ row: Int, from first: Int32, width: Int, to writer: inout BitWriter) {
        var next = first
        forEachInner(bins, row) { position, count in
            guard position >= first else { return }
            writer.appendUnary(zeros: Int(position - next) * width, ones: 0)
            writer.append(count, width: width)
            next = position + 1
        }
        writer.appendUnary(zeros: Int(high + 1 - next) * width, ones: 0)
    }

    private func appendSparse(_ bins: BinLists, _ row: Int, from first: Int32, shift: Int, to writer: inout BitWriter) {
        let mask = (1 as UInt64) << UInt64(shift) - 1
        if shift > 0 {
            forEachInner(bins, row) { position, count in
                guard position >= first else { return }
                for _ in 0..<count { writer.append(UInt64(position - first) & mask, width: shift) }
            }
        }
        var block = 0
        forEachInner(bins, row) { position, count in
            guard position >= first else { return }
            let target = Int(position - first) >> shift
            writer.appendUnary(zeros: target - block, ones: Int(count))
            block = target
        }
        writer.appendUnary(zeros: Int(high - first) >> shift - block, ones: 0)
    }

    /// Bits of each position that stand by themselves: as many as bring the rest of the span down to twice the count. A
    /// little more space is given for none at all, which is read twice as fast.
    @inline(__always)
    private static func shift(count: UInt64, span: UInt64) -> Int {
        if span <= 4 &* count { return 0 }
        var shift = 1
        while span &>> UInt64(shift) > 2 &* count { shift &+= 1 }
        return shift
    }

    @inline(__always)
    private static func sparseBitCount(count: UInt64, span: UInt64, shift: Int) -> UInt64 {
        count &* UInt64(shift &+ 1) &+ span &>> UInt64(shift)
    }

    // MARK: - Reading

    /// No row has more events, so that nothing below overflows.
    static let countMax: UInt64 = 1 << 48

    /// Where the parts of a stored row lie, in bits.
    private struct Layout {
        var zeroCount: UInt64 = 0
        /// Events behind the zeros.
        var count: UInt64 = 0
        var first: Int32 = 0
        /// Of a count for each position; 0 in the sparse form.
        var width = 0
        /// Low bits of each position in the sparse form.
        var shift = 0
        var start = 0
        /// Bits from `start` on.
        var bitCount = 0
    }

    /// Checks the row that begins at `start` and returns the bit behind it.
    @inline(__always)
    func end(from start: Int, _ source: BitSource) throws(FormatError) -> Int {
        guard count > 0 else { return start }
        let layout = try unsafe layout(from: start, source)
        guard layout.count > 0 else { return layout.start }
        guard unsafe layout.bitCount <= source.end &- layout.start else { throw .invalid("histogram length") }
        var total: UInt64 = 0
        if layout.width > 0 {
            var position = layout.start
            for _ in 0...high &- layout.first {
                let (sum, overflow) = total.addingReportingOverflow(
                    unsafe source.bits(at: position, width: layout.width))
                guard !overflow else { throw .invalid("histogram count") }
                total = sum
                position &+= layout.width
            }
        } else {
            // With as many ones as there are events, none is behind more zeros than the span has steps.
            let unary = layout.start &+ Int(layout.count) &* layout.shift
            let end = layout.start &+ layout.bitCount
            for position in stride(from: unary, to: end, by: 64) {
                let word = unsafe source.bits(at: position, width: min(64, end &- position))
                total &+= UInt64(truncatingIfNeeded: word.nonzeroBitCount)
            }
        }
        guard total == layout.count else { throw .invalid("histogram count") }
        return layout.start &+ layout.bitCount
    }

    /// Calls `body` with positions and counts for what is stored; a position may come repeatedly, and all lie from `low`
    /// to `high`. Precondition: `end` did not throw.
    @inline(__always)
    func forEach(from start: Int, _ source: BitSource, _ body: (Int32, UInt64) -> Void) {
        guard count > 0, let layout = try? unsafe layout(from: start, source) else { return }
        if layout.zeroCount > 0 { body(0, layout.zeroCount) }
        guard layout.count > 0 else { return }
        if layout.width > 0 {
            var position = layout.start
            for place in layout.first...high {
                let value = unsafe source.bits(at: position, width: layout.width)
                position &+= layout.width
                if value > 0 { body(place, value) }
            }
        } else {
            unsafe forEachSparse(layout, source, body)
        }
    }

    /// As `forEach`, but from the highest position down, and only until `wanted` events were told.
    @inline(__always)
    func forEachFromTop(from start: Int, _ source: BitSource, _ wanted: UInt64, _ body: (Int32, UInt64) -> Void) {
        guard count > 0, let layout = try? unsafe layout(from: start, source) else { return }
        var rest = wanted
        if layout.width > 0 {
            var place = high
            while rest > 0, place >= layout.first {
                let value = unsafe source.bits(
                    at: layout.start &+ Int(place &- layout.first) &* layout.width, width: layout.width)
                if value > 0 { body(place, value) }
                rest &-= min(rest, value)
                place &-= 1
            }
        } else if layout.count > 0 {
            unsafe forEachSparseFromTop(layout, source, &rest, body)
        }
        if rest > 0, layout.zeroCount > 0 { body(0, layout.zeroCount) }
    }

    @inline(__always)
    private func layout(from start: Int, _ source: BitSource) throws(FormatError) -> Layout {
        var layout = Layout(count: count, first: low, start: start)
        if storesZeros {
            let width = Int(try unsafe Self.take(&layout.start, Self.widthBits, source))
            layout.zeroCount = try unsafe Self.take(&layout.start, width, source)
            guard layout.zeroCount <= layout.count else { throw .invalid("histogram count") }
            layout.count &-= layout.zeroCount
            guard layout.count > 0 else { return layout }
            layout.first = Int32(truncatingIfNeeded: try unsafe Self.take(&layout.start, Self.positionBits, source))
            guard layout.first > 0, layout.first <= high else { throw .invalid("histogram bucket") }
        }
        let span = UInt64(high &- layout.first)
        if try unsafe Self.take(&layout.start, 1, source) == 1 {
            layout.width = Int(try unsafe Self.take(&layout.start, Self.widthBits, source)) &+ 1
            layout.bitCount = Int(span &+ 1) &* layout.width
        } else {
            layout.shift = Self.shift(count: layout.count, span: span)
            layout.bitCount = Int(Self.sparseBitCount(count: layout.count, span: span, shift: layout.shift))
        }
        return layout
    }

    @inline(__always)
    private static func take(_ position: inout Int, _ width: Int, _ source: BitSource) throws(FormatError) -> UInt64 {
        guard unsafe width <= source.end &- position else { throw .invalid("histogram length") }
        let value = unsafe source.bits(at: position, width: width)
        position &+= width
        return value
    }

    /// The low bits of all positions stand first; then each position's high part in unary: a one for each event, a zero
    /// for each step up.
    @inline(__always)
    private func forEachSparse(_ layout: Layout, _ source: BitSource, _ body: (Int32, UInt64) -> Void) {
        let shift = layout.shift
        let end = layout.start &+ layout.bitCount
        var unary = layout.start &+ Int(layout.count) &* shift
        // Position of bit 0 of the word, less the ones before it.
        var base = 0
        var lowBits = layout.start
        while unary < end {
            var word = unsafe source.bits(at: unary, width: min(64, end &- unary))
            while word != 0 {
                let high = base &+ word.trailingZeroBitCount
                word &= word &- 1
                base &-= 1
                if shift == 0 {
                    body(layout.first &+ Int32(truncatingIfNeeded: high), 1)
                } else {
                    let position = high &<< shift | Int(unsafe source.bits(at: lowBits, width: shift))
                    lowBits &+= shift
                    // Low bits may be anything: past the last bucket is in it.
                    body(min(self.high, layout.first &+ Int32(truncatingIfNeeded: position)), 1)
                }
            }
            base &+= 64
            unary &+= 64
        }
    }

    /// The unary part is read from its end: there are as many ones before the last one as there are events but one.
    @inline(__always)
    private func forEachSparseFromTop(
        _ layout: Layout, _ source: BitSource, _ rest: inout UInt64, _ body: (Int32, UInt64) -> Void
    ) {
        let shift = layout.shift
        let unary = layout.start &+ Int(layout.count) &* shift
        var end = layout.start &+ layout.bitCount
        var number = Int(layout.count)
        while end > unary {
            let width = min(64, end &- unary)
            end &-= width
            var word = unsafe source.bits(at: end, width: width)
            while word != 0 {
                guard rest > 0 else { return }
                rest &-= 1
                let bit = 63 &- word.leadingZeroBitCount
                word ^= 1 &<< UInt64(bit)
                number &-= 1
                let high = end &- unary &+ bit &- number
                let low =
                    shift == 0 ? 0 : Int(unsafe source.bits(at: layout.start &+ number &* shift, width: shift))
                body(min(self.high, layout.first &+ Int32(truncatingIfNeeded: high &<< shift | low)), 1)
            }
        }
    }
}
