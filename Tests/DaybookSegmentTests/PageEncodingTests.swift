import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

struct IntegerPageTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var name: String
        var encoding: PageEncoding
        var values: [UInt64]
        var testDescription: String { name }
    }

    static let samples: [Sample] = {
        var random = SeededRandom(seed: 5)
        let far = (0..<8_192).map { _ in random.next() }
        let few = (0..<8_192).map { _ in far[random.below(5)] }
        return [
            Sample(name: "one value", encoding: .constant, values: [7]),
            Sample(name: "all equal", encoding: .constant, values: [UInt64](repeating: .max, count: 8_192)),
            Sample(name: "two extremes", encoding: .plain, values: [0, .max]),
            Sample(name: "random words", encoding: .plain, values: far),
            Sample(name: "few far values", encoding: .dictionary, values: few),
            Sample(name: "rising by one", encoding: .delta, values: (0..<8_192).map { 1 << 40 + $0 }),
            Sample(name: "falling by three", encoding: .delta, values: (0..<8_192).map { 1 << 40 - 3 * $0 }),
            Sample(
                name: "wrapping around", encoding: .delta, values: (0..<8_192).map { UInt64.max - 4_000 &+ $0 &* 2 }),
            Sample(
                name: "faster and faster", encoding: .deltaOfDelta,
                values: (0..<8_192).map { 1 << 50 + 9 * $0 * $0 + UInt64(random.below(3)) }),
            Sample(
                name: "around and around", encoding: .deltaOfDelta,
                values: (0..<500).map { $0 &* $0 &* (1 << 47 + 1) }),
            Sample(
                name: "small noise over a large base", encoding: .frameOfReference,
                values: (0..<8_191).map { _ in 1 << 62 + UInt64(random.below(1_000)) }),
            Sample(
                name: "runs of far values", encoding: .runLength,
                values: (0..<8_192).map { far[$0 / 64 * 64] }),
        ]
    }()

    @Test(arguments: samples)
    func valuesComeBackFromTheEncodingThatFitsThem(sample: Sample) throws {
        let (encoding, payload, zone) = PageCoding.encode(sample.values)
        #expect(encoding == sample.encoding)
        #expect(try PageCoding.decode(encoding, payload, count: sample.values.count) == sample.values)
        #expect(zone.min == sample.values.min())
        #expect(zone.max == sample.values.max())
    }

    @Test(arguments: 0...64)
    func everyWidthComesBackAtEveryCount(width: Int) throws {
        var random = SeededRandom(seed: UInt64(width))
        let mask: UInt64 = width == 64 ? .max : 1 << UInt64(width) - 1
        for count in [1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 1_000] {
            let base = random.next()
            let values = (0..<count).map { _ in base &+ random.next() & mask }
            var packed: [UInt8] = []
            values.withUnsafeBufferPointer { BitPacking.append($0, base: base, width: width, to: &packed) }
            #expect(packed.count == BitPacking.byteCount(count, width: width))
            var found = [UInt64](repeating: 0, count: count)
            packed.withUnsafeBytes { source in
                found.withUnsafeMutableBufferPointer {
                    BitPacking.unpack(source, count: count, width: width, base: base, to: $0.baseAddress!)
                }
            }
            #expect(found == values)
        }
    }

    @Test func signedExtremesHaveASignedZone() throws {
        let values = [Int64.min, -1, 0, .max].map { UInt64(bitPattern: $0) }
        let (encoding, payload, zone) = PageCoding.encode(values, signed: true)
        #expect(Int64(bitPattern: zone.min) == .min)
        #expect(Int64(bitPattern: zone.max) == .max)
        #expect(try PageCoding.decode(encoding, payload, count: 4) == values)
    }

    @Test func smallNegativeNumbersPackAsTightlyAsPositiveOnes() {
        var random = SeededRandom(seed: 9)
        let values = (0..<1_000).map { _ in UInt64(bitPattern: Int64(random.below(1_000)) - 500) }
        let (encoding, payload, _) = PageCoding.encode(values, signed: true)
        #expect(encoding == .frameOfReference)
        #expect(payload.count == 9 + 10 * 1_000 / 8 + 6)
    }

    @Test(arguments: [
        PageEncoding.constant, .plain, .runLength, .frameOfReference, .delta, .dictionary, .deltaOfDelta,
    ])
    func aTruncatedOrPaddedPayloadIsRefused(encoding: PageEncoding) throws {
        let sample = try #require(Self.samples.first { $0.encoding == encoding })
        let (_, payload, _) = PageCoding.encode(sample.values)
        let count = sample.values.count
        for kept in [0, 1, 7, payload.count / 2, payload.count - 1] {
            #expect(throws: FormatError.self) {
                try PageCoding.decode(encoding, Array(payload.prefix(kept)), count: count)
            }
        }
        #expect(throws: FormatError.invalid("page payload length")) {
            try PageCoding.decode(encoding, payload + [0], count: count)
        }
    }

    @Test(arguments: 1...2)
    func twoValuesHaveNoDifferenceOfDifferences(count: Int) {
        let payload = [UInt8](repeating: 0, count: 25)
        #expect(throws: FormatError.invalid("page encoding")) {
            try PageCoding.decode(.deltaOfDelta, payload, count: count)
        }
    }

    @Test func anyStepsComeBack() throws {
        var random = SeededRandom(seed: 78)
        var seen = 0
        for _ in 0..<300 {
            var step = random.next() >> UInt64(random.below(60))
            var value = random.next()
            let noise = 1 + random.below(40)
            let values = (0..<3 + random.below(200)).map { _ in
                step &+= UInt64(random.below(noise)) &- UInt64(noise / 2)
                value &+= step
                return value
            }
            let (encoding, payload, _) = PageCoding.encode(values, signed: random.oneIn(2), patches: random.oneIn(2))
            if encoding == .deltaOfDelta { seen += 1 }
            try #require(try PageCoding.decode(encoding, payload, count: values.count) == values)
        }
        #expect(seen > 50)
    }

    /// Whatever the bytes, the decoder answers with values or an error and touches nothing beyond its room.
    @Test func garbageNeverTraps() {
        var random = SeededRandom(seed: 77)
        for _ in 0..<20_000 {
            let encoding = PageEncoding.allCases[random.below(PageEncoding.allCases.count)]
            var payload = random.bytes(random.below(80))
            // Small leading counts reach further than random ones.
            if payload.count > 4, random.oneIn(2) {
                payload.replaceSubrange(0..<4, with: [UInt8(random.below(9)), 0, 0, 0])
            }
            let count = 1 + random.below(40)
            _ = try? PageCoding.decode(encoding, payload, count: count)
            _ = try? PageCoding.decodeStrings(encoding, payload, count: count)
        }
    }
}

struct BytePageTests {
    static let samples: [(name: String, encoding: PageEncoding, strings: [[UInt8]?])] = [
        ("all missing", .dictionaryBytes, [[UInt8]?](repeating: nil, count: 8_192)),
        ("one empty", .dictionaryBytes, [[]]),
        ("one of each", .plainBytes, [nil, [], Array("text".utf8)]),
        ("all different", .plainBytes, (0..<8_192).map { Array("value \($0)".utf8) }),
        ("few repeat", .dictionaryBytes, (0..<1_000).map { $0 % 7 == 0 ? nil : Array("value \($0 % 5)".utf8) }),
        ("one long", .dictionaryBytes, [[UInt8](repeating: 0xFF, count: 100_000)]),
    ]

    @Test(arguments: samples.indices)
    func stringsComeBack(index: Int) throws {
        let sample = Self.samples[index]
        let (encoding, payload, zone) = PageCoding.encode(sample.strings)
        #expect(encoding == sample.encoding, "\(sample.name)")
        #expect(try PageCoding.decodeStrings(encoding, payload, count: sample.strings.count) == sample.strings)
        #expect(zone.missingCount == sample.strings.count { $0 == nil })
    }

    @Test(arguments: samples.indices)
    func someRowsOfAPageAreThoseRows(index: Int) throws {
        let sample = Self.samples[index]
        let (encoding, payload, _) = PageCoding.encode(sample.strings)
        let count = sample.strings.count
        let wanted = count / 3..<count - count / 4
        let found = try PageCoding.decodeStrings(encoding, payload, count: count, wanted: wanted)
        #expect(found == Array(sample.strings[wanted]))
    }

    @Test func aPageEndsBeforeTheRowThatIsTooMuch() {
        let column = PageCoding.column([[UInt8]?](repeating: [UInt8](repeating: 1, count: 5_000), count: 10))
        #expect(BytePageEncoder.pageEnd(column.offsets, from: 0, to: 10) == 3)
        #expect(BytePageEncoder.pageEnd(column.offsets, from: 9, to: 10) == 10)
    }

    @Test func compressedBytesExpandToTheSame() throws {
        let source = (0..<10_000).map { UInt8($0 / 100) }
        for effort in [Compression.Effort.fast, .high] {
            var compressed: [UInt8] = []
            #expect(Compression.append(source, effort: effort, limit: 5_000, to: &compressed))
            var expanded: [UInt8] = []
            try compressed.withUnsafeBytes { try Compression.expand($0, byteCount: source.count, to: &expanded) }
            #expect(expanded == source)
        }
    }

    @Test func whatDoesNotShrinkIsNotCompressed() {
        var random = SeededRandom(seed: 3)
        var target: [UInt8] = [9]
        #expect(!Compression.append(random.bytes(1_000), effort: .fast, limit: 900, to: &target))
        #expect(target == [9])
    }
}
