import DaybookFormat
import DaybookStore

/// The input is the notes of an erasure with a checksum of 0, as it is taken for sound here. What is accepted is written
/// again to the very same bytes, and makes a certificate.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzErasureProgress(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        let found = try? input.withRawSpan { (bytes) throws(FormatError) in try ErasureProgress(reading: bytes) }
        guard let found else { return }
        precondition(found.encoded() == input, "other notes of the same content")
        let record = ErasureRecord(
            id: found.id, organization: OrganizationID("acme")!, userHash: [UInt8](repeating: 7, count: 32),
            through: 1, begunAt: Timestamp(microseconds: 1_780_000_000_000_000))
        precondition(!ErasureCertificate(record: record, progress: found).json.isEmpty)
    }
    return 0
}
