import DaybookFormat
import DaybookTestSupport
import Testing

struct ByteReaderTests {
    @Test func integersAreLittleEndian() throws {
        let bytes: [UInt8] = [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE,
        ]
        let span = bytes.span.bytes
        var reader = ByteReader()
        #expect(try reader.uint8(span) == 0x01)
        #expect(try reader.uint16(span) == 0x0302)
        #expect(try reader.uint32(span) == 0x0706_0504)
        #expect(try reader.uint64(span) == 0x0F0E_0D0C_0B0A_0908)
        #expect(try reader.int64(span) == Int64(bitPattern: 0xFEFF_FFFF_FFFF_FFFF))
        #expect(reader.offset == bytes.count)
    }

    @Test func writtenIntegersAreReadBack() throws {
        var random = SeededRandom(seed: 4)
        for _ in 0..<1_000 {
            let word = random.next() >> UInt64.random(in: 0...63, using: &random)
            var bytes: [UInt8] = []
            bytes.append(UInt8(truncatingIfNeeded: word))
            bytes.append(littleEndian: UInt16(truncatingIfNeeded: word))
            bytes.append(littleEndian: UInt32(truncatingIfNeeded: word))
            bytes.append(littleEndian: word)
            bytes.append(littleEndian: Int64(bitPattern: word))
            bytes.append(varint: word)
            let span = bytes.span.bytes
            var reader = ByteReader()
            #expect(try reader.uint8(span) == UInt8(truncatingIfNeeded: word))
            #expect(try reader.uint16(span) == UInt16(truncatingIfNeeded: word))
            #expect(try reader.uint32(span) == UInt32(truncatingIfNeeded: word))
            #expect(try reader.uint64(span) == word)
            #expect(try reader.int64(span) == Int64(bitPattern: word))
            #expect(try reader.varint(span) == word)
            #expect(reader.offset == bytes.count)
        }
    }

    /// Every read, at every place from which it would reach past the end: an error, and the reader stays where it was.
    @Test(arguments: 0...9, 0...9)
    func aReadNeverReachesPastTheEnd(byteCount: Int, offset: Int) {
        let bytes = [UInt8](repeating: 0x80, count: byteCount)
        let span = bytes.span.bytes
        func expectTruncation(_ needed: Int, _ read: (inout ByteReader) throws(FormatError) -> Void) {
            var reader = ByteReader(at: offset)
            do throws(FormatError) {
                try read(&reader)
                #expect(offset + needed <= byteCount)
                #expect(reader.offset == offset + needed)
            } catch {
                #expect(offset + needed > byteCount)
                #expect(error == .truncated(needed: needed, found: max(0, byteCount - offset)))
                #expect(reader.offset == offset)
            }
        }
        expectTruncation(1) { reader throws(FormatError) in _ = try reader.uint8(span) }
        expectTruncation(2) { reader throws(FormatError) in _ = try reader.uint16(span) }
        expectTruncation(4) { reader throws(FormatError) in _ = try reader.uint32(span) }
        expectTruncation(8) { reader throws(FormatError) in _ = try reader.uint64(span) }
        expectTruncation(3) { reader throws(FormatError) in _ = try reader.range(3, span) }
    }

    @Test func aVarintThatDoesNotEndIsTruncatedAndMovesNothing() {
        for count in 0...9 {
            let bytes: [UInt8] = [UInt8](repeating: 0x80, count: count)
            let span = bytes.span.bytes
            var reader = ByteReader()
            #expect(throws: FormatError.truncated(needed: 1, found: 0)) { try reader.varint(span) }
            #expect(reader.offset == 0)
        }
    }

    @Test func aNegativeLengthIsRefused() {
        let bytes: [UInt8] = [1, 2, 3]
        let span = bytes.span.bytes
        var reader = ByteReader(at: 1)
        #expect(throws: FormatError.truncated(needed: -1, found: 2)) { try reader.range(-1, span) }
        #expect(reader.offset == 1)
    }
}

struct VarintTests {
    static let encodings: [(UInt64, [UInt8])] = [
        (0, [0x00]),
        (1, [0x01]),
        (127, [0x7F]),
        (128, [0x80, 0x01]),
        (300, [0xAC, 0x02]),
        (16_383, [0xFF, 0x7F]),
        (16_384, [0x80, 0x80, 0x01]),
        (1 << 63, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
        (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
    ]

    @Test(arguments: encodings)
    func aValueHasOneEncoding(value: UInt64, expected: [UInt8]) throws {
        var bytes: [UInt8] = []
        bytes.append(varint: value)
        #expect(bytes == expected)
        let span = bytes.span.bytes
        var reader = ByteReader()
        #expect(try reader.varint(span) == value)
        #expect(reader.offset == bytes.count)
    }

    static let mistakes: [[UInt8]] = [
        [0x80, 0x00],
        [0xFF, 0x00],
        [0x80, 0x80, 0x00],
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0x00],
    ]

    @Test(arguments: mistakes)
    func aLongerFormOrAnOverflowIsInvalid(bytes: [UInt8]) {
        let span = bytes.span.bytes
        var reader = ByteReader()
        #expect(throws: FormatError.invalid("varint")) { try reader.varint(span) }
        #expect(reader.offset == 0)
    }

    @Test func aPrefixedRangeCoversWhatItsLengthSays() throws {
        var bytes: [UInt8] = [9]
        bytes.append(lengthPrefixed: "héllo")
        bytes.append(lengthPrefixed: "")
        let span = bytes.span.bytes
        var reader = ByteReader(at: 1)
        let first = try reader.lengthPrefixedRange(span)
        #expect(span.text(first) == "héllo")
        #expect(span.toArray(first) == Array("héllo".utf8))
        let second = try reader.lengthPrefixedRange(span)
        #expect(second.isEmpty)
        #expect(reader.offset == bytes.count)
    }

    @Test func aLengthBeyondTheEndOrBeyondAnyMemoryIsTruncated() {
        var beyondMemory: [UInt8] = []
        beyondMemory.append(varint: .max)
        for bytes in [[5, 1, 2, 3, 4], beyondMemory] {
            let span = bytes.span.bytes
            var reader = ByteReader()
            #expect(throws: FormatError.self) { try reader.lengthPrefixedRange(span) }
            #expect(reader.offset == 0)
        }
    }
}

struct ByteWriterTests {
    @Test func storedIntegersReplaceBytesInPlace() {
        var bytes = [UInt8](repeating: 0xAA, count: 8)
        bytes.store(littleEndian: 0x0403_0201 as UInt32, at: 2)
        #expect(bytes == [0xAA, 0xAA, 1, 2, 3, 4, 0xAA, 0xAA])
    }

    @Test func storingPastTheEndIsABug() async {
        await #expect(processExitsWith: .failure) {
            var bytes = [UInt8](repeating: 0, count: 8)
            bytes.store(littleEndian: 1 as UInt32, at: 5)
        }
    }

    @Test func illFormedTextIsReplacedNotTrapped() {
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        let span = bytes.span.bytes
        #expect(span.text(0..<3) == "a\u{FFFD}b")
    }
}
