import DaybookControl

/// The input is the body of an administrative request. Whatever it is, it is one document or refused.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzControlDocument(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let document = try? ControlDocument(parsing: input) else { return 0 }
    precondition((try? ControlDocument(parsing: input)) == document, "the same bytes mean something else")
    // Space around a document means nothing.
    precondition((try? ControlDocument(parsing: [0x20, 0x0A] + input + [0x09])) == document, "space has a meaning")
    return 0
}
