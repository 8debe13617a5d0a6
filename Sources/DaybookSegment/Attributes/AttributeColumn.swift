internal import DaybookEvent
internal import DaybookFormat

/// The values of one attribute in some rows of a row group.
package struct AttributeColumn: Sendable {
    package enum Values: Sendable {
        /// The row group has no column of the attribute: all values, if any, are in the rest.
        case none
        case codes(CodeColumn)
        case strings(ByteColumn)
        case signed([Int64])
        case unsigned([UInt64])
        case numbers([Double])
        case booleans([Bool])
    }

    package let values: Values
    /// Which rows have a value; nil when all have one. Codes and strings say it themselves.
    package let present: [Bool]?
    /// Whether rows without a value here may have one in the rest of their object. When false, the column is all there
    /// is of the attribute, apart from null, arrays and objects.
    package let mayBeInRest: Bool

    package init(values: Values, present: [Bool]?, mayBeInRest: Bool) {
        self.values = values
        self.present = present
        self.mayBeInRest = mayBeInRest
    }

    /// No column: look at the rest. It also fits rows that never were in a segment.
    package static let none = AttributeColumn(values: .none, present: nil, mayBeInRest: true)

    package func isPresent(_ row: Int) -> Bool {
        switch values {
        case .none: false
        case .codes(let column): column.codes[row] != CodeColumn.missing
        case .strings(let column): column.isPresent(row)
        case .signed, .unsigned, .numbers, .booleans: present?[row] ?? true
        }
    }

    /// Appends what a filter compares with: a string's text, unescaped, or the canonical text of another scalar.
    /// Precondition: the row has a value.
    package func appendText(_ row: Int, to bytes: inout [UInt8]) {
        switch values {
        case .none: preconditionFailure("no column")
        case .codes(let column): column.table.withBytes(of: column.codes[row]) { bytes.append($0) }
        case .strings(let column): column.withBytes(row) { bytes.append($0) }
        case .signed(let numbers):
            if numbers[row] < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(digits: numbers[row].magnitude)
        case .unsigned(let numbers): bytes.append(digits: numbers[row])
        case .numbers(let numbers): bytes.append(canonical: numbers[row])
        case .booleans(let flags): bytes.append(contentsOf: flags[row] ? "true".utf8 : "false".utf8)
        }
    }

    /// Writes the value as it stands in canonical JSON. Precondition: the row has a value.
    func appendJSON(_ row: Int, to text: inout JSONWriter) {
        switch values {
        case .codes(let column): column.table.withBytes(of: column.codes[row]) { text.string($0) }
        case .strings(let column): column.withBytes(row) { text.string($0) }
        case .unsigned(let numbers): text.integer(numbers[row])
        case .signed(let numbers):
            if numbers[row] < 0 { text.raw("-") }
            text.integer(numbers[row].magnitude)
        case .booleans(let flags): text.boolean(flags[row])
        case .none, .numbers:
            var bytes: [UInt8] = []
            appendText(row, to: &bytes)
            text.json(bytes)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(digits value: UInt64) {
        let start = count
        var rest = value
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }

    /// The fewest digits that read back as `value`. Precondition: finite.
    fileprivate mutating func append(canonical value: Double) {
        // A fraction of at most fifteen digits is the only one so short that reads back, whatever made it.
        for scale in 0...6 {
            guard let whole = DecimalScale.scaled(value, by: DecimalScale.power(scale)) else { continue }
            let magnitude = whole.magnitude
            guard magnitude < 1_000_000_000_000_000 else { break }
            if whole < 0 { append(UInt8(ascii: "-")) }
            guard scale > 0 else { return append(digits: UInt64(magnitude)) }
            let divisor = UInt64(DecimalScale.power(scale))
            append(digits: UInt64(magnitude) / divisor)
            append(UInt8(ascii: "."))
            let fraction = UInt64(magnitude) % divisor
            // A digit more in front keeps the zeros behind the point.
            let start = count
            append(digits: divisor + fraction)
            remove(at: start)
            return
        }
        guard let number = EventNumber(value) else { preconditionFailure("not a number") }
        number.appendText(to: &self)
    }
}
