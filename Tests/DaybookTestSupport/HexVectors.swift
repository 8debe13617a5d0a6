import Foundation

/// One example on a format page: the bytes, and in JSON what they mean.
package struct HexVector: Sendable, Equatable, CustomStringConvertible {
    package var name: String
    package var bytes: [UInt8]
    /// The block that follows the bytes, as it stands on the page; empty where the page gives none.
    package var json: [UInt8]

    package var description: String { name }

    /// The fields that the page states. Throws when the block is missing or is not JSON.
    package func fields() throws -> ParsedJSON { try ParsedJSON(parsing: json) }
}

/// Reads the examples of `docs/format/*.md`, so that the pages are executed and cannot rot.
///
/// An example is a fenced block opened by ```` ```hex name=NAME ````, whose lines hold pairs of hexadecimal digits and
/// comments after `#`, directly followed, if at all, by a fenced block opened by ```` ```json name=NAME ````.
package enum HexVectors {
    package enum PageError: Error, Equatable, CustomStringConvertible {
        case unreadable(page: String)
        case noVectors
        case badHex(line: Int)
        case badFence(line: Int)
        case unclosedFence(line: Int)
        case duplicateName(String, line: Int)
        /// A JSON block whose name is not that of the hex block right before it.
        case withoutBytes(String, line: Int)

        package var description: String {
            switch self {
            case .unreadable(let page): "cannot read \(page)"
            case .noVectors: "the page has no vectors"
            case .badHex(let line): "line \(line): not pairs of hexadecimal digits"
            case .badFence(let line): "line \(line): the fence needs exactly one name=NAME"
            case .unclosedFence(let line): "line \(line): the fence is never closed"
            case .duplicateName(let name, let line): "line \(line): a second vector \(name)"
            case .withoutBytes(let name, let line): "line \(line): no bytes named \(name) right before it"
            }
        }
    }

    /// The vectors of a page in its order. `page` is a path relative to the root of the repository.
    package static func load(page: String) throws(PageError) -> [HexVector] {
        guard let text = try? String(contentsOf: Repository.root.appending(path: page), encoding: .utf8) else {
            throw .unreadable(page: page)
        }
        return try parse(text)
    }

    /// The one vector of that name. Throws when the page has none.
    package static func load(page: String, name: String) throws -> HexVector {
        guard let vector = try load(page: page).first(where: { $0.name == name }) else { throw PageError.noVectors }
        return vector
    }

    package static func parse(_ text: String) throws(PageError) -> [HexVector] {
        var vectors: [HexVector] = []
        // The vector that a JSON block may still complete: only the block directly before it.
        var open: String?
        for block in try fencedBlocks(of: text) {
            switch block.language {
            case "hex":
                guard let name = block.name else { throw .badFence(line: block.line) }
                guard !vectors.contains(where: { $0.name == name }) else {
                    throw .duplicateName(name, line: block.line)
                }
                vectors.append(HexVector(name: name, bytes: try hexBytes(of: block), json: []))
                open = name
            case "json" where block.name != nil:
                let name = block.name ?? ""
                guard open == name else { throw .withoutBytes(name, line: block.line) }
                vectors[vectors.count - 1].json = Array(block.lines.joined(separator: "\n").utf8)
                open = nil
            default:
                open = nil
            }
        }
        guard !vectors.isEmpty else { throw .noVectors }
        return vectors
    }

    private struct Block {
        var language: String
        var name: String?
        var lines: [Substring] = []
        /// Of the opening fence, from 1.
        var line: Int
    }

    private static func fencedBlocks(of text: String) throws(PageError) -> [Block] {
        var blocks: [Block] = []
        var current: Block?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if var block = current {
                if line == "```" {
                    blocks.append(block)
                    current = nil
                } else {
                    block.lines.append(line)
                    current = block
                }
            } else if line.hasPrefix("```") {
                current = try opening(line.dropFirst(3), line: index + 1)
            }
        }
        if let current { throw .unclosedFence(line: current.line) }
        return blocks
    }

    private static func opening(_ info: Substring, line: Int) throws(PageError) -> Block {
        let words = info.split(separator: " ")
        guard words.count > 1 else { return Block(language: words.first.map(String.init) ?? "", name: nil, line: line) }
        guard words.count == 2, words[1].hasPrefix("name="), words[1].count > 5 else { throw .badFence(line: line) }
        return Block(language: String(words[0]), name: String(words[1].dropFirst(5)), line: line)
    }

    private static func hexBytes(of block: Block) throws(PageError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, line) in block.lines.enumerated() {
            for word in line.prefix(while: { $0 != "#" }).split(separator: " ") {
                let digits = Array(word.utf8)
                guard digits.count.isMultiple(of: 2) else { throw .badHex(line: block.line + 1 + index) }
                for pair in stride(from: 0, to: digits.count, by: 2) {
                    guard let byte = UInt8(String(decoding: digits[pair..<pair + 2], as: UTF8.self), radix: 16),
                        digits[pair] != UInt8(ascii: "+"), digits[pair] != UInt8(ascii: "-")
                    else { throw .badHex(line: block.line + 1 + index) }
                    bytes.append(byte)
                }
            }
        }
        guard !bytes.isEmpty else { throw .badHex(line: block.line) }
        return bytes
    }
}

/// Where the sources stand, so that tests can read them and the pages as text.
package enum Repository {
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
