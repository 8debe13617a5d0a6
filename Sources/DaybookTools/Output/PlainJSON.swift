internal import DaybookFormat

/// Appends JSON to bytes. For text that this program makes up itself; what the store holds is printed by `EventPrinter`.
package enum PlainJSON {
    package static func append(string text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    package static func append(integer value: some BinaryInteger, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(value).utf8)
    }

    /// `value / 10^decimals` with its trailing zeroes left out: (1250, 3) is `1.25`.
    package static func append(decimal value: Int, decimals: Int, to bytes: inout [UInt8]) {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = Int(value.magnitude)
        append(integer: magnitude / scale, to: &bytes)
        var rest = magnitude % scale
        guard rest > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        while rest > 0 {
            scale /= 10
            bytes.append(UInt8(ascii: "0") + UInt8(rest / scale))
            rest %= scale
        }
    }
}

/// Builds one JSON object, fields in the order of the calls.
package struct JSONObjectWriter: Sendable {
    package private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var isEmpty = true

    package init(byteCapacity: Int = 512) { bytes.reserveCapacity(byteCapacity) }

    package mutating func key(_ name: String) {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        PlainJSON.append(string: name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    package mutating func field(_ name: String, _ text: String) {
        key(name)
        PlainJSON.append(string: text, to: &bytes)
    }

    package mutating func field(_ name: String, _ value: some BinaryInteger) {
        key(name)
        PlainJSON.append(integer: value, to: &bytes)
    }

    package mutating func field(_ name: String, _ value: Bool) {
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Three decimals are enough for a measured value that people read.
    package mutating func field(_ name: String, _ value: Double) {
        key(name)
        guard value.isFinite, value.magnitude < 1e15 else {
            bytes.append(contentsOf: "null".utf8)
            return
        }
        PlainJSON.append(decimal: Int((value * 1_000).rounded()), decimals: 3, to: &bytes)
    }

    package mutating func field(_ name: String, decimal value: Int, decimals: Int) {
        key(name)
        PlainJSON.append(decimal: value, decimals: decimals, to: &bytes)
    }

    package mutating func field(_ name: String, strings: [String]) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        for (index, text) in strings.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            PlainJSON.append(string: text, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// `json` is a JSON value already.
    package mutating func field(_ name: String, json: [UInt8]) {
        key(name)
        bytes.append(contentsOf: json)
    }

    /// The finished object.
    package consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
