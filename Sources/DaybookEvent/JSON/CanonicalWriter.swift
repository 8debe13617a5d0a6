internal import DaybookFormat

/// What is wrong with a free-form object, told as a path inside it.
struct ObjectIssue {
    /// Such as `.a.b[3]`; empty for the object itself.
    var path: String
    var message: String
}

/// Writes free-form objects in canonical form while reading them once: members go to the sink as they come, and are put
/// in order when their object ends, if they were not. No tree, no allocation per value.
struct CanonicalWriter: ~Copyable {
    var sink = ByteSink(capacity: 4_096)
    private(set) var issues: [ObjectIssue] = []
    /// Paths of dropped keys, as in issues.
    private(set) var dropped: [String] = []
    /// The string value of `session_id` in the outermost object.
    private(set) var session: StringToken?
    /// Every object on the way down may have all its members here.
    private var members = FixedStack<CanonicalMember>(capacity: Limits.objectDepthMax * Limits.objectKeyCountMax)
    private var steps = FixedStack<CanonicalStep>(capacity: Limits.objectDepthMax)
    // Copies, because a constant of another module costs a call.
    private let keyCountMax = Limits.objectKeyCountMax
    private let depthMax = Limits.objectDepthMax
    private let byteCountMax = Limits.objectByteCountMax
    private let stringByteCountMax = Limits.objectStringByteCountMax
    private var objectStart = 0
    /// A limit of the whole object was passed: the rest is only checked for its grammar.
    private var isDiscarding = false

    /// Forgets the objects of the event before.
    @inline(__always)
    mutating func reset() { sink.truncate(to: 0) }

    mutating func clearFindings() {
        issues.removeAll(keepingCapacity: true)
        dropped.removeAll(keepingCapacity: true)
    }

    /// Reads the object at the cursor. The result is its canonical text in the sink, worthless if `issues` is not empty.
    mutating func write(_ cursor: inout JSONCursor) throws(JSONFault) -> Range<Int> {
        objectStart = sink.count
        isDiscarding = false
        session = nil
        members.truncate(to: 0)
        steps.truncate(to: 0)
        try writeObject(&cursor)
        checkSize()
        if isDiscarding { sink.truncate(to: objectStart) }
        return objectStart..<sink.count
    }

    @inline(__always)
    private mutating func checkSize() {
        if sink.count &- objectStart > byteCountMax, !isDiscarding {
            isDiscarding = true
            note("", "is longer than 64 KiB in canonical form")
        }
    }

    // MARK: Containers

    /// At the opening brace.
    private mutating func writeObject(_ cursor: inout JSONCursor) throws(JSONFault) {
        guard try descend(&cursor) else { return }
        let first = members.count
        var isSorted = true
        var keyCount = 0
        var droppedKeys: UInt8 = 0
        var previous: CanonicalMember?
        cursor.position &+= 1
        sink.append(UInt8(ascii: "{"))
        var more = !cursor.consume(UInt8(ascii: "}"))
        while more {
            let keyPosition = cursor.position
            let token = try cursor.memberName()
            keyCount &+= 1
            steps[steps.count &- 1] = CanonicalStep(key: token, index: -1)
            if keyCount > keyCountMax, !isDiscarding {
                discard("holds more than 50 keys", cursor, atParent: true)
            }
            if isDiscarding {
                try cursor.skipValue()
            } else {
                var member = try writeKey(token, cursor)
                if let bit = droppedKeyBit(member) {
                    try drop(bit, &droppedKeys, member, &cursor)
                } else {
                    if let previous {
                        let order = compareKeys(previous, member)
                        if order == 0 {
                            throw JSONFault(message: "a key stands twice in an object", position: keyPosition)
                        }
                        if order > 0 { isSorted = false }
                    }
                    if steps.count == 1 { noteSession(member, cursor) }
                    try writeValue(&cursor)
                    member.end = sink.count
                    members.push(member)
                    previous = member
                    sink.append(UInt8(ascii: ","))
                }
            }
            more = try cursor.continuesObject()
        }
        if !isDiscarding {
            if !isSorted { try sort(from: first, cursor) }
            close(UInt8(ascii: "}"))
        }
        members.truncate(to: first)
        steps.truncate(to: steps.count &- 1)
    }

    /// At the opening bracket.
    private mutating func writeArray(_ cursor: inout JSONCursor) throws(JSONFault) {
        guard try descend(&cursor) else { return }
        cursor.position &+= 1
        sink.append(UInt8(ascii: "["))
        var more = !cursor.consume(UInt8(ascii: "]"))
        var index = 0
        while more {
            steps[steps.count &- 1] = CanonicalStep(index: index)
            if isDiscarding {
                try cursor.skipValue()
            } else {
                try writeValue(&cursor)
                sink.append(UInt8(ascii: ","))
            }
            index &+= 1
            more = try cursor.continuesArray()
        }
        if !isDiscarding { close(UInt8(ascii: "]")) }
        steps.truncate(to: steps.count &- 1)
    }

    /// False when the container at the cursor lies too deep; it is then stepped over.
    @inline(__always)
    private mutating func descend(_ cursor: inout JSONCursor) throws(JSONFault) -> Bool {
        guard steps.count < depthMax else {
            discard("nested deeper than 8 levels", cursor)
            try cursor.skipValue()
            return false
        }
        steps.push(CanonicalStep())
        return true
    }

    /// The last comma becomes the closing mark.
    @inline(__always)
    private mutating func close(_ mark: UInt8) {
        if sink.byte(at: sink.count &- 1) == UInt8(ascii: ",") {
            sink.setByte(mark, at: sink.count &- 1)
        } else {
            sink.append(mark)
        }
    }

    // MARK: Values

    @inline(__always)
    private mutating func writeValue(_ cursor: inout JSONCursor) throws(JSONFault) {
        switch cursor.peek() {
        case UInt8(ascii: "\""):
            cursor.position &+= 1
            let token = try cursor.scanString()
            writeText(token, cursor)
        case UInt8(ascii: "{"): try writeObject(&cursor)
        case UInt8(ascii: "["): try writeArray(&cursor)
        case UInt8(ascii: "t"):
            try cursor.literal("true")
            sink.append(text: "true")
        case UInt8(ascii: "f"):
            try cursor.literal("false")
            sink.append(text: "false")
        case UInt8(ascii: "n"):
            try cursor.literal("null")
            sink.append(text: "null")
        default: try writeNumber(&cursor)
        }
        checkSize()
    }

    @inline(__always)
    private mutating func writeNumber(_ cursor: inout JSONCursor) throws(JSONFault) {
        let text = try cursor.scanNumber()
        let byteCount = text.end &- text.start
        if text.isPlain, byteCount <= 18, !(text.isNegative && text.isZero) {
            unsafe sink.append(cursor.base + text.start, byteCount)
        } else {
            writeUnusualNumber(text, cursor)
        }
    }

    private mutating func writeUnusualNumber(_ text: DecimalText, _ cursor: JSONCursor) {
        if let shortest = text.shortest {
            shortest.write(to: &sink)
        } else if let number = text.number(in: cursor) {
            number.write(to: &sink)
        } else {
            note(path(cursor), "is too large for a number")
            sink.append(UInt8(ascii: "0"))
        }
    }

    @inline(__always)
    private mutating func checkLength(_ token: StringToken, _ cursor: JSONCursor) {
        if token.byteCount > stringByteCountMax { checkLongText(token, cursor) }
    }

    private mutating func checkLongText(_ token: StringToken, _ cursor: JSONCursor) {
        guard cursor.textByteCount(token) > stringByteCountMax else { return }
        note(path(cursor), "holds text longer than 8 KiB")
    }

    /// With its quotes.
    @inline(__always)
    private mutating func writeText(_ token: StringToken, _ cursor: JSONCursor) {
        checkLength(token, cursor)
        if token.isEscaped {
            sink.append(UInt8(ascii: "\""))
            cursor.appendCanonical(token, to: &sink)
            sink.append(UInt8(ascii: "\""))
        } else {
            unsafe sink.append(quoting: cursor.base + token.start, token.byteCount)
        }
    }

    // MARK: Keys

    @inline(__always)
    private mutating func writeKey(_ token: StringToken, _ cursor: JSONCursor) throws(JSONFault) -> CanonicalMember {
        let start = sink.count
        writeText(token, cursor)
        let keyByteCount = sink.count &- start &- 2
        sink.append(UInt8(ascii: ":"))
        var member = CanonicalMember(start: start, keyByteCount: keyByteCount, prefix: cursor.prefix(token))
        if token.isEscaped {
            for offset in 0..<keyByteCount where sink.byte(at: member.keyStart + offset) == UInt8(ascii: "\\") {
                member.isKeyEscaped = true
            }
        }
        return member
    }

    @inline(__always)
    private func droppedKeyBit(_ member: CanonicalMember) -> UInt8? {
        guard 9...11 ~= member.keyByteCount else { return nil }
        let key = unsafe UnsafePointer(sink.base + member.keyStart)
        switch member.keyByteCount {
        case 9:
            if unsafe matches(key, "__proto__") { return 1 }
            return unsafe matches(key, "prototype") ? 2 : nil
        case 11: return unsafe matches(key, "constructor") ? 4 : nil
        default: return nil
        }
    }

    /// The value is read all the same: its own keys and numbers must be right, and it may hold more to drop.
    private mutating func drop(
        _ bit: UInt8, _ seen: inout UInt8, _ member: CanonicalMember, _ cursor: inout JSONCursor
    ) throws(JSONFault) {
        if seen & bit != 0 { throw cursor.fault("a key stands twice in an object") }
        seen |= bit
        if dropped.count < Limits.listedFieldErrorCountMax { dropped.append(path(cursor)) }
        try writeValue(&cursor)
        sink.truncate(to: member.start)
    }

    private mutating func noteSession(_ member: CanonicalMember, _ cursor: JSONCursor) {
        guard member.keyByteCount == 10 else { return }
        guard unsafe matches(UnsafePointer(sink.base + member.keyStart), "session_id") else { return }
        var ahead = cursor
        guard ahead.consume(UInt8(ascii: "\"")) else { return }
        session = try? ahead.scanString()
    }

    // MARK: Order

    /// Below zero, zero or above zero, by the UTF-8 bytes of the unescaped keys.
    @inline(__always)
    private func compareKeys(_ left: CanonicalMember, _ right: CanonicalMember) -> Int {
        if left.hasPrefix, right.hasPrefix, left.prefix != right.prefix { return left.prefix < right.prefix ? -1 : 1 }
        return compareKeysSlowly(left, right)
    }

    @inline(never)
    private func compareKeysSlowly(_ left: CanonicalMember, _ right: CanonicalMember) -> Int {
        var leftAt = left.keyStart
        var rightAt = right.keyStart
        let leftEnd = leftAt + left.keyByteCount
        let rightEnd = rightAt + right.keyByteCount
        while leftAt < leftEnd, rightAt < rightEnd {
            let leftByte = unescapedByte(&leftAt, left.isKeyEscaped)
            let rightByte = unescapedByte(&rightAt, right.isKeyEscaped)
            if leftByte != rightByte { return leftByte < rightByte ? -1 : 1 }
        }
        return (leftAt < leftEnd ? 1 : 0) - (rightAt < rightEnd ? 1 : 0)
    }

    /// The next byte of a key in canonical form; its escapes stand for one byte each.
    @inline(__always)
    private func unescapedByte(_ at: inout Int, _ isEscaped: Bool) -> UInt8 {
        let byte = unsafe sink.base[at]
        at &+= 1
        guard isEscaped, byte == UInt8(ascii: "\\") else { return byte }
        let letter = unsafe sink.base[at]
        at &+= 1
        switch letter {
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"):
            at &+= 4
            let high = unsafe sink.base[at &- 2]
            let low = unsafe sink.base[at &- 1]
            return (high &- UInt8(ascii: "0")) &<< 4 | (low > UInt8(ascii: "9") ? low &- 87 : low &- UInt8(ascii: "0"))
        default: return letter
        }
    }

    /// Puts the members from `first` on in order and the sink with them; a key that is there twice is a fault.
    private mutating func sort(from first: Int, _ cursor: JSONCursor) throws(JSONFault) {
        let start = members[first].start
        // At most 50, and often nearly in order: insertion.
        for index in first + 1..<members.count {
            let member = members[index]
            var place = index
            while place > first {
                let order = compareKeys(members[place - 1], member)
                if order == 0 { throw cursor.fault("a key stands twice in the object before") }
                if order < 0 { break }
                members[place] = members[place - 1]
                place -= 1
            }
            members[place] = member
        }
        let end = sink.count
        // The outermost object has nothing before it that must stay: its sorted text is simply the later one.
        let isOutermost = steps.count == 1
        if isOutermost { sink.append(UInt8(ascii: "{")) }
        for index in first..<members.count {
            sink.appendOwn(members[index].start..<members[index].end)
            sink.append(UInt8(ascii: ","))
        }
        if isOutermost { objectStart = end } else { sink.moveEnd(from: end, to: start) }
    }

    // MARK: Findings

    /// - Parameter atParent: the complaint is about the container that the innermost step is inside of.
    private mutating func discard(_ message: String, _ cursor: JSONCursor, atParent: Bool = false) {
        note(path(cursor, dropping: atParent ? 1 : 0), message)
        isDiscarding = true
    }

    private mutating func note(_ path: String, _ message: String) {
        guard issues.count < Limits.listedFieldErrorCountMax else { return }
        issues.append(ObjectIssue(path: path, message: message))
    }

    private func path(_ cursor: JSONCursor, dropping count: Int = 0) -> String {
        var path = ""
        for index in 0..<steps.count - count {
            let step = steps[index]
            path += step.index < 0 ? "." + cursor.displayText(step.key) : "[\(step.index)]"
        }
        return path
    }
}
