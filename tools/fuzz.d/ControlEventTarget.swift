import DaybookFormat
import DaybookStore

/// The input is one act of the control log. One that is accepted is written again and read to the same act, and a state
/// takes it or refuses it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzControlEvent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let act = read(input) else { return 0 }
    precondition(read(act.encoded()) == act, "an act changes when it is written again")
    var state = ControlState()
    try? state.apply(act)
    try? state.apply(act)
    return 0
}

private func read(_ bytes: [UInt8]) -> ControlEvent? {
    try? bytes.withRawSpan { (span) throws(FormatError) in try ControlEvent(reading: span) }
}
