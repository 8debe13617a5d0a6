internal import DaybookEvent

/// A JSON text whose objects keep the order of their members, written in literals: what descriptions of the interface are
/// made of.
indirect enum JSONTree: Equatable, Sendable {
    struct Member: Equatable, Sendable {
        var name: String
        var value: JSONTree

        init(_ name: String, _ value: JSONTree) {
            self.name = name
            self.value = value
        }
    }

    case object([Member])
    case array([JSONTree])
    case text(String)
    /// As it is printed.
    case number(String)
    case boolean(Bool)
    case null
    /// A JSON text that is there already.
    case json([UInt8])

    init(_ number: some BinaryInteger) { self = .number("\(number)") }
    init(_ texts: [String]) { self = .array(texts.map(JSONTree.text)) }

    /// A member of an object. Setting one that is there leaves it at its place; setting nil takes it out.
    subscript(name: String) -> JSONTree? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.name == name }?.value
        }
        set {
            guard case .object(var members) = self else { preconditionFailure("only objects have members") }
            let position = members.firstIndex { $0.name == name }
            switch (position, newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil): members.remove(at: position)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }

    /// The object with further members; those of the same name are replaced.
    func with(_ others: JSONTree) -> JSONTree {
        guard case .object(let added) = others else { preconditionFailure("only objects have members") }
        var result = self
        for member in added { result[member.name] = member.value }
        return result
    }

    var printed: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (position, member) in members.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.append(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .text(let text): JSONText.append(text, to: &bytes)
        case .number(let digits): bytes.append(contentsOf: digits.utf8)
        case .boolean(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .null: bytes.append(contentsOf: "null".utf8)
        case .json(let text): bytes.append(contentsOf: text)
        }
    }

    /// The same tree with every `$ref` changed.
    func mappingReferences(_ change: (String) -> String) -> JSONTree {
        switch self {
        case .object(let members):
            .object(
                members.map { member in
                    if member.name == "$ref", case .text(let target) = member.value {
                        return Member("$ref", .text(change(target)))
                    }
                    return Member(member.name, member.value.mappingReferences(change))
                })
        case .array(let elements): .array(elements.map { $0.mappingReferences(change) })
        default: self
        }
    }
}

extension JSONTree: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    init(dictionaryLiteral elements: (String, JSONTree)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
    init(arrayLiteral elements: JSONTree...) { self = .array(elements) }
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .number("\(value)") }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
    init(nilLiteral: ()) { self = .null }
}
