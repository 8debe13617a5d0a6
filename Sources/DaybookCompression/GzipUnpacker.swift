private import CZlib

/// gzip by zlib.
@safe final class GzipUnpacker: Unpacker {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isInside = false
    private var hasBegun = false
    private(set) var hasMore = false

    /// The largest window, in a gzip wrapper and no other.
    private static let windowBits: Int32 = 15 + 16

    init() throws(UnpackError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(
            stream, Self.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    var mayEnd: Bool { hasBegun && !isInside }

    func unpack(_ input: RawSpan, to output: inout [UInt8], byteCountMax: Int) throws(UnpackError) -> Int {
        precondition(byteCountMax > 0)
        guard input.byteCount > 0 || hasMore else { return 0 }
        if !isInside {
            // A member ends where its checksum does; what follows is the next one.
            unsafe inflateReset(stream)
            isInside = true
            hasBegun = true
        }
        let start = output.count
        var status = Z_OK
        var leftByteCount = input.byteCount
        output.append(addingCapacity: byteCountMax) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                unsafe input.withUnsafeBytes { source in
                    // zlib does not write to its input, and reads nothing of an empty one.
                    unsafe stream.pointee.next_in = UnsafeMutablePointer(
                        mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                    unsafe stream.pointee.avail_in = UInt32(clamping: source.count)
                    unsafe stream.pointee.next_out = buffer.baseAddress?.advanced(by: count)
                    unsafe stream.pointee.avail_out = UInt32(clamping: byteCountMax)
                    let taken = unsafe stream.pointee.avail_in
                    let room = unsafe stream.pointee.avail_out
                    status = unsafe inflate(stream, Z_NO_FLUSH)
                    leftByteCount -= Int(unsafe taken - stream.pointee.avail_in)
                    count += Int(unsafe room - stream.pointee.avail_out)
                }
            }
        }
        switch status {
        case Z_STREAM_END: isInside = false
        // Nothing to read or no room to write: not an error.
        case Z_OK, Z_BUF_ERROR: break
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .malformed
        }
        hasMore = isInside && output.count - start == byteCountMax
        return input.byteCount - leftByteCount
    }
}
