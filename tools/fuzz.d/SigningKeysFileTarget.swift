import DaybookFormat

@testable import DaybookControl

/// The input is a signing keys file whose checksum is 0, as it is taken for sound here. One that is accepted is written
/// again to the very same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSigningKeysFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        let file = try? input.withRawSpan { (bytes) throws(FormatError) in try SigningKeysFile(reading: bytes) }
        guard let file else { return }
        precondition(file.encoded() == input, "another file of the same content")
        precondition(Set(file.keys.map(\.name)).count == file.keys.count, "two keys of one name")
    }
    return 0
}
