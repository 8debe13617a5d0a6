import DaybookCompression

/// The first byte chooses gzip or LZ4, the second how the packed bytes that follow come in pieces. Whatever they are, they
/// are unpacked or refused, within bounds, and every call takes or gives something.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzUnpacker(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 2 else { return 0 }
    let input = UnsafeRawBufferPointer(start: start, count: count)
    let packing = Packing.allCases[Int(input[0]) % Packing.allCases.count]
    guard let unpacker = try? packing.unpacker(blockByteCountMax: 256 << 10) else { return 0 }
    let pieceByteCount = 1 + Int(input[1])
    let outputByteCountMax = 1 + Int(input[1]) * 16
    var output: [UInt8] = []
    var total = 0
    var position = 2
    // A bomb goes on for long: what comes out is bounded here as it is where requests are read.
    while position < count || unpacker.hasMore, total < 1 << 20 {
        let end = min(count, position + pieceByteCount)
        output.removeAll(keepingCapacity: true)
        let piece = RawSpan(_unsafeBytes: input[position..<end])
        guard let taken = try? unpacker.unpack(piece, to: &output, byteCountMax: outputByteCountMax) else { return 0 }
        precondition(taken >= 0 && taken <= end - position, "more was taken than given")
        precondition(output.count <= outputByteCountMax, "more came out than asked for")
        precondition(taken > 0 || !output.isEmpty, "no progress")
        total += output.count
        position += taken
    }
    _ = unpacker.mayEnd
    return 0
}
