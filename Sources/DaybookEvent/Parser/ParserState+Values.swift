internal import DaybookFormat

/// The characters of the patterns in docs/format/event.md section 6.
enum TextPattern {
    /// `[A-Za-z0-9_.:/-]{1,255}`
    case name
    /// `[a-z][a-z0-9_]{0,63}`
    case identifier
    /// `[A-Za-z0-9_.@-]{1,128}`
    case user
    /// 1 to 128 visible ASCII characters.
    case session

    var message: String {
        switch self {
        case .name: "must be 1 to 255 characters of A-Z a-z 0-9 _ . : / -"
        case .identifier: "must be 1 to 64 characters of a-z 0-9 _, the first a letter"
        case .user: "must be 1 to 128 characters of A-Z a-z 0-9 _ . @ -"
        case .session: "must be 1 to 128 visible ASCII characters"
        }
    }

    /// The same as a regular expression of ECMA-262, for descriptions of bodies.
    var expression: String {
        switch self {
        case .name: "^[A-Za-z0-9_.:/-]{1,\(Limits.nameByteCountMax)}$"
        case .identifier: "^[a-z][a-z0-9_]{0,\(Limits.identifierByteCountMax - 1)}$"
        case .user: "^[A-Za-z0-9_.@-]{1,\(Limits.userByteCountMax)}$"
        case .session: "^[!-~]{1,\(Limits.sessionByteCountMax)}$"
        }
    }

    @inline(__always)
    func accepts(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count >= 1 else { return false }
        switch self {
        case .name:
            guard count <= Limits.nameByteCountMax else { return false }
            for at in 0..<count {
                switch unsafe bytes[at] {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-")...UInt8(ascii: ":"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                    continue
                default: return false
                }
            }
        case .identifier:
            guard count <= Limits.identifierByteCountMax, unsafe bytes[0] >= UInt8(ascii: "a") else { return false }
            for at in 0..<count {
                switch unsafe bytes[at] {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    continue
                default: return false
                }
            }
        case .user:
            guard count <= Limits.userByteCountMax else { return false }
            for at in 0..<count {
                switch unsafe bytes[at] {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "@")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    continue
                default: return false
                }
            }
        case .session:
            guard count <= Limits.sessionByteCountMax else { return false }
            for at in 0..<count {
                let byte = unsafe bytes[at]
                if byte < 0x21 || byte > 0x7E { return false }
            }
        }
        return true
    }
}

/// Values of single fields. Each leaves the cursor behind the value, reports what is wrong with it and returns nil then.
extension ParserState {
    /// A string; anything else is reported.
    @inline(__always)
    mutating func readText(_ field: FieldName) throws(JSONFault) -> TextSlice? {
        guard cursor.consume(UInt8(ascii: "\"")) else {
            try cursor.skipValue()
            report(field, "must be a string")
            return nil
        }
        return text(try cursor.scanString())
    }

    @inline(__always)
    mutating func readText(_ field: FieldName, _ pattern: TextPattern) throws(JSONFault) -> TextSlice? {
        guard let slice = try readText(field) else { return nil }
        guard unsafe pattern.accepts(pointer(slice), slice.count) else {
            report(field, pattern.message)
            return nil
        }
        return slice
    }

    /// Any text up to a length, empty text included.
    mutating func readText(_ field: FieldName, byteCountMax: Int) throws(JSONFault) -> TextSlice? {
        guard let slice = try readText(field) else { return nil }
        guard slice.count <= byteCountMax else {
            report(field, "must be at most \(byteCountMax) bytes of text")
            return nil
        }
        return slice
    }

    /// Nil, and stepped over, unless the value is a number.
    @inline(__always)
    private mutating func readNumberText(_ field: FieldName) throws(JSONFault) -> DecimalText? {
        let byte = cursor.peek()
        guard byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") else {
            try cursor.skipValue()
            report(field, "must be a number")
            return nil
        }
        return try cursor.scanNumber()
    }

    mutating func readNumber(_ field: FieldName) throws(JSONFault) -> EventNumber? {
        guard let text = try readNumberText(field) else { return nil }
        guard let number = text.number(in: cursor) else {
            report(field, "is too large for a number")
            return nil
        }
        return number
    }

    mutating func readCount(_ field: FieldName) throws(JSONFault) -> UInt64? {
        guard let text = try readNumberText(field) else { return nil }
        if text.isPlain, !text.isNegative, !text.isTruncated, text.exponent == 0 { return text.significand }
        guard case .unsigned(let count) = text.number(in: cursor) else {
            report(field, "must be an integer from 0 to 18446744073709551615")
            return nil
        }
        return count
    }

    /// Milliseconds with any fraction, as nanoseconds rounded half to even.
    mutating func readMilliseconds(
        _ field: FieldName, max: UInt64 = UInt64(Limits.executionTimeMillisecondsMax)
    ) throws(JSONFault) -> UInt64? {
        guard let text = try readNumberText(field) else { return nil }
        let limit = max * 1_000_000
        guard !text.isNegative || text.isZero, let scaled = text.scaled(by: 6),
            scaled.whole < limit || scaled.whole == limit && scaled.remainder == .zero,
            let nanoseconds = scaled.roundedHalfToEven
        else {
            report(field, "must be from 0 to \(max)")
            return nil
        }
        return nanoseconds
    }

    /// RFC 3339 text or epoch milliseconds.
    mutating func readTime(_ field: FieldName, mayBeInFuture: Bool = false) throws(JSONFault) -> Timestamp? {
        let time: Timestamp?
        if cursor.consume(UInt8(ascii: "\"")) {
            let slice = text(try cursor.scanString())
            time = unsafe TimestampText.parse(UnsafeRawBufferPointer(start: pointer(slice), count: slice.count))
        } else {
            let byte = cursor.peek()
            guard byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") else {
                try cursor.skipValue()
                report(field, "must be an RFC 3339 time or epoch milliseconds")
                return nil
            }
            time = try cursor.scanNumber().epochTime
        }
        guard let time else {
            report(field, "must be an RFC 3339 time or epoch milliseconds, from year 1 to 9999")
            return nil
        }
        guard mayBeInFuture || !isTooLate(time) else {
            report(field, "must not be more than 24 hours in the future")
            return nil
        }
        return time
    }

    func isTooLate(_ time: Timestamp) -> Bool {
        time > context.arrival.adding(microseconds: Limits.futureToleranceMicroseconds)
    }

    mutating func readBool(_ field: FieldName) throws(JSONFault) -> Bool? {
        switch cursor.peek() {
        case UInt8(ascii: "t"):
            try cursor.literal("true")
            return true
        case UInt8(ascii: "f"):
            try cursor.literal("false")
            return false
        default:
            try cursor.skipValue()
            report(field, "must be true or false")
            return nil
        }
    }

    mutating func readID(_ field: FieldName) throws(JSONFault) -> EventID? {
        guard let slice = try readText(field) else { return nil }
        let id = unsafe EventID(text: UnsafeBufferPointer(start: pointer(slice), count: slice.count))
        if id == nil { report(field, "must be a UUID") }
        return id
    }

    /// A free-form object in canonical form.
    @inline(__always)
    mutating func readObject(_ field: FieldName) throws(JSONFault) -> Range<Int>? {
        guard cursor.peek() == UInt8(ascii: "{") else {
            try cursor.skipValue()
            report(field, "must be an object")
            return nil
        }
        let range = try writer.write(&cursor)
        if !writer.issues.isEmpty || !writer.dropped.isEmpty { takeFindings(of: field) }
        return range
    }

    mutating func readAgents(_ field: FieldName) throws(JSONFault) -> Bool {
        guard cursor.consume(UInt8(ascii: "[")) else {
            try cursor.skipValue()
            report(field, "must be an array of agent names")
            return false
        }
        agents.removeAll(keepingCapacity: true)
        var count = 0
        var more = !cursor.consume(UInt8(ascii: "]"))
        while more {
            if cursor.consume(UInt8(ascii: "\"")) {
                let slice = text(try cursor.scanString())
                if unsafe !TextPattern.name.accepts(pointer(slice), slice.count) {
                    report(field, TextPattern.name.message, detail: "[\(count)]")
                } else if count < Limits.agentsUsedCountMax {
                    agents.append(slice)
                }
            } else {
                try cursor.skipValue()
                report(field, "must be a string", detail: "[\(count)]")
            }
            count += 1
            more = try cursor.continuesArray()
        }
        if count > Limits.agentsUsedCountMax { report(field, "must hold at most \(Limits.agentsUsedCountMax) names") }
        return true
    }
}

extension DecimalText {
    /// These milliseconds as a time, cut toward the past; nil outside years 1 to 9999.
    var epochTime: Timestamp? {
        guard let scaled = scaled(by: 3), let whole = Int64(exactly: scaled.whole) else { return nil }
        let microseconds = isNegative ? -whole - (scaled.remainder == .zero ? 0 : 1) : whole
        let time = Timestamp(microseconds: microseconds)
        return TimestampText.printable.contains(time) ? time : nil
    }
}
