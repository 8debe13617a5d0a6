import DaybookFormat

@testable import DaybookControl

/// The input is a configuration file. Whatever it is, each setting is told once and each problem with its line; what was
/// read is written again and read to the same settings.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzConfigurationDocument(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let document = ConfigurationDocument(parsing: input)
    let lineCount = 1 + input.count { $0 == UInt8(ascii: "\n") }
    precondition(Set(document.entries.map(\.name)).count == document.entries.count, "a setting twice")
    precondition(document.entries.allSatisfy { (1...lineCount).contains($0.line) }, "a line that is not there")
    precondition(document.problems.allSatisfy { (1...lineCount).contains($0.line) }, "a line that is not there")
    let text = document.entries.map { "\($0.name) = \(written($0.value))\n" }.joined()
    let again = ConfigurationDocument(parsing: Array(text.utf8))
    precondition(again.problems.isEmpty, "what was read cannot be written")
    precondition(again.entries.map(\.name) == document.entries.map(\.name), "other settings")
    precondition(again.entries.map(\.value) == document.entries.map(\.value), "other values")
    return 0
}

private func written(_ value: ConfigurationValue) -> String {
    guard case .text(let text) = value else { return value.description }
    let escaped = text.unicodeScalars.map { scalar in
        let isPlain = scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "\\"
        return isPlain ? String(Character(scalar)) : "\\U" + hexText(UInt64(scalar.value), width: 8)
    }
    return "\"\(escaped.joined())\""
}
