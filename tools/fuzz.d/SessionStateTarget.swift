import DaybookEvent
import DaybookFormat

/// The input is the state of a session as carry files have it. One that is accepted is written again and read to the same
/// state, and answers what sessions are asked.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzSessionState(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let state = read(input) else { return 0 }
    let written = state.encoded()
    precondition(read(written) == state && read(written)?.encoded() == written, "a state changes when it is written")
    let now = Timestamp(microseconds: 1_780_000_000_000_000)
    _ = state.status(at: now, idleMicroseconds: Limits.sessionIdleMicroseconds)
    _ = state.isEnded(at: now, idleMicroseconds: Limits.sessionIdleMicroseconds)
    _ = state.totalDurationNanoseconds
    return 0
}

private func read(_ bytes: [UInt8]) -> SessionState? {
    try? bytes.withRawSpan { (span) throws(FormatError) in try SessionState(reading: span) }
}
