internal import DaybookFormat

/// A value as every source can give it and every printer can show it.
package enum ConfigurationValue: Sendable, Equatable, CustomStringConvertible {
    case integer(Int64)
    case boolean(Bool)
    case text(String)

    package var description: String {
        switch self {
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .text(let text): text
        }
    }
}

/// One setting: its names, what it may be, and which part of `Configuration` it is.
package struct ConfigurationKey: Sendable {
    package enum Form: Sendable, Equatable {
        case integer(ClosedRange<Int64>)
        case boolean
        case choice([String])
        /// Free text; the words say of which form.
        case text(String)
    }

    /// In a file: `section.name`, or a bare name at the top.
    package let name: String
    package let form: Form
    /// A sentence without its full stop.
    package let summary: String
    /// A flag of its own; without one there is still `--set`.
    package var flag: String?
    /// Variables of S4 and S5 that mean the same. The variable of Daybook's own name is stronger.
    package var aliases: [String] = []

    let read: @Sendable (Configuration) -> ConfigurationValue
    /// Takes over a value of the right form, or says what is wrong with it.
    let write: @Sendable (inout Configuration, ConfigurationValue) -> String?

    /// `DAYBOOK_` and the name in capitals, with `_` for the point.
    package var variable: String { "DAYBOOK_" + name.replacing(".", with: "_").uppercased() }

    package func value(in configuration: Configuration) -> ConfigurationValue { read(configuration) }

    /// What it may be, for people.
    package var limits: String {
        switch form {
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .choice(let words): words.joined(separator: ", ")
        case .text(let words): words
        }
    }

    /// What a value of the wrong form is told.
    private var demand: String {
        switch form {
        case .integer(let range): "must be an integer from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "must be true or false"
        case .choice(let words): "must be one of \(words.joined(separator: ", "))"
        case .text(let words): "must be \(words)"
        }
    }

    /// Checks the value and takes it over. Nil, or what is wrong with it, with the limit and the value.
    func apply(_ value: ConfigurationValue, to configuration: inout Configuration) -> String? {
        let fits: Bool
        switch (form, value) {
        case (.integer(let range), .integer(let number)): fits = range.contains(number)
        case (.boolean, .boolean), (.text, .text): fits = true
        case (.choice(let words), .text(let word)): fits = words.contains(word)
        default: fits = false
        }
        guard fits else { return "\(demand), not \(Self.shown(value))." }
        return write(&configuration, value)
    }

    /// The value in the words of a variable or a flag.
    func apply(text: String, to configuration: inout Configuration) -> String? {
        switch form {
        case .integer:
            if let number = Int64(text) { return apply(.integer(number), to: &configuration) }
        case .boolean:
            if let flag = Bool(text) { return apply(.boolean(flag), to: &configuration) }
        case .choice, .text: return apply(.text(text), to: &configuration)
        }
        return "\(demand), not \(Self.shown(.text(text)))."
    }

    /// A wrong value is repeated, short and without control characters: it may be anything.
    static func shown(_ value: ConfigurationValue) -> String {
        guard case .text(let text) = value else { return value.description }
        return "\"\(shownName(text))\""
    }

    /// The same for a name, without quotation marks.
    static func shownName(_ text: String) -> String {
        let printable = text.unicodeScalars.prefix(64).map { scalar in
            scalar.properties.generalCategory == .control ? "?" : String(Character(scalar))
        }
        return printable.joined() + (text.unicodeScalars.count > 64 ? "…" : "")
    }
}

// MARK: - Making keys

extension ConfigurationKey {
    typealias Field<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    /// - Parameter scale: how many units of the field are one unit of the setting. The field must hold the range's
    ///   upper bound times the scale.
    static func integer<Number: FixedWidthInteger & Sendable>(
        _ name: String, _ path: Field<Number>, _ range: ClosedRange<Int64>,
        scale: Number = 1, flag: String? = nil, aliases: [String] = [], _ summary: String
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name, form: .integer(range), summary: summary, flag: flag, aliases: aliases,
            read: { .integer(Int64($0[keyPath: path] / scale)) },
            write: { configuration, value in
                guard case .integer(let number) = value else { return nil }
                configuration[keyPath: path] = Number(number) * scale
                return nil
            })
    }

    static func boolean(
        _ name: String, _ path: Field<Bool>, _ summary: String
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name, form: .boolean, summary: summary, read: { .boolean($0[keyPath: path]) },
            write: { configuration, value in
                if case .boolean(let flag) = value { configuration[keyPath: path] = flag }
                return nil
            })
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: Field<Choice>, flag: String? = nil,
        aliases: [String] = [], _ summary: String
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name, form: .choice(Choice.allCases.map(\.rawValue)), summary: summary, flag: flag, aliases: aliases,
            read: { .text($0[keyPath: path].rawValue) },
            write: { configuration, value in
                if case .text(let word) = value, let choice = Choice(rawValue: word) {
                    configuration[keyPath: path] = choice
                }
                return nil
            })
    }
}
