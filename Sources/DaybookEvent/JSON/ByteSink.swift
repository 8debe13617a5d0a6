/// Growing output without array bookkeeping per byte: the parser's scratch. Reused from event to event.
@safe struct ByteSink: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        unsafe base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    func withBytes<R>(_ body: (RawSpan) throws -> R) rethrows -> R {
        try unsafe body(RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count))
    }

    /// Counts bytes that were written behind the end. Precondition: there was room for them.
    @inline(__always)
    mutating func advance(by byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= capacity &- count)
        count &+= byteCount
    }

    /// Appends what `body` writes.
    /// - Parameter body: writes at most `byteCountMax` bytes from the pointer on, and returns how many.
    @inline(__always)
    mutating func append(upTo byteCountMax: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
        reserve(byteCountMax)
        advance(by: unsafe body(base + count))
    }

    /// Makes room for `extra` bytes more.
    @inline(__always)
    mutating func reserve(_ extra: Int) {
        if count &+ extra > capacity { grow(extra) }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let target = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        unsafe target.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = target
        capacity = larger
    }

    /// Precondition: not more than there is.
    @inline(__always)
    mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count)
        count = newCount
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count &+= 1
    }

    /// - Parameter source: `byteCount` readable bytes, not inside this sink.
    @inline(__always)
    mutating func append(_ source: UnsafePointer<UInt8>, _ byteCount: Int) {
        reserve(byteCount)
        unsafe copyApart(from: source, to: base + count, byteCount)
        count &+= byteCount
    }

    /// A quote, the bytes, a quote. Precondition: as for `append`, and nothing in them needs an escape.
    @inline(__always)
    mutating func append(quoting source: UnsafePointer<UInt8>, _ byteCount: Int) {
        reserve(byteCount &+ 2)
        unsafe base[count] = UInt8(ascii: "\"")
        unsafe copyApart(from: source, to: base + count + 1, byteCount)
        unsafe base[count &+ 1 &+ byteCount] = UInt8(ascii: "\"")
        count &+= byteCount &+ 2
    }

    /// A member's name with quotes and colon. Precondition: as for `append(quoting:)`.
    @inline(__always)
    mutating func append(naming source: UnsafePointer<UInt8>, _ byteCount: Int) {
        reserve(byteCount &+ 3)
        let target = unsafe base + count
        unsafe target[0] = UInt8(ascii: "\"")
        unsafe copyApart(from: source, to: target + 1, byteCount)
        unsafe target[byteCount &+ 1] = UInt8(ascii: "\"")
        unsafe target[byteCount &+ 2] = UInt8(ascii: ":")
        count &+= byteCount &+ 3
    }

    /// A varint length, then the bytes. Precondition: as for `append`.
    @inline(__always)
    mutating func append(lengthPrefixed source: UnsafePointer<UInt8>, _ byteCount: Int) {
        if byteCount < 0x80 {
            reserve(byteCount &+ 1)
            unsafe base[count] = UInt8(truncatingIfNeeded: byteCount)
            unsafe copyApart(from: source, to: base + count + 1, byteCount)
            count &+= byteCount &+ 1
        } else {
            append(varint: UInt64(byteCount))
            unsafe append(source, byteCount)
        }
    }

    mutating func append(contentsOf bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { unsafe append(start, buffer.count) }
        }
    }

    /// Copies bytes of this sink to its end.
    mutating func appendOwn(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        reserve(range.count)
        unsafe copyApart(from: base + range.lowerBound, to: base + count, range.count)
        count += range.count
    }

    /// Moves the bytes from `source` on to `target`, which lies before them, and cuts the rest.
    mutating func moveEnd(from source: Int, to target: Int) {
        precondition(target >= 0 && target <= source && source <= count)
        unsafe (base + target).update(from: base + source, count: count - source)
        count = target + count - source
    }

    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count)
        return unsafe base[offset]
    }

    @inline(__always)
    mutating func setByte(_ byte: UInt8, at offset: Int) {
        precondition(offset >= 0 && offset < count)
        unsafe base[offset] = byte
    }

    @inline(__always)
    mutating func append(littleEndian word: UInt64) {
        reserve(8)
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: word.littleEndian, as: UInt64.self)
        count &+= 8
    }

    @inline(__always)
    mutating func append(littleEndian half: UInt16) {
        append(UInt8(truncatingIfNeeded: half))
        append(UInt8(truncatingIfNeeded: half >> 8))
    }

    @inline(__always)
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Copies bytes that do not overlap. Most texts are short, so these take a few moves instead of a call.
@inline(__always)
func copyApart(from source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ byteCount: Int) {
    if byteCount > 64 {
        unsafe target.update(from: source, count: byteCount)
    } else if byteCount >= 8 {
        var done = 0
        while done &+ 8 < byteCount {
            unsafe move(UInt64.self, source, target, done)
            done &+= 8
        }
        unsafe move(UInt64.self, source, target, byteCount &- 8)
    } else if byteCount >= 4 {
        unsafe move(UInt32.self, source, target, 0)
        unsafe move(UInt32.self, source, target, byteCount &- 4)
    } else if byteCount >= 2 {
        unsafe move(UInt16.self, source, target, 0)
        unsafe move(UInt16.self, source, target, byteCount &- 2)
    } else if byteCount == 1 {
        unsafe target[0] = source[0]
    }
}

@inline(__always)
private func move<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ offset: Int
) {
    let word = unsafe UnsafeRawPointer(source + offset).loadUnaligned(as: Word.self)
    unsafe UnsafeMutableRawPointer(target + offset).storeBytes(of: word, as: Word.self)
}

/// Where text printed byte by byte goes.
protocol ByteAppending: ~Copyable {
    mutating func append(_ byte: UInt8)
}

extension ByteSink: ByteAppending {}
extension [UInt8]: ByteAppending {}

extension ByteAppending where Self: ~Copyable {
    mutating func append(text: StaticString) {
        for offset in 0..<text.utf8CodeUnitCount { append(unsafe text.utf8Start[offset]) }
    }

    mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
