/// As much of Markdown as links need.
struct Markdown {
    struct Link: Equatable {
        var target: String
        var line: Int
    }

    /// Links outside code, in order.
    private(set) var links: [Link] = []
    /// What a link may name after `#`.
    private(set) var anchors: Set<String> = []

    init(_ text: String) {
        var isFenced = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                isFenced.toggle()
            } else if !isFenced {
                if line.hasPrefix("#") { anchors.insert(Self.anchor(ofHeading: line.drop { $0 == "#" })) }
                links += Self.targets(in: Self.withoutCode(line)).map { Link(target: $0, line: index + 1) }
            }
        }
    }

    /// The name that hosts of repositories give to a heading.
    static func anchor(ofHeading heading: Substring) -> String {
        var result = ""
        for character in heading.drop(while: { $0 == " " }).lowercased() {
            if character == " " { result.append("-") }
            if character.isLetter || character.isNumber || character == "-" || character == "_" {
                result.append(character)
            }
        }
        return result
    }

    private static func withoutCode(_ line: Substring) -> String {
        var isCode = false
        return String(
            line.filter { character in
                if character == "`" { isCode.toggle() }
                return !isCode
            })
    }

    private static func targets(in line: String) -> [String] {
        var result: [String] = []
        var rest = Substring(line)
        while let start = rest.firstRange(of: "](") {
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: ")") else { break }
            result.append(String(rest[..<end]))
            rest = rest[end...]
        }
        return result
    }
}
