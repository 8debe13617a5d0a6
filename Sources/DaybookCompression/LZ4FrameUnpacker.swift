private import CLZ4

/// LZ4 frames by liblz4.
@safe final class LZ4FrameUnpacker: Unpacker {
    private let context: OpaquePointer
    private let blockByteCountMax: Int
    /// The beginning of a frame until its header is complete: only the header tells how large the blocks are, and liblz4
    /// takes the memory for them with the next byte.
    private var header: [UInt8] = []
    private var isInside = false
    private var hasBegun = false
    private(set) var hasMore = false

    init(blockByteCountMax: Int) throws(UnpackError) {
        var made: OpaquePointer?
        let status = unsafe LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(status) == 0, let made = unsafe made else { throw .outOfMemory }
        unsafe context = made
        self.blockByteCountMax = blockByteCountMax
    }

    deinit { unsafe _ = LZ4F_freeDecompressionContext(context) }

    var mayEnd: Bool { hasBegun && !isInside && header.isEmpty }

    func unpack(_ input: RawSpan, to output: inout [UInt8], byteCountMax: Int) throws(UnpackError) -> Int {
        precondition(byteCountMax > 0)
        var taken = 0
        if !isInside {
            hasMore = false
            taken = try takeHeader(input)
            guard isInside else { return taken }
        }
        guard taken < input.byteCount || hasMore else { return taken }
        let start = output.count
        var status = 0
        var sourceByteCount = input.byteCount - taken
        output.append(addingCapacity: byteCountMax) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                unsafe input.extracting(droppingFirst: taken).withUnsafeBytes { source in
                    var targetByteCount = byteCountMax
                    status = unsafe LZ4F_decompress(
                        context, buffer.baseAddress?.advanced(by: count), &targetByteCount, source.baseAddress,
                        &sourceByteCount, nil)
                    if LZ4F_isError(status) == 0 { count += targetByteCount }
                }
            }
        }
        guard LZ4F_isError(status) == 0 else { throw .malformed }
        if status == 0 { isInside = false }
        hasMore = isInside && output.count - start == byteCountMax
        return taken + sourceByteCount
    }

    /// Takes what belongs to the header of a frame; once it is complete the frame has begun.
    private func takeHeader(_ input: RawSpan) throws(UnpackError) -> Int {
        var taken = 0
        while true {
            let wanted = try headerByteCount()
            while header.count < wanted {
                guard taken < input.byteCount else { return taken }
                header.append(unsafe input.unsafeLoad(fromByteOffset: taken, as: UInt8.self))
                taken += 1
            }
            if try headerByteCount() <= header.count { break }
        }
        var info = LZ4F_frameInfo_t()
        var byteCount = header.count
        let status = unsafe header.withUnsafeBytes { bytes in
            unsafe LZ4F_getFrameInfo(context, &info, bytes.baseAddress, &byteCount)
        }
        guard LZ4F_isError(status) == 0, byteCount == header.count, info.dictID == 0 else { throw .malformed }
        // 4 stands for 64 KiB, and each further one for four times as much.
        let exponent = max(0, Int(info.blockSizeID.rawValue) - 4)
        guard 65_536 << (2 * exponent) <= blockByteCountMax else {
            throw .blockTooLarge(byteCountMax: blockByteCountMax)
        }
        header = []
        isInside = true
        hasBegun = true
        return taken
    }

    /// Of the header whose first bytes are there.
    private func headerByteCount() throws(UnpackError) -> Int {
        guard header.count >= LZ4F_MIN_SIZE_TO_KNOW_HEADER_LENGTH else {
            return Int(LZ4F_MIN_SIZE_TO_KNOW_HEADER_LENGTH)
        }
        let wanted = unsafe header.withUnsafeBytes { bytes in unsafe LZ4F_headerSize(bytes.baseAddress, bytes.count) }
        guard LZ4F_isError(wanted) == 0 else { throw .malformed }
        return wanted
    }
}
