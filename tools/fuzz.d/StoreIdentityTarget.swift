import DaybookFormat

/// The input is an identity file whose checksum is 0, as it is taken for sound here. One that is accepted is written again to
/// the very same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzStoreIdentity(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        let found = try? input.withRawSpan { (bytes) throws(FormatError) in try StoreIdentity(reading: bytes) }
        guard let found else { return }
        precondition(found.encoded() == input, "another identity of the same content")
    }
    return 0
}
