internal import DaybookFormat

/// Reads pages of integers. Keeps its scratch memory between pages. Nothing read is trusted: counts, widths and lengths
/// are checked before memory is touched.
struct IntegerPageDecoder {
    private var scratch: [UInt64] = []
    private var lengths: [UInt64] = []

    /// Writes `count` values to `target`, which has room for them.
    mutating func decode(
        _ encoding: PageEncoding, _ payload: UnsafeRawBufferPointer, count: Int, to target: UnsafeMutablePointer<UInt64>
    ) throws(FormatError) {
        var reader = unsafe BlockReader(payload)
        switch encoding {
        case .constant:
            let value = try reader.uint64()
            for index in 0..<count { unsafe target[index] = value }
        case .plain:
            let packed = try unsafe reader.take(BitPacking.byteCount(count, width: 64))
            unsafe BitPacking.unpack(packed, count: count, width: 64, base: 0, to: target)
        case .frameOfReference:
            try unsafe reader.block(count: count, to: target)
        case .delta:
            unsafe target[0] = try reader.uint64()
            try unsafe reader.block(count: count - 1, to: target + 1)
            unsafe Self.addUp(target, count: count)
        case .patched:
            try unsafe reader.patchedBlock(count: count, to: target, positions: &scratch, apart: &lengths)
        case .patchedDelta:
            unsafe target[0] = try reader.uint64()
            try unsafe reader.patchedBlock(count: count - 1, to: target + 1, positions: &scratch, apart: &lengths)
            unsafe Self.addUp(target, count: count)
        case .deltaOfDelta:
            guard count > 2 else { throw .invalid("page encoding") }
            unsafe target[0] = try reader.uint64()
            unsafe target[1] = try reader.uint64()
            try unsafe reader.block(count: count - 2, to: target + 2)
            unsafe Self.addUp(target + 1, count: count - 1)
            unsafe Self.addUp(target, count: count)
        case .runLength:
            try unsafe decodeRuns(&reader, count: count, to: target)
        case .dictionary:
            try unsafe decodeDictionary(&reader, count: count, to: target)
        case .optional, .decimal, .plainBytes, .dictionaryBytes, .footer, .directory:
            throw .invalid("page encoding")
        }
        guard reader.isAtEnd else { throw .invalid("page payload length") }
    }

    /// Turns a first value and differences into values.
    private static func addUp(_ target: UnsafeMutablePointer<UInt64>, count: Int) {
        var sum = unsafe target[0]
        for index in 1..<max(1, count) {
            sum &+= unsafe target[index]
            unsafe target[index] = sum
        }
    }

    private mutating func decodeRuns(
        _ reader: inout BlockReader, count: Int, to target: UnsafeMutablePointer<UInt64>
    ) throws(FormatError) {
        let runCount = Int(try reader.uint32())
        guard runCount >= 1, runCount <= count else { throw .invalid("run count") }
        try reader.block(count: runCount, appendingTo: &scratch)
        try reader.block(count: runCount, appendingTo: &lengths)
        var row = 0
        for run in 0..<runCount {
            guard lengths[run] < UInt64(count - row) else { throw .invalid("run length") }
            let end = row + Int(lengths[run]) + 1
            let value = scratch[run]
            while row < end {
                unsafe target[row] = value
                row += 1
            }
        }
        guard row == count else { throw .invalid("run length") }
    }

    private mutating func decodeDictionary(
        _ reader: inout BlockReader, count: Int, to target: UnsafeMutablePointer<UInt64>
    ) throws(FormatError) {
        let distinctCount = Int(try reader.uint32())
        guard distinctCount >= 1, distinctCount <= count else { throw .invalid("page dictionary count") }
        try reader.block(count: distinctCount, appendingTo: &scratch)
        try unsafe reader.block(count: count, to: target)
        var largest: UInt64 = 0
        for row in 0..<count { largest = max(largest, unsafe target[row]) }
        guard largest < UInt64(distinctCount) else { throw .invalid("page dictionary code") }
        unsafe scratch.withUnsafeBufferPointer { table in
            for row in 0..<count { unsafe target[row] = table[Int(truncatingIfNeeded: target[row])] }
        }
    }
}

/// A checked position in the payload of a page that reads packed blocks.
@safe struct BlockReader {
    private let payload: UnsafeRawBufferPointer
    private(set) var offset = 0

    @unsafe init(_ payload: UnsafeRawBufferPointer) { unsafe self.payload = payload }

    var isAtEnd: Bool { unsafe offset == payload.count }

    /// The next `byteCount` bytes.
    mutating func take(_ byteCount: Int) throws(FormatError) -> UnsafeRawBufferPointer {
        let rest = unsafe payload.count - offset
        guard byteCount >= 0, byteCount <= rest else { throw .truncated(needed: byteCount, found: rest) }
        defer { offset += byteCount }
        return unsafe UnsafeRawBufferPointer(rebasing: payload[offset..<offset + byteCount])
    }

    mutating func takeRest() throws(FormatError) -> UnsafeRawBufferPointer {
        unsafe try take(payload.count - offset)
    }

    mutating func uint8() throws(FormatError) -> UInt8 { unsafe try take(1)[0] }

    mutating func uint32() throws(FormatError) -> UInt32 {
        UInt32(littleEndian: unsafe try take(4).loadUnaligned(as: UInt32.self))
    }

    mutating func uint64() throws(FormatError) -> UInt64 {
        UInt64(littleEndian: unsafe try take(8).loadUnaligned(as: UInt64.self))
    }

    /// A block: base, width, packed values.
    @unsafe mutating func block(count: Int, to target: UnsafeMutablePointer<UInt64>) throws(FormatError) {
        let base = try uint64()
        let width = Int(try uint8())
        guard width <= 64 else { throw .invalid("bit width") }
        let packed = try unsafe take(BitPacking.byteCount(count, width: width))
        unsafe BitPacking.unpack(packed, count: count, width: width, base: base, to: target)
    }

    /// A block that replaces what `values` holds.
    mutating func block(count: Int, appendingTo values: inout [UInt64]) throws(FormatError) {
        if values.count <= count { values.append(contentsOf: repeatElement(0, count: count + 1 - values.count)) }
        // The closure cannot throw our error type through the buffer, so the error is carried out by hand.
        let failure: FormatError? = unsafe values.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return nil }
            do throws(FormatError) {
                try unsafe block(count: count, to: start)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }
}
