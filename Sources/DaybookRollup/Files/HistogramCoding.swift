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
        var inner: [(position: Int32, count: UInt64)] = []
        for bin in bins.bins(of: row) {
            let position = bins.positions[bin]
            let rest = bins.counts[bin] - (position == low || position == high ? 1 : 0)
            if rest > 0 { inner.append((position, rest)) }
        }
        var rest = count
        var first = low
        if storesZeros {
            let zeroCount = inner.first.map { $0.position == 0 ? $0.count : 0 } ?? 0
            let width = NumberColumn.width(of: zeroCount)
            writer.append(UInt64(width), width: Self.widthBits)
            writer.append(zeroCount, width: width)
            if zeroCount > 0 { inner.removeFirst() }
            rest -= zeroCount
            guard rest > 0 else { return }
            first = inner[0].position
            writer.append(UInt64(first), width: Self.positionBits)
        }
        Self.append(inner, count: rest, from: first, span: UInt64(high - first), to: &writer)
    }

    private static func append(
        _ bins: [(position: Int32, count: UInt64)], count: UInt64, from first: Int32, span: UInt64,
        to writer: inout BitWriter
    ) {
        let shift = shift(count: count, span: span)
        let sparse = sparseBitCount(count: count, span: span, shift: shift)
        let width = NumberColumn.width(of: bins.map(\.count).max() ?? 0)
        let dense = UInt64(widthBits) + (span + 1) * UInt64(width)
        guard dense >= sparse else {
            writer.append(1, width: 1)
            writer.append(UInt64(width - 1), width: widthBits)
            var next = 0
            for position in first...first + Int32(span) {
                guard next < bins.count, bins[next].position == position else {
                    writer.append(0, width: width)
                    continue
                }
                writer.append(bins[next].count, width: width)
                next += 1
            }
            return
        }
        writer.append(0, width: 1)
        for bin in bins {
            let low = UInt64(bin.position - first) & ((1 << UInt64(shift)) - 1)
            for _ in 0..<bin.count { writer.append(low, width: shift) }
        }
        var block = 0
        for bin in bins {
            let target = Int(bin.position - first) >> shift
            writer.appendZeros(target - block)
            block = target
            for _ in 0..<bin.count { writer.append(1, width: 1) }
        }
        writer.appendZeros(Int(span >> UInt64(shift)) - block)
    }

    /// Bits of each position that stand by themselves: as many as bring the rest of the span down to twice the count.
    @inline(__always)
    private static func shift(count: UInt64, span: UInt64) -> Int {
        var shift = 0
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

    /// The bit behind the row that begins at `start`. Throws when that is past the end.
    @inline(__always)
    func end(from start: Int, _ source: BitSource) throws(FormatError) -> Int {
        guard count > 0 else { return start }
        return try unsafe decode(from: start, source, isSized: true) { _, _ in }
    }

    /// Calls `body` with positions and counts, by rising position, for what is stored; a position may come repeatedly.
    @inline(__always)
    func forEach(
        from start: Int, _ source: BitSource, _ body: (Int32, UInt64) -> Void
    ) throws(FormatError) {
        guard count > 0 else { return }
        _ = try unsafe decode(from: start, source, isSized: false, body)
    }

    @inline(__always)
    private func decode(
        from start: Int, _ source: BitSource, isSized: Bool, _ body: (Int32, UInt64) -> Void
    ) throws(FormatError) -> Int {
        var position = start
        var rest = count
        var first = low
        if storesZeros {
            let width = Int(try unsafe Self.take(&position, Self.widthBits, source))
            let zeroCount = try unsafe Self.take(&position, width, source)
            guard zeroCount <= rest else { throw .invalid("histogram count") }
            if zeroCount > 0 { body(0, zeroCount) }
            rest -= zeroCount
            guard rest > 0 else { return position }
            first = Int32(truncatingIfNeeded: try unsafe Self.take(&position, Self.positionBits, source))
            guard first > 0, first <= high else { throw .invalid("histogram bucket") }
        }
        let span = UInt64(high &- first)
        let isDense = try unsafe Self.take(&position, 1, source) == 1
        if isDense {
            let width = Int(try unsafe Self.take(&position, Self.widthBits, source)) &+ 1
            let bitCount = Int(span &+ 1) &* width
            guard unsafe bitCount <= source.end &- position else { throw .invalid("histogram length") }
            if !isSized {
                try unsafe Self.readDense(source, position, width: width, count: rest, first: first, span: span, body)
            }
            return position &+ bitCount
        }
        let shift = Self.shift(count: rest, span: span)
        let bitCount = Self.sparseBitCount(count: rest, span: span, shift: shift)
        guard unsafe bitCount <= UInt64(max(0, source.end &- position)) else { throw .invalid("histogram length") }
        if !isSized {
            try unsafe Self.readSparse(
                source, position, shift: shift, count: Int(rest), first: first, span: Int(span), body)
        }
        return position &+ Int(bitCount)
    }

    @inline(__always)
    private static func take(_ position: inout Int, _ width: Int, _ source: BitSource) throws(FormatError) -> UInt64 {
        guard unsafe width <= source.end &- position else { throw .invalid("histogram length") }
        let value = unsafe source.bits(at: position, width: width)
        position &+= width
        return value
    }

    @inline(__always)
    private static func readDense(
        _ source: BitSource, _ start: Int, width: Int, count: UInt64, first: Int32, span: UInt64,
        _ body: (Int32, UInt64) -> Void
    ) throws(FormatError) {
        var total: UInt64 = 0
        var position = start
        for offset in 0...Int32(truncatingIfNeeded: span) {
            let value = unsafe source.bits(at: position, width: width)
            position &+= width
            guard value <= count else { throw .invalid("histogram count") }
            total &+= value
            if value > 0 { body(first &+ offset, value) }
        }
        guard total == count else { throw .invalid("histogram count") }
    }

    /// The low bits of all positions stand first; then each position's high part in unary: a one for each event, a zero
    /// for each step up.
    @inline(__always)
    private static func readSparse(
        _ source: BitSource, _ start: Int, shift: Int, count: Int, first: Int32, span: Int,
        _ body: (Int32, UInt64) -> Void
    ) throws(FormatError) {
        let unary = start &+ count &* shift
        let unaryCount = count &+ span &>> shift
        var done = 0
        var consumed = 0
        while done < count {
            guard consumed < unaryCount else { throw .invalid("histogram count") }
            let width = min(64, unaryCount &- consumed)
            var word = unsafe source.bits(at: unary &+ consumed, width: width)
            while word != 0 {
                let high = consumed &+ word.trailingZeroBitCount &- done
                let low = shift == 0 ? 0 : Int(unsafe source.bits(at: start &+ done &* shift, width: shift))
                let position = high &<< shift | low
                guard done < count, position <= span else { throw .invalid("histogram bucket") }
                body(first &+ Int32(truncatingIfNeeded: position), 1)
                done &+= 1
                word &= word &- 1
            }
            consumed &+= width
        }
    }
}
