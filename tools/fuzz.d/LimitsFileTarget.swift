import DaybookControl
import DaybookFormat
import DaybookStore

/// The input is a limits file whose checksum is 0, as it is taken for sound here. One that is accepted is written again to
/// the very same bytes, and a server that takes it over goes on counting.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzLimitsFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        let file = try? input.withRawSpan { (bytes) throws(FormatError) in try LimitsFile(reading: bytes) }
        guard let file else { return }
        precondition(file.encoded() == input, "another file of the same content")
        let limiter = RateLimiter()
        let now = Timestamp(microseconds: 1_780_000_000_000_000)
        limiter.restore(file, at: 5_000_000_000, now)
        let policy = RateLimitPolicy(.own, ownRequestsPerMinute: 100)
        for account in file.accounts {
            for second in 6..<70 as Range<UInt64> {
                _ = limiter.admit(account.kind, of: account.organization, policy, at: second * 1_000_000_000)
            }
        }
        let again = limiter.remembered(at: 80_000_000_000, now).encoded()
        let isRead = (try? again.withRawSpan { (bytes) throws(FormatError) in try LimitsFile(reading: bytes) }) != nil
        precondition(isRead, "what is remembered is not read")
    }
    return 0
}
