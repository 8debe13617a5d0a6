import DaybookEvent

extension ParsedJSON {
    /// As text, members in the order of their names.
    package var printed: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (position, member) in sorted.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.append(String(decoding: member.key, as: UTF8.self), to: &bytes)
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
        case .text(let text): JSONText.append(String(decoding: text, as: UTF8.self), to: &bytes)
        case .number(let digits): bytes += Array(digits.utf8)
        case .bool(let value): bytes += Array((value ? "true" : "false").utf8)
        case .null: bytes += Array("null".utf8)
        }
    }

    /// The object with one member more, another, or, where it is nil, without it.
    package func setting(_ name: String, _ value: ParsedJSON?) -> ParsedJSON {
        var members = members ?? [:]
        members[Array(name.utf8)] = value
        return .object(members)
    }
}
