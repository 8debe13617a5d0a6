internal import DaybookEvent
internal import DaybookFormat

/// The parameters of one query, read by name, with everything that is wrong with them collected: the client hears of
/// all its errors at once. A parameter that nobody asked for is an error too.
struct QueryParameters {
    private var values: [(name: String, value: String)] = []
    private var known: Set<String> = []
    private(set) var failures: [ErrorResponse.FieldFailure] = []

    /// - Parameter query: what stands behind the question mark.
    init(_ query: String) {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = parts.count > 1 ? Self.decode(parts[1]) : "" else {
                fail(String(decoding: pair, as: UTF8.self), "is not percent-encoded UTF-8")
                continue
            }
            values.append((name, value))
        }
    }

    private static func decode(_ text: some Collection<UInt8>) -> String? {
        guard let bytes = PercentEncoding.decode(text, plusIsSpace: true) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    mutating func fail(_ field: String, _ message: String) {
        guard failures.count < Limits.listedFieldErrorCountMax else { return }
        failures.append(ErrorResponse.FieldFailure(field: field, message: message))
    }

    /// Every value of a parameter that may be repeated, in order.
    mutating func all(_ name: String) -> [String] {
        known.insert(name)
        return values.filter { $0.name == name }.map(\.value)
    }

    /// The value of a parameter that may stand once.
    mutating func single(_ name: String) -> String? {
        let found = all(name)
        if found.count > 1 { fail(name, "must not be repeated") }
        return found.first
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        guard let text = single(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            fail(name, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return value
    }

    /// A number of milliseconds, at least 0, fractions allowed.
    mutating func milliseconds(_ name: String) -> Double? {
        guard let text = single(name) else { return nil }
        guard let value = Double(text), value.isFinite, value >= 0 else {
            fail(name, "must be a number of milliseconds, at least 0")
            return nil
        }
        return value
    }

    mutating func boolean(_ name: String) -> Bool? {
        switch single(name) {
        case nil: return nil
        case "true": return true
        case "false": return false
        default:
            fail(name, "must be true or false")
            return nil
        }
    }

    /// RFC 3339 with any offset, or epoch milliseconds.
    mutating func time(_ name: String) -> Timestamp? {
        guard let text = single(name) else { return nil }
        if let milliseconds = Int64(text) {
            let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
            if !overflow { return Timestamp(microseconds: microseconds) }
        } else if let time = TimestampText.parse(text) {
            return time
        }
        fail(name, "must be an RFC 3339 time or epoch milliseconds")
        return nil
    }

    mutating func choice<Value>(_ name: String, _ choices: [(String, Value)], default fallback: Value) -> Value {
        guard let text = single(name) else { return fallback }
        guard let found = choices.first(where: { $0.0 == text }) else {
            fail(name, "must be one of " + choices.map(\.0).joined(separator: ", "))
            return fallback
        }
        return found.1
    }

    /// The half-open range of `start_date` and `end_date`; by default the 24 h before `now`.
    mutating func range(now: Timestamp) -> Range<Timestamp> {
        let day: Int64 = 24 * 3_600 * 1_000_000
        let start = time("start_date")
        let end = time("end_date") ?? now
        let first = start ?? end.adding(microseconds: -day)
        guard first <= end else {
            fail("start_date", "must not be after end_date")
            return end..<end
        }
        return first..<end
    }

    /// Names of the parameters with a given beginning, such as `context.`, each once, in order.
    func names(withPrefix prefix: String) -> [String] {
        var found: [String] = []
        for (name, _) in values where name.hasPrefix(prefix) && !found.contains(name) { found.append(name) }
        return found
    }

    /// Throws everything that was wrong. Call it when all known parameters have been read.
    mutating func check() throws(ErrorResponse) {
        var unknown: [String] = []
        for (name, _) in values where !known.contains(name) && !unknown.contains(name) { unknown.append(name) }
        for name in unknown { fail(name, "is not a parameter of this query") }
        if !failures.isEmpty { throw .invalid("invalid_query", failures) }
    }
}
