extension JSONCursor {
    /// Deeper nesting than this is refused wherever it stands.
    static let nestingMax = 1_000

    /// Steps over one value of any kind, checking its grammar but not its keys. Only for values whose body is refused
    /// anyway: unknown fields, wrong types, objects beyond a limit.
    @inline(never)
    mutating func skipValue() throws(JSONFault) {
        // One entry for each open container: true for an object.
        var open: [Bool] = []
        while true {
            switch peek() {
            case UInt8(ascii: "{"):
                position &+= 1
                if consume(UInt8(ascii: "}")) { break }
                try push(true, &open)
                _ = try memberName()
                continue
            case UInt8(ascii: "["):
                position &+= 1
                if consume(UInt8(ascii: "]")) { break }
                try push(false, &open)
                continue
            default:
                try skipScalar()
            }
            while let isObject = open.last {
                if isObject {
                    if try continuesObject() {
                        _ = try memberName()
                        break
                    }
                } else if try continuesArray() {
                    break
                }
                open.removeLast()
            }
            if open.isEmpty { return }
        }
    }

    private func push(_ isObject: Bool, _ open: inout [Bool]) throws(JSONFault) {
        guard open.count < Self.nestingMax else { throw fault("nested deeper than 1000 levels") }
        open.append(isObject)
    }

    /// A string, number or literal.
    mutating func skipScalar() throws(JSONFault) {
        switch peek() {
        case UInt8(ascii: "\""):
            position &+= 1
            _ = try scanString()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try scanNumber()
        }
    }
}
