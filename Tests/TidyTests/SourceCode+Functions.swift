/// A function with a body. The brace matcher is rough: it needs no parser, and it errs on no source of ours.
struct FunctionExtent: Equatable {
    var name: String
    /// Where its keyword stands, from 1.
    var line: Int
    /// From the keyword to the closing brace.
    var lineCount: Int
}

extension SourceCode {
    private static let openers: Set = ["func", "init", "deinit", "subscript"]
    private static let otherDeclarations: Set = [
        "var", "let", "case", "struct", "enum", "class", "actor", "protocol", "extension", "typealias",
        "associatedtype", "import", "package", "private", "fileprivate", "internal", "static", "mutating",
    ]

    /// Functions, initializers and subscripts with bodies, nested ones too, in the order of their keywords.
    var functions: [FunctionExtent] {
        words.compactMap { word in
            guard Self.openers.contains(word.text), previousByte(before: word.offset) != UInt8(ascii: ".") else {
                return nil
            }
            let after = word.offset + word.text.utf8.count
            guard let open = bodyStart(from: after), let close = closingBrace(of: open) else { return nil }
            let line = line(at: word.offset)
            let name = word.text == "func" ? functionName(from: after) : word.text
            return FunctionExtent(name: name, line: line, lineCount: self.line(at: close) - line + 1)
        }
    }

    private func functionName(from offset: Int) -> String {
        let rest = code[offset...].drop { $0 == UInt8(ascii: " ") }
        return String(decoding: rest.prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: " ") }, as: UTF8.self)
    }

    /// The brace that opens the body; nil for a requirement of a protocol, which has none.
    private func bodyStart(from start: Int) -> Int? {
        var depth = 0
        var offset = start
        while offset < code.count {
            switch code[offset] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return offset
            case UInt8(ascii: "}") where depth == 0: return nil
            case let byte where depth == 0 && isIdentifier(byte):
                let end = endOfWord(from: offset)
                let word = String(decoding: code[offset..<end], as: UTF8.self)
                if Self.openers.contains(word) || Self.otherDeclarations.contains(word) { return nil }
                offset = end
                continue
            default: break
            }
            if depth < 0 { return nil }
            offset += 1
        }
        return nil
    }

    private func closingBrace(of open: Int) -> Int? {
        var depth = 0
        for offset in open..<code.count {
            if code[offset] == UInt8(ascii: "{") { depth += 1 }
            if code[offset] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return offset }
        }
        return nil
    }
}
