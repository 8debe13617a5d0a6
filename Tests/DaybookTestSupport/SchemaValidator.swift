/// Checks JSON values against schemas (JSON Schema 2020-12), as far as Daybook's own schemas go. A keyword that it does not
/// know is an error, so that no rule is passed over in silence.
package final class SchemaValidator {
    package struct UnknownKeyword: Error, Equatable {
        package var keyword: String
    }

    package struct DeadReference: Error, Equatable {
        package var target: String

        package init(target: String) { self.target = target }
    }

    /// Members of objects that no schema describes are mistakes, although schemas allow for them: what an answer holds
    /// has to be documented.
    package var isStrict = false

    private let resolve: (String) -> ParsedJSON?
    private var patterns: [String: Regex<AnyRegexOutput>] = [:]

    /// - Parameter resolve: what a `$ref` leads to.
    package init(resolving resolve: @escaping (String) -> ParsedJSON?) { self.resolve = resolve }

    /// References are pointers into `document`, such as `#/components/schemas/Error`.
    package convenience init(document: ParsedJSON) {
        self.init { target in
            guard target.hasPrefix("#/") else { return nil }
            var found: ParsedJSON? = document
            for step in target.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
                found = found?[String(step).replacing("~1", with: "/").replacing("~0", with: "~")]
            }
            return found
        }
    }

    /// What is wrong with the value, each with its place; empty when nothing is.
    package func mistakes(in value: ParsedJSON, _ schema: ParsedJSON, at path: String = "$") throws -> [String] {
        try outcome(value, schema, path).closed(value, path, isStrict)
    }

    /// What one schema, and those that it applies to the same value, found.
    private struct Outcome {
        var mistakes: [String] = []
        /// Members that were described; nil while nobody spoke of members.
        var described: Set<[UInt8]>?

        mutating func describe(_ keys: some Sequence<[UInt8]>) { described = (described ?? []).union(keys) }

        mutating func take(_ other: Outcome) {
            mistakes += other.mistakes
            if let described = other.described { describe(described) }
        }

        /// The mistakes, once all that speaks of the value has spoken.
        func closed(_ value: ParsedJSON, _ path: String, _ isStrict: Bool) -> [String] {
            guard isStrict, let described, case .object(let members) = value else { return mistakes }
            let unknown = members.keys.filter { !described.contains($0) }
            return mistakes + unknown.map { "\(path).\(String(decoding: $0, as: UTF8.self)) is not described" }
        }
    }

    private static let annotations: Set = [
        "description", "examples", "default", "title", "$schema", "$id", "contentMediaType",
    ]

    private func outcome(_ value: ParsedJSON, _ schema: ParsedJSON, _ path: String) throws -> Outcome {
        var outcome = Outcome()
        if case .bool(let isAllowed) = schema {
            if !isAllowed { outcome.mistakes.append("\(path) is not allowed") }
            return outcome
        }
        guard let keywords = schema.members else { throw UnknownKeyword(keyword: "\(schema)") }
        for (key, rule) in keywords {
            let keyword = String(decoding: key, as: UTF8.self)
            if Self.annotations.contains(keyword) || keyword.hasPrefix("x-") { continue }
            if try apply(keyword, rule, value, path, &outcome) { continue }
            if let mistake = try simpleMistake(keyword, rule, value) {
                outcome.mistakes.append("\(path) \(mistake)")
            }
        }
        try checkMembers(keywords, value, path, &outcome)
        return outcome
    }

    /// Keywords that hold schemas for the value itself; false for any other.
    private func apply(
        _ keyword: String, _ rule: ParsedJSON, _ value: ParsedJSON, _ path: String, _ outcome: inout Outcome
    ) throws -> Bool {
        switch keyword {
        case "$ref":
            guard let target = rule.string, let schema = resolve(target) else {
                throw DeadReference(target: rule.string ?? "")
            }
            outcome.take(try self.outcome(value, schema, path))
        case "allOf":
            for schema in rule.elements ?? [] { outcome.take(try self.outcome(value, schema, path)) }
        case "anyOf", "oneOf":
            let all = try (rule.elements ?? []).map { try self.outcome(value, $0, path) }
            // What a strict reader refuses is no match either.
            let matches = all.filter { $0.closed(value, path, false).isEmpty }
            for match in matches { outcome.take(match) }
            if matches.isEmpty {
                let nearest = all.min { $0.mistakes.count < $1.mistakes.count }
                outcome.mistakes.append("\(path) fits nothing of \(keyword): \(nearest?.mistakes.first ?? "")")
            } else if keyword == "oneOf", matches.count > 1 {
                outcome.mistakes.append("\(path) fits \(matches.count) of oneOf")
            }
        case "not":
            if try self.outcome(value, rule, path).mistakes.isEmpty {
                outcome.mistakes.append("\(path) is what it must not be")
            }
        default: return false
        }
        return true
    }

    // MARK: Members and elements

    private func checkMembers(
        _ keywords: [[UInt8]: ParsedJSON], _ value: ParsedJSON, _ path: String, _ outcome: inout Outcome
    ) throws {
        func rule(_ name: String) -> ParsedJSON? { keywords[Array(name.utf8)] }
        if let items = rule("items"), case .array(let elements) = value {
            for (index, element) in elements.enumerated() {
                outcome.mistakes += try mistakes(in: element, items, at: "\(path)[\(index)]")
            }
        }
        guard case .object(let members) = value else { return }
        let properties = rule("properties")?.members
        let patterns = rule("patternProperties")?.members
        if properties != nil || patterns != nil { outcome.describe([]) }
        for (key, member) in members {
            let name = String(decoding: key, as: UTF8.self)
            var isDescribed = false
            if let schema = properties?[key] {
                isDescribed = true
                outcome.mistakes += try mistakes(in: member, schema, at: "\(path).\(name)")
            }
            for (pattern, schema) in patterns ?? [:] where try matches(name, String(decoding: pattern, as: UTF8.self)) {
                isDescribed = true
                outcome.mistakes += try mistakes(in: member, schema, at: "\(path).\(name)")
            }
            if !isDescribed, let schema = rule("additionalProperties") {
                isDescribed = true
                outcome.mistakes += try mistakes(in: member, schema, at: "\(path).\(name)")
            }
            if isDescribed { outcome.describe([key]) }
        }
    }

    /// Whether the pattern stands somewhere in the text. `$` is its very end, as in ECMA-262.
    func matches(_ text: String, _ pattern: String) throws -> Bool {
        if let known = patterns[pattern] { return try known.firstMatch(in: text) != nil }
        let strict = pattern.hasSuffix("$") ? String(pattern.dropLast()) + "\\z" : pattern
        let made = try Regex(strict).matchingSemantics(.unicodeScalar)
        patterns[pattern] = made
        return try made.firstMatch(in: text) != nil
    }
}
