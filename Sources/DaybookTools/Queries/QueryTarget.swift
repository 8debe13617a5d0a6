internal import DaybookEvent
internal import DaybookFormat

/// Builds path and query of a question.
struct QueryTarget: Sendable {
    private(set) var text: String

    init(_ path: String) { text = "/api/v1/metrics/" + path }

    mutating func add(_ name: String, _ value: String) {
        text += text.contains("?") ? "&" : "?"
        text += name + "=" + Self.escaped(value)
    }

    mutating func add(_ name: String, _ time: Timestamp) {
        var bytes: [UInt8] = []
        TimestampText.append(time, to: &bytes)
        add(name, String(decoding: bytes, as: UTF8.self))
    }

    /// Everything but letters, digits and `-._` as `%XX`.
    private static func escaped(_ value: String) -> String {
        var bytes: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
