private import DaybookEvent

/// A position in the text of one free-form object. Nothing outside `start..<end` is read.
///
/// What it accepts is wider than JSON where that does no harm (numbers and the inside of arrays are not checked), and
/// narrow where rebuilding depends on it: the end of every value is found in the same way wherever the text stands.
@safe struct ObjectCursor {
    private let base: UnsafeRawPointer
    var position: Int
    private let end: Int

    /// - Parameter bytes: must outlive the cursor; `range` lies inside.
    @unsafe init(_ base: UnsafeRawPointer, _ range: Range<Int>) {
        unsafe self.base = base
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    /// Zero, which no check expects, past the end.
    @inline(__always)
    func byte(_ offset: Int = 0) -> UInt8 {
        let place = position &+ offset
        return place < end ? unsafe base.load(fromByteOffset: place, as: UInt8.self) : 0
    }

    @inline(__always)
    mutating func consume(_ wanted: UInt8) -> Bool {
        guard byte() == wanted else { return false }
        position &+= 1
        return true
    }

    /// Steps over `range` of `literals` if that is what stands here.
    @inline(__always)
    mutating func consume(_ literals: UnsafeRawPointer, _ start: Int, _ count: Int) -> Bool {
        guard count <= end &- position else { return false }
        var done = 0
        if count >= 8 {
            while done &+ 8 <= count {
                if unsafe word(position &+ done) != Self.word(literals, start &+ done) { return false }
                done &+= 8
            }
            guard unsafe word(position &+ count &- 8) == Self.word(literals, start &+ count &- 8) else { return false }
        } else {
            while done < count {
                let wanted = unsafe literals.load(fromByteOffset: start &+ done, as: UInt8.self)
                if unsafe base.load(fromByteOffset: position &+ done, as: UInt8.self) != wanted { return false }
                done &+= 1
            }
        }
        position &+= count
        return true
    }

    @inline(__always)
    private func word(_ offset: Int) -> UInt64 { unsafe Self.word(base, offset) }

    @inline(__always)
    private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The bytes of a range of the text.
    func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= end)
        return unsafe body(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// At an opening quote: steps behind the closing one. Returns whether the string holds neither a backslash nor a
    /// control character; nil when it does not end.
    @inline(__always)
    mutating func skipString() -> Bool? {
        var place = position &+ 1
        while place &+ 8 <= end {
            let word = word(place)
            let quote = word ^ 0x2222_2222_2222_2222
            let slash = word ^ 0x5C5C_5C5C_5C5C_5C5C
            let ones: UInt64 = 0x0101_0101_0101_0101
            let found =
                ((quote &- ones) & ~quote | (slash &- ones) & ~slash | (word &- ones &* 0x20) & ~word)
                & 0x8080_8080_8080_8080
            if found == 0 {
                place &+= 8
                continue
            }
            // Higher bytes may be marked by a borrow, the lowest marked one never is.
            place &+= found.trailingZeroBitCount &>> 3
            guard unsafe base.load(fromByteOffset: place, as: UInt8.self) == UInt8(ascii: "\"") else { break }
            position = place &+ 1
            return true
        }
        return skipStringSlowly(from: place)
    }

    private mutating func skipStringSlowly(from start: Int) -> Bool? {
        var place = start
        var isPlain = true
        while place < end {
            switch unsafe base.load(fromByteOffset: place, as: UInt8.self) {
            case UInt8(ascii: "\""):
                position = place &+ 1
                return isPlain
            case UInt8(ascii: "\\"):
                isPlain = false
                place &+= 2
            case 0..<0x20:
                isPlain = false
                place &+= 1
            default:
                place &+= 1
            }
        }
        return nil
    }

    /// Steps over any value; false when it does not end or is none.
    mutating func skipValue() -> Bool {
        switch byte() {
        case UInt8(ascii: "\""): skipString() != nil
        case UInt8(ascii: "{"), UInt8(ascii: "["): skipContainer()
        case UInt8(ascii: "t"): consumeWord("true")
        case UInt8(ascii: "f"): consumeWord("false")
        case UInt8(ascii: "n"): consumeWord("null")
        default: skipNumber()
        }
    }

    @inline(__always)
    mutating func consumeWord(_ word: StaticString) -> Bool {
        unsafe consume(UnsafeRawPointer(word.utf8Start), 0, word.utf8CodeUnitCount)
    }

    /// Whatever is made of the characters of numbers; at least one.
    private mutating func skipNumber() -> Bool {
        let start = position
        while Self.isOfNumber(byte()) { position &+= 1 }
        return position > start
    }

    @inline(__always)
    static func isOfNumber(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "+") || byte | 0x20 == UInt8(ascii: "e")
    }

    /// Brackets are counted, not matched; those in strings do not count.
    private mutating func skipContainer() -> Bool {
        var depth = 0
        while position < end {
            switch byte() {
            case UInt8(ascii: "\""):
                guard skipString() != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    position &+= 1
                    return true
                }
            default: break
            }
            position &+= 1
        }
        return false
    }
}
