import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Pages that only attributes have: values that some rows lack, and short decimal fractions.
struct AttributePageTests {
    static func encode(_ values: [UInt64?], _ shape: ColumnNumber.Shape) -> (PageEncoding, [UInt8], ColumnZone) {
        var encoder = AttributePageEncoder()
        var payload: [UInt8] = []
        let (encoding, zone) = encoder.append(
            values.compactMap { $0 }, present: values.map { $0 != nil }[...], shape: shape, to: &payload)
        return (encoding, payload, zone)
    }

    static func decode(
        _ encoding: PageEncoding, _ payload: [UInt8], count: Int, _ shape: ColumnNumber.Shape
    ) throws(FormatError) -> [UInt64?] {
        var decoder = IntegerPageDecoder()
        var values = [UInt64](repeating: 0xDEAD, count: count + 1)
        var present: [Bool] = []
        var failure: FormatError?
        payload.withUnsafeBytes { source in
            values.withUnsafeMutableBufferPointer { target in
                do throws(FormatError) {
                    try decoder.decode(
                        encoding, source, count: count, shape: shape, to: target.baseAddress!, present: &present)
                } catch { failure = error }
            }
        }
        precondition(values[count] == 0xDEAD)
        if let failure { throw failure }
        precondition(present.count == count)
        return zip(values, present).map { $1 ? $0 : nil }
    }

    static func bits(_ numbers: [Double?]) -> [UInt64?] { numbers.map { $0?.bitPattern } }

    struct Sample: Sendable, CustomTestStringConvertible {
        var name: String
        var encoding: PageEncoding
        var shape: ColumnNumber.Shape
        var values: [UInt64?]
        var testDescription: String { name }
    }

    static let samples: [Sample] = {
        var random = SeededRandom(seed: 15)
        let far: [UInt64?] = (0..<8_192).map { _ in random.oneIn(3) ? nil : random.next() }
        let none = [UInt64?](repeating: nil, count: 8_192)
        let word: [UInt64?] = far.prefix(63) + [nil]
        let words: [UInt64?] = far.prefix(64) + [nil]
        var tenths: [Double?] = []
        var someTenths: [Double?] = []
        var thirds: [Double?] = []
        for row in 0..<1_000 {
            tenths.append(Double(row * 7_919 % 1_003) / 10)
            someTenths.append(row % 5 == 0 ? nil : Double(row - 500) / 10)
            thirds.append(1 / (Double(row * 7_919 % 1_003) + 1.5))
        }
        return [
            Sample(name: "one missing", encoding: .optional, shape: .unsigned, values: [nil]),
            Sample(name: "all missing", encoding: .optional, shape: .signed, values: none),
            Sample(name: "one of two", encoding: .optional, shape: .unsigned, values: [7, nil]),
            Sample(name: "none missing", encoding: .constant, shape: .unsigned, values: [7, 7]),
            Sample(name: "far values", encoding: .optional, shape: .unsigned, values: far),
            Sample(name: "64 rows", encoding: .optional, shape: .unsigned, values: word),
            Sample(name: "65 rows", encoding: .optional, shape: .unsigned, values: words),
            Sample(name: "tenths", encoding: .decimal, shape: .number, values: bits(tenths)),
            Sample(name: "tenths, some missing", encoding: .optional, shape: .number, values: bits(someTenths)),
            Sample(name: "no short fractions", encoding: .frameOfReference, shape: .number, values: bits(thirds)),
        ]
    }()

    @Test(arguments: samples)
    func valuesComeBackFromTheEncodingThatFitsThem(sample: Sample) throws {
        let (encoding, payload, zone) = Self.encode(sample.values, sample.shape)
        #expect(encoding == sample.encoding)
        #expect(try Self.decode(encoding, payload, count: sample.values.count, sample.shape) == sample.values)
        #expect(zone.missingCount == sample.values.count { $0 == nil })
    }

    @Test func fractionsPackAsWholeNumbers() throws {
        let (encoding, payload, zone) = Self.encode(Self.bits((0..<1_000).map { Double($0) / 8 }), .number)
        #expect(encoding == .decimal)
        #expect(payload[0] == 3)
        #expect(payload.count < 100)
        #expect(Double(bitPattern: zone.min) == 0)
        #expect(Double(bitPattern: zone.max) == 124.875)
    }

    @Test func zonesOfNumbersAreComparedAsNumbers() {
        let (_, _, zone) = Self.encode(Self.bits([-2.5, nil, -7.5, 1.5, nil]), .number)
        #expect(Double(bitPattern: zone.min) == -7.5)
        #expect(Double(bitPattern: zone.max) == 1.5)
        var merged = zone
        let (_, _, missing) = Self.encode([nil, nil], .number)
        merged.merge(missing, rowCount: 2, doneCount: 5, shape: .number)
        #expect(merged.missingCount == 4)
        #expect(merged.min == zone.min && merged.max == zone.max)
        var later = missing
        later.merge(zone, rowCount: 5, doneCount: 2, shape: .number)
        #expect(later.min == zone.min && later.max == zone.max && later.missingCount == 4)
    }

    @Test(arguments: samples)
    func aTruncatedOrPaddedPayloadIsRefused(sample: Sample) {
        let (encoding, payload, _) = Self.encode(sample.values, sample.shape)
        for kept in [0, 1, 3, payload.count / 2, payload.count - 1] {
            #expect(throws: FormatError.self) {
                try Self.decode(encoding, Array(payload.prefix(kept)), count: sample.values.count, sample.shape)
            }
        }
        #expect(throws: FormatError.self) {
            try Self.decode(encoding, payload + [0], count: sample.values.count, sample.shape)
        }
    }

    @Test func presenceThatDisagreesIsRefused() throws {
        let (_, payload, _) = Self.encode([5, nil, 6], .unsigned)
        var more = payload
        more[4] = 0b111
        #expect(throws: FormatError.invalid("presence")) { try Self.decode(.optional, more, count: 3, .unsigned) }
        more[4] = 0b1001
        #expect(throws: FormatError.invalid("presence")) { try Self.decode(.optional, more, count: 3, .unsigned) }
        #expect(throws: FormatError.invalid("value count")) { try Self.decode(.optional, payload, count: 2, .unsigned) }
    }

    @Test(arguments: [PageEncoding.optional, .decimal])
    func ordinaryColumnsHaveNoSuchPages(encoding: PageEncoding) {
        #expect(throws: FormatError.invalid("page encoding")) {
            try PageCoding.decode(encoding, [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], count: 2)
        }
        #expect(throws: FormatError.invalid("page encoding")) {
            try Self.decode(.decimal, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0], count: 2, .unsigned)
        }
    }

    @Test func garbageNeverTraps() {
        var random = SeededRandom(seed: 78)
        for _ in 0..<20_000 {
            let encoding: PageEncoding = random.oneIn(2) ? .optional : .decimal
            let count = 1 + random.below(140)
            var payload = random.bytes(random.below(80))
            if payload.count > 21, random.oneIn(2) {
                payload.replaceSubrange(0..<4, with: [UInt8(random.below(min(count, 64))), 0, 0, 0])
                payload[random.oneIn(2) ? 12 : 20] = UInt8(random.below(8))
            }
            _ = try? Self.decode(encoding, payload, count: count, random.oneIn(2) ? .number : .signed)
        }
    }
}

struct DecimalScaleTests {
    private static let numbers: [Double] = {
        var random = SeededRandom(seed: 16)
        var numbers: [Double] = [
            0, 0.5, 1e-6, 9.99e-7, 1e15, 999_999_999_999_999.5, 1e21, 0.1 + 0.2, .leastNonzeroMagnitude,
        ]
        for _ in 0..<20_000 {
            let whole = Double(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
            numbers.append(random.oneIn(2) ? whole / DecimalScale.power(random.below(20)) : whole)
            let any = Double(bitPattern: random.next())
            if any.isFinite { numbers.append(any) }
        }
        return numbers
    }()

    @Test func numbersPrintAsCanonicalJSONDoes() throws {
        let column = AttributeColumn(values: .numbers(Self.numbers), present: nil, mayBeInRest: false)
        for (row, number) in Self.numbers.enumerated() {
            var text: [UInt8] = []
            column.appendText(row, to: &text)
            var canonical: [UInt8] = []
            try #require(EventNumber(number)).appendText(to: &canonical)
            try #require(text == canonical, "\(number)")
        }
    }

    /// What the digits say is the double that reading them gives.
    @Test func textOfNumbersIsReadExactly() throws {
        for number in Self.numbers {
            var text: [UInt8] = []
            try #require(EventNumber(number)).appendText(to: &text)
            let leaf = text.withUnsafeBytes { bytes in
                var cursor = ObjectCursor(bytes.baseAddress!, 0..<bytes.count)
                return cursor.leaf()
            }
            let found = try #require(leaf)
            switch found.kind {
            case .small, .large: #expect(Double(Int64(bitPattern: found.word)) == number)
            case .huge: #expect(Double(found.word) == number)
            case .number: #expect(found.word == number.bitPattern)
            default: Issue.record("\(number) is not read as a number")
            }
        }
    }
}
