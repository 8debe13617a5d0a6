import CLZ4
import CZlib

/// Packs bytes as clients do.
package enum Packer {
    /// One gzip member.
    package static func gzip(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8] {
        var stream = z_stream()
        let status = deflateInit2_(
            &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK)
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 32)
        let count = output.count
        let left = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(count)
                precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Int(stream.avail_out)
            }
        }
        output.removeLast(left)
        return output
    }

    /// One LZ4 frame with a checksum of the content.
    /// - Parameter blockSize: 4 for 64 KiB, 5, 6, or 7 for 4 MiB.
    package static func lz4(_ bytes: [UInt8], blockSize: UInt32 = 4, areLinked: Bool = true) -> [UInt8] {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_blockSizeID_t(rawValue: blockSize)
        preferences.frameInfo.blockMode = areLinked ? LZ4F_blockLinked : LZ4F_blockIndependent
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        var output = [UInt8](repeating: 0, count: LZ4F_compressFrameBound(bytes.count, &preferences) + 64)
        let count = output.count
        let written = output.withUnsafeMutableBytes { output in
            bytes.withUnsafeBytes { input in
                // A frame shrinks its blocks to what it knows to be enough, and says so; here the size is wanted as it is.
                var context: OpaquePointer?
                precondition(LZ4F_isError(LZ4F_createCompressionContext(&context, UInt32(LZ4F_VERSION))) == 0)
                defer { LZ4F_freeCompressionContext(context) }
                var position = LZ4F_compressBegin(context, output.baseAddress, count, &preferences)
                precondition(LZ4F_isError(position) == 0)
                let room = output.baseAddress?.advanced(by: position)
                let body = LZ4F_compressUpdate(context, room, count - position, input.baseAddress, input.count, nil)
                precondition(LZ4F_isError(body) == 0)
                position += body
                let end = LZ4F_compressEnd(context, output.baseAddress?.advanced(by: position), count - position, nil)
                precondition(LZ4F_isError(end) == 0)
                return position + end
            }
        }
        output.removeLast(count - written)
        return output
    }
}
