import DaybookFormat
import DaybookStore

/// The input is a carry file whose checksum is 0, as it is taken for sound here. One that is accepted is written again to
/// the very same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzCarryFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        let carry = try? input.withRawSpan { (bytes) throws(FormatError) in try CarryFile(reading: bytes) }
        guard let carry else { return }
        precondition(carry.encoded() == input, "another file of the same content")
    }
    return 0
}
