package import DaybookFormat

/// Writes the fields of one JSON object in the order they are given. For small answers; Complexity: O(bytes) for each
/// level of nesting.
package struct JSONObjectText {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var isFirst = true

    package init() {}

    private mutating func key(_ name: String) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    package mutating func field(_ name: String, _ text: String) {
        key(name)
        JSONText.append(text, to: &bytes)
    }

    package mutating func field(_ name: String, _ number: UInt64) {
        key(name)
        bytes.append(decimal: number)
    }

    package mutating func field(_ name: String, _ value: Bool) {
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Nil is null.
    package mutating func field(_ name: String, _ time: Timestamp?) {
        key(name)
        guard let time else { return bytes.append(contentsOf: "null".utf8) }
        bytes.append(UInt8(ascii: "\""))
        TimestampText.append(time, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func field(_ name: String, _ texts: [String]) {
        key(name)
        array(texts) { text, bytes in JSONText.append(text, to: &bytes) }
    }

    /// - Parameter json: a JSON value; nil is null.
    package mutating func field(_ name: String, json: [UInt8]?) {
        key(name)
        bytes.append(contentsOf: json ?? Array("null".utf8))
    }

    package mutating func object(_ name: String, _ describe: (inout JSONObjectText) -> Void) {
        key(name)
        var object = JSONObjectText()
        describe(&object)
        bytes.append(contentsOf: object.finished())
    }

    package mutating func list<Element>(
        _ name: String, _ elements: [Element], _ describe: (Element, inout JSONObjectText) -> Void
    ) {
        key(name)
        array(elements) { element, bytes in
            var item = JSONObjectText()
            describe(element, &item)
            bytes.append(contentsOf: item.finished())
        }
    }

    private mutating func array<Element>(_ elements: [Element], _ append: (Element, inout [UInt8]) -> Void) {
        bytes.append(UInt8(ascii: "["))
        for (position, element) in elements.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            append(element, &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    package func finished() -> [UInt8] { bytes + [UInt8(ascii: "}")] }
}
