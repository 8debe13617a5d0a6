/// Swift source whose comments and string literals are blanked out, so that braces and words are code. The blanked
/// text has the same bytes at the same places; line breaks stay.
///
/// It knows line comments, nested block comments, strings with escapes and interpolation, multi-line and raw strings.
/// It does not know regular expression literals; the sources have none.
struct SourceCode {
    let code: [UInt8]
    private let lineStarts: [Int]

    init(_ source: String) {
        var blanker = Blanker(source: Array(source.utf8))
        blanker.blankCode(insideInterpolation: false)
        code = blanker.result
        var starts = [0]
        for (offset, byte) in code.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
        lineStarts = starts
    }

    /// The line of an offset, from 1.
    func line(at offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    struct Word: Equatable {
        var text: String
        var offset: Int
    }

    /// Identifiers and keywords in order.
    var words: [Word] {
        var result: [Word] = []
        var offset = 0
        while offset < code.count {
            guard isIdentifier(code[offset]) else {
                offset += 1
                continue
            }
            let end = endOfWord(from: offset)
            result.append(Word(text: String(decoding: code[offset..<end], as: UTF8.self), offset: offset))
            offset = end
        }
        return result
    }

    func endOfWord(from offset: Int) -> Int {
        var end = offset
        while end < code.count, isIdentifier(code[end]) { end += 1 }
        return end
    }

    /// Lines on which `pattern` stands as code. Where it begins or ends with a letter, the word begins or ends there.
    func lines(of pattern: String) -> [Int] {
        let wanted = Array(pattern.utf8)
        guard let first = wanted.first, let last = wanted.last, code.count >= wanted.count else { return [] }
        var result: [Int] = []
        for offset in 0...code.count - wanted.count where code[offset] == first {
            let end = offset + wanted.count
            guard code[offset..<end].elementsEqual(wanted) else { continue }
            if isIdentifier(first), offset > 0, isIdentifier(code[offset - 1]) { continue }
            if isIdentifier(last), end < code.count, isIdentifier(code[end]) { continue }
            result.append(line(at: offset))
        }
        return result
    }

    /// Lines on which the free function is called: neither a member nor the declaration of one.
    func lines(ofFreeCall name: String) -> [Int] {
        words.enumerated().compactMap { index, word in
            guard word.text == name, nextByte(from: word.offset + name.utf8.count) == UInt8(ascii: "(") else {
                return nil
            }
            if previousByte(before: word.offset) == UInt8(ascii: ".") { return nil }
            if index > 0, ["func", "case"].contains(words[index - 1].text) { return nil }
            return line(at: word.offset)
        }
    }

    /// Modules that the source imports, with their lines.
    var imports: [(module: String, line: Int)] {
        let words = words
        let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return words.indices.compactMap { index in
            guard words[index].text == "import", index + 1 < words.count else { return nil }
            var next = index + 1
            if kinds.contains(words[next].text), next + 1 < words.count { next += 1 }
            return (words[next].text, line(at: words[index].offset))
        }
    }

    private func nextByte(from offset: Int) -> UInt8? { offset < code.count ? code[offset] : nil }

    func previousByte(before offset: Int) -> UInt8? {
        code[..<offset].last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
    }
}

func isIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
        true
    default: false
    }
}

private struct Blanker {
    let source: [UInt8]
    var result: [UInt8]
    var offset = 0

    init(source: [UInt8]) {
        self.source = source
        result = source
    }

    func starts(with text: StaticString) -> Bool {
        source[offset...].starts(with: text.description.utf8)
    }

    /// Replaces the next bytes by spaces and moves behind them.
    mutating func blank(_ count: Int) {
        for _ in 0..<count where offset < source.count {
            if source[offset] != UInt8(ascii: "\n") { result[offset] = UInt8(ascii: " ") }
            offset += 1
        }
    }

    /// Code up to the end, or up to the parenthesis that ends an interpolation.
    mutating func blankCode(insideInterpolation: Bool) {
        var depth = 0
        while offset < source.count {
            if starts(with: "//") {
                while offset < source.count, source[offset] != UInt8(ascii: "\n") { blank(1) }
            } else if starts(with: "/*") {
                blankBlockComment()
            } else if let hashCount = hashesOfString() {
                blankString(hashCount: hashCount)
            } else {
                if insideInterpolation, source[offset] == UInt8(ascii: "(") { depth += 1 }
                if insideInterpolation, source[offset] == UInt8(ascii: ")") {
                    if depth == 0 { return }
                    depth -= 1
                }
                offset += 1
            }
        }
    }

    mutating func blankBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && offset < source.count
    }

    /// The number of `#` before the quote, when a string literal starts here.
    func hashesOfString() -> Int? {
        var end = offset
        while end < source.count, source[end] == UInt8(ascii: "#") { end += 1 }
        guard end < source.count, source[end] == UInt8(ascii: "\"") else { return nil }
        return end - offset
    }

    mutating func blankString(hashCount: Int) {
        blank(hashCount)
        let isMultiline = starts(with: "\"\"\"")
        let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: isMultiline ? 3 : 1)
        let hashes = [UInt8](repeating: UInt8(ascii: "#"), count: hashCount)
        blank(quotes.count)
        while offset < source.count {
            if source[offset...].starts(with: quotes + hashes) { return blank(quotes.count + hashCount) }
            if source[offset...].starts(with: [UInt8(ascii: "\\")] + hashes) {
                blank(1 + hashCount)
                if offset < source.count, source[offset] == UInt8(ascii: "(") {
                    blank(1)
                    blankCode(insideInterpolation: true)
                }
                blank(1)
            } else if !isMultiline, source[offset] == UInt8(ascii: "\n") {
                return
            } else {
                blank(1)
            }
        }
    }
}
