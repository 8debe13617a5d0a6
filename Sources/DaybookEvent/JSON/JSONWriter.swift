package import DaybookFormat

/// Writes JSON text into memory of its own that grows: events, answers, exports. The caller sees to it that what it
/// writes is one value; commas come by themselves.
package struct JSONWriter: ~Copyable {
    var sink: ByteSink
    var needsComma = false
    /// Where a bucket ends the next one begins, and groups share their buckets: the last two times, and where they stand.
    private var lastTime = PrintedTime()
    private var timeBefore = PrintedTime()

    private struct PrintedTime {
        var time = Timestamp(microseconds: 0)
        /// Zero while nothing was printed: no text begins with a time.
        var offset = 0
    }

    /// - Parameter byteCapacity: about what it will hold.
    package init(byteCapacity: Int = 1_024) { sink = ByteSink(capacity: max(64, byteCapacity)) }

    package var byteCount: Int { sink.count }

    /// The text so far.
    package func withBytes<R>(_ body: (RawSpan) throws -> R) rethrows -> R {
        try sink.withBytes(body)
    }

    package func toArray() -> [UInt8] { withBytes { $0.toArray() } }

    /// Writes once more, as a value, what was written before. Precondition: the range is inside the text so far.
    package mutating func again(_ range: Range<Int>) {
        separate()
        sink.appendOwn(range)
        needsComma = false
    }

    /// Begins anew in the same memory.
    package mutating func removeAll() {
        sink.truncate(to: 0)
        needsComma = false
        lastTime = PrintedTime()
        timeBefore = PrintedTime()
    }

    // MARK: - Structure

    package mutating func openObject() { open(UInt8(ascii: "{")) }
    package mutating func closeObject() { close(UInt8(ascii: "}")) }
    package mutating func openArray() { open(UInt8(ascii: "[")) }
    package mutating func closeArray() { close(UInt8(ascii: "]")) }

    private mutating func open(_ bracket: UInt8) {
        separate()
        sink.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        sink.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { sink.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// The name of a member of our own, without anything to be escaped.
    package mutating func key(_ name: StaticString) {
        separate()
        unsafe sink.append(naming: name.utf8Start, name.utf8CodeUnitCount)
        needsComma = false
    }

    package mutating func key(_ name: [UInt8]) {
        separate()
        name.withRawSpan { sink.append(escaping: $0) }
        sink.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Text that is no value, such as a line feed. A comma is written neither before nor behind it.
    package mutating func raw(_ text: StaticString) {
        unsafe sink.append(text.utf8Start, text.utf8CodeUnitCount)
        needsComma = false
    }

    package mutating func raw(_ text: RawSpan) {
        sink.append(text)
        needsComma = false
    }

    // MARK: - Values

    package mutating func string(_ text: RawSpan) {
        separate()
        sink.append(escaping: text)
    }

    package mutating func string(_ text: [UInt8]) { text.withRawSpan { string($0) } }

    package mutating func string(_ text: [UInt8]?) {
        if let text { string(text) } else { literal("null") }
    }

    package mutating func string(_ text: String) { string(Array(text.utf8)) }

    /// A word of our own: a string without anything to be escaped.
    package mutating func word(_ text: StaticString) {
        separate()
        unsafe sink.append(quoting: text.utf8Start, text.utf8CodeUnitCount)
    }

    package mutating func literal(_ text: StaticString) {
        separate()
        unsafe sink.append(text.utf8Start, text.utf8CodeUnitCount)
    }

    package mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }

    /// A value that is JSON already.
    package mutating func json(_ text: RawSpan) {
        separate()
        sink.append(text)
    }

    package mutating func json(_ text: [UInt8]) { text.withRawSpan { json($0) } }

    package mutating func integer(_ value: UInt64) {
        separate()
        sink.append(digits: value)
    }

    package mutating func integer(_ value: UInt128) {
        if value >> 64 == 0 { integer(UInt64(truncatingIfNeeded: value)) } else { json(Array(String(value).utf8)) }
    }

    package mutating func integer(_ value: Int128) {
        separate()
        if value >= 0, value >> 64 == 0 {
            sink.append(digits: UInt64(truncatingIfNeeded: value))
        } else {
            sink.append(contentsOf: Array(String(value).utf8))
        }
    }

    package mutating func number(_ value: EventNumber?) {
        guard let value else { return literal("null") }
        separate()
        value.write(to: &sink)
    }

    /// The nearest double in its shortest form; null when it is not finite.
    package mutating func number(_ value: Double) { number(EventNumber(value)) }

    /// Nanoseconds as milliseconds, exactly, with the fewest digits: `1250`, `0.5`, `12.000001`.
    package mutating func milliseconds(_ nanoseconds: UInt64) { decimal(UInt128(nanoseconds), decimals: 6) }

    /// `value` divided by ten to the power of `decimals`, exactly, without trailing zeros.
    package mutating func decimal(_ value: UInt128, decimals: Int) {
        separate()
        guard value >> 64 == 0, decimals < 19 else { return appendLong(value, decimals) }
        sink.append(UInt64(truncatingIfNeeded: value), decimals: decimals)
    }

    private mutating func appendLong(_ value: UInt128, _ decimals: Int) {
        var digits = Array(String(value).utf8)
        if digits.count <= decimals {
            digits.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: decimals + 1 - digits.count), at: 0)
        }
        let point = digits.count - decimals
        sink.append(contentsOf: Array(digits[..<point]))
        let fraction = digits[point...]
        guard let end = fraction.lastIndex(where: { $0 != UInt8(ascii: "0") }) else { return }
        sink.append(UInt8(ascii: "."))
        sink.append(contentsOf: Array(fraction[...end]))
    }

    package mutating func time(_ time: Timestamp) {
        separate()
        if lastTime.time != time || lastTime.offset == 0 { swap(&lastTime, &timeBefore) }
        if lastTime.time == time, lastTime.offset > 0 {
            sink.appendOwn(lastTime.offset..<lastTime.offset + TimestampText.byteCount + 2)
            return
        }
        lastTime = PrintedTime(time: time, offset: sink.count)
        sink.append(UInt8(ascii: "\""))
        sink.append(time)
        sink.append(UInt8(ascii: "\""))
    }

    package mutating func id(_ id: EventID) {
        separate()
        sink.append(UInt8(ascii: "\""))
        sink.append(id)
        sink.append(UInt8(ascii: "\""))
    }
}
