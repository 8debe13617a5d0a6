/// Keywords that look at one value alone.
extension SchemaValidator {
    /// What is wrong, or nil. Throws for a keyword that nobody knows.
    func simpleMistake(_ keyword: String, _ rule: ParsedJSON, _ value: ParsedJSON) throws -> String? {
        switch keyword {
        case "properties", "patternProperties", "additionalProperties", "items": return nil
        case "type":
            let types = rule.string.map { [$0] } ?? rule.elements?.compactMap(\.string) ?? []
            return types.contains { Self.isOf(type: $0, value) } ? nil : "is not \(types.joined(separator: " or "))"
        case "enum":
            let words = rule.elements ?? []
            return words.contains { Self.isSame($0, value) } ? nil : "is none of \(words.count) values"
        case "const": return Self.isSame(rule, value) ? nil : "is not the one value"
        case "required":
            guard let members = value.members else { return nil }
            let missing = rule.elements?.compactMap(\.string).filter { members[Array($0.utf8)] == nil } ?? []
            return missing.isEmpty ? nil : "lacks \(missing.sorted().joined(separator: ", "))"
        case "minProperties", "maxProperties": return bound(keyword, rule, value.members?.count)
        case "minItems", "maxItems": return bound(keyword, rule, value.elements?.count)
        case "minLength", "maxLength": return bound(keyword, rule, value.string?.unicodeScalars.count)
        case "pattern":
            guard let text = value.string, let pattern = rule.string else { return nil }
            return try matches(text, pattern) ? nil : "does not match \(pattern)"
        case "minimum", "maximum":
            guard case .number(let number) = value, case .number(let limit) = rule else { return nil }
            let isFit = keyword == "minimum" ? Self.isAtMost(limit, number) : Self.isAtMost(number, limit)
            return isFit ? nil : "is beyond its \(keyword) \(limit)"
        case "format":
            guard let text = value.string, let format = rule.string else { return nil }
            return try fits(text, format) ? nil : "is no \(format)"
        default: throw UnknownKeyword(keyword: keyword)
        }
    }

    private func bound(_ keyword: String, _ rule: ParsedJSON, _ count: Int?) -> String? {
        guard let count, let limit = rule.integer else { return nil }
        let isFit = keyword.hasPrefix("min") ? count >= limit : count <= limit
        return isFit ? nil : "has \(count), \(keyword) is \(limit)"
    }

    private static func isOf(type: String, _ value: ParsedJSON) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .text), ("number", .number), ("boolean", .bool),
            ("null", .null):
            true
        case ("integer", .number(let digits)): isInteger(digits)
        default: false
        }
    }

    private static func isInteger(_ digits: String) -> Bool {
        if Int128(digits) != nil { return true }
        guard let value = Double(digits) else { return false }
        return value.rounded() == value
    }

    /// Numbers compare by value, everything else as it stands.
    private static func isSame(_ left: ParsedJSON, _ right: ParsedJSON) -> Bool {
        guard case .number(let one) = left, case .number(let other) = right else { return left == right }
        return isAtMost(one, other) && isAtMost(other, one)
    }

    /// Whole numbers exactly, others as doubles.
    private static func isAtMost(_ left: String, _ right: String) -> Bool {
        if let left = Int128(left), let right = Int128(right) { return left <= right }
        guard let left = Double(left), let right = Double(right) else { return false }
        return left <= right
    }

    private func fits(_ text: String, _ format: String) throws -> Bool {
        switch format {
        case "uuid": return try matches(text, "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
        case "date-time":
            guard
                try matches(
                    text,
                    #"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"#
                )
            else { return false }
            let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
            let (year, month, day) = (numbers[0], numbers[1], numbers[2])
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            return (1...12).contains(month) && (1...days[month - 1]).contains(day) && numbers[3] < 24
                && numbers[4] < 60 && numbers[5] <= 60
        default: throw UnknownKeyword(keyword: "format \(format)")
        }
    }
}
