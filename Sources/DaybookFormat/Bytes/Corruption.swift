/// What is wrong with bytes that were read. A value, never a trap: bytes come from outside.
package enum FormatError: Error, Equatable, Sendable {
    case truncated(needed: Int, found: Int)
    case checksum(expected: UInt32, found: UInt32)
    case badMagic(UInt32)
    case unsupportedVersion(UInt32)
    /// A field holds a value that the format page forbids; the text names the field.
    case invalid(StaticString)

    package static func == (left: FormatError, right: FormatError) -> Bool {
        left.description == right.description
    }
}

extension FormatError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let needed, let found): "truncated: \(needed) bytes needed, \(found) found"
        case .checksum(let expected, let found):
            "checksum \(hexText(UInt64(found), width: 8)), expected \(hexText(UInt64(expected), width: 8))"
        case .badMagic(let magic): "unknown magic number \(hexText(UInt64(magic), width: 8))"
        case .unsupportedVersion(let version): "format version \(version) is not supported"
        case .invalid(let field): "invalid \(field)"
        }
    }
}

/// Damage with its place.
package struct Corruption: Error, Equatable, Sendable, CustomStringConvertible {
    /// Path relative to the data directory.
    package var file: String
    package var offset: UInt64
    package var reason: FormatError

    package init(file: String, offset: UInt64, reason: FormatError) {
        self.file = file
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "\(file) at offset \(offset): \(reason)" }
}
