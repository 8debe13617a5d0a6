internal import DaybookCompression
internal import NIOCore

/// Unpacks what a client sent packed, within bounds that no client can move.
enum PackedBody {
    /// A little takes this much; beyond it what was sent has to pay for what it becomes.
    private static let freeByteCount = 1 << 20
    /// Events as JSON shrink to a tenth or a thirtieth; what becomes two hundred times as much is an attack.
    private static let expansionMax = 200
    private static let pieceByteCount = 64 << 10

    /// Of a stream that goes on for ever; the body of a request has a limit of its own.
    static func isTooMuch(_ unpackedByteCount: Int, from packedByteCount: Int) -> Bool {
        unpackedByteCount > freeByteCount + expansionMax * packedByteCount
    }

    /// The whole body of a request.
    /// - Parameters:
    ///   - byteCountMax: of the body as it becomes.
    ///   - charge: takes bytes from a budget, and says whether that had so many.
    static func unpack(
        _ body: ByteBuffer, _ packing: Packing, byteCountMax: Int, charge: (Int) -> Bool
    ) throws(ErrorResponse) -> [UInt8] {
        var output: [UInt8] = []
        var refusal: ErrorResponse?
        do throws(UnpackError) {
            let unpacker = try packing.unpacker()
            let input = body.readableBytesSpan
            var taken = 0
            while refusal == nil, taken < input.byteCount || unpacker.hasMore {
                let before = (taken, output.count)
                taken += try unpacker.unpack(
                    input.extracting(droppingFirst: taken), to: &output, byteCountMax: pieceByteCount)
                guard (taken, output.count) != before else { throw .malformed }
                if output.count > byteCountMax {
                    refusal = .payloadTooLarge
                } else if !charge(output.count - before.1) {
                    refusal = .overloaded
                }
            }
            guard refusal != nil || unpacker.mayEnd else { throw .malformed }
        } catch {
            refusal = ErrorResponse(error, packing)
        }
        if let refusal { throw refusal }
        return output
    }
}

extension ErrorResponse {
    init(_ error: UnpackError, _ packing: Packing) {
        switch error {
        case .malformed:
            self = .init(
                400, "bad_request", "The body is not what Content-Encoding: \(packing.name) says, or it broke off.")
        case .blockTooLarge(let byteCountMax):
            self = .unsupportedMediaType(
                "LZ4 frames of an import may have blocks of at most \(byteCountMax >> 10) KiB.")
        case .outOfMemory: self = .overloaded
        }
    }
}

extension Packing {
    /// As in `Content-Encoding`.
    var name: String {
        switch self {
        case .gzip: "gzip"
        case .lz4: "lz4"
        }
    }
}
