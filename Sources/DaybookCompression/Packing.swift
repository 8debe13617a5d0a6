/// How the body of a request is packed.
package enum Packing: Sendable, Equatable, CaseIterable {
    /// RFC 1952: one member or several.
    case gzip
    /// LZ4 frames, one or several. Spec: lz4_Frame_format.md of the LZ4 project, version 1.6.
    case lz4

    /// Nil for a content coding that is not understood.
    /// - Parameter contentCoding: in lower case.
    package init?(contentCoding: String) {
        switch contentCoding {
        case "gzip", "x-gzip": self = .gzip
        case "lz4": self = .lz4
        default: return nil
        }
    }
}

/// Why bytes cannot be unpacked.
package enum UnpackError: Error, Sendable, Equatable {
    /// They are not what their format says, or their checksum is wrong.
    case malformed
    /// A frame has larger blocks than allowed, each of which would have to be held in memory as a whole.
    case blockTooLarge(byteCountMax: Int)
    /// The library has no memory.
    case outOfMemory
}

/// Unpacks a stream piece by piece, in memory that the format bounds. Not for several threads.
package protocol Unpacker: AnyObject {
    /// Takes bytes of the stream and appends what they unpack to.
    /// - Parameter byteCountMax: of what is appended; at least 1.
    /// - Returns: how many bytes were taken. More may follow without input while `hasMore` is true.
    /// - Throws: then the stream is of no further use.
    func unpack(_ input: RawSpan, to output: inout [UInt8], byteCountMax: Int) throws(UnpackError) -> Int

    /// Whether the last call had no room for everything.
    var hasMore: Bool { get }

    /// Whether the stream may end here: behind a member or a frame.
    var mayEnd: Bool { get }
}

extension Packing {
    /// - Parameter blockByteCountMax: of LZ4; the format knows blocks of 64 KiB to 4 MiB, of which two are in memory.
    /// - Throws: `outOfMemory`.
    package func unpacker(blockByteCountMax: Int = 4 << 20) throws(UnpackError) -> any Unpacker {
        switch self {
        case .gzip: try GzipUnpacker()
        case .lz4: try LZ4FrameUnpacker(blockByteCountMax: blockByteCountMax)
        }
    }

    /// Bytes that an unpacker keeps, at most.
    package func memoryByteCount(blockByteCountMax: Int) -> Int {
        switch self {
        case .gzip: 48 << 10
        // A block as it came, a block unpacked, and what linked blocks look back on.
        case .lz4: 2 * blockByteCountMax + (192 << 10)
        }
    }
}
