/// One line of `inspect`: what it is about, and its figures in order.
package struct InspectRecord: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case number(UInt64)
        case signed(Int64)
        case text(String)
        case flag(Bool)
    }

    package var kind: String
    package private(set) var fields: [(name: String, value: Value)] = []

    package init(_ kind: String) { self.kind = kind }

    package mutating func add(_ name: String, _ value: UInt64) { fields.append((name, .number(value))) }
    package mutating func add(_ name: String, _ value: Int) { fields.append((name, .signed(Int64(value)))) }
    package mutating func add(_ name: String, _ value: String) { fields.append((name, .text(value))) }
    package mutating func add(_ name: String, _ value: Bool) { fields.append((name, .flag(value))) }

    mutating func add(fieldsOf other: InspectRecord) { fields += other.fields }

    package static func == (left: InspectRecord, right: InspectRecord) -> Bool {
        left.kind == right.kind
            && left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    /// `{"kind":…, …}`.
    package func json() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 256)
        object.field("kind", kind)
        for (name, value) in fields {
            switch value {
            case .number(let number): object.field(name, number)
            case .signed(let number): object.field(name, number)
            case .text(let text): object.field(name, text)
            case .flag(let flag): object.field(name, flag)
            }
        }
        return object.finish()
    }

    /// `kind  name value, name value`.
    package func line() -> String {
        let parts = fields.map { name, value in
            let text =
                switch value {
                case .number(let number): String(number)
                case .signed(let number): String(number)
                case .text(let text): text
                case .flag(let flag): flag ? "yes" : "no"
                }
            return "\(name.replacing("_", with: " ")) \(text)"
        }
        return kind + String(repeating: " ", count: max(2, 12 - kind.count)) + parts.joined(separator: ", ")
    }
}
