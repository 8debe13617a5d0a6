import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookEvent

struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(byteCapacity: 1)
        write(&writer)
        return String(decoding: writer.toArray(), as: UTF8.self)
    }

    @Test func commasStandBetweenValuesOnly() {
        let text = text { writer in
            writer.openObject()
            writer.key("a")
            writer.openArray()
            writer.integer(UInt64(1))
            writer.boolean(true)
            writer.openObject()
            writer.closeObject()
            writer.closeArray()
            writer.key(Array("b\"".utf8))
            writer.string(nil)
            writer.key("c")
            writer.word("x")
            writer.closeObject()
        }
        #expect(text == #"{"a":[1,true,{}],"b\"":null,"c":"x"}"#)
    }

    @Test func afterRemovingAllItBeginsAnew() {
        let time = Timestamp(microseconds: 1)
        let text = text { writer in
            writer.openArray()
            for _ in 0..<3 { writer.time(time) }
            writer.removeAll()
            writer.openArray()
            writer.time(time)
            writer.closeArray()
        }
        #expect(text == #"["1970-01-01T00:00:00.000001Z"]"#)
    }

    @Test func everyLengthOfIntegerHasItsDigits() {
        var value: UInt64 = 0
        for digit in [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1] as [UInt64] {
            value = value * 10 + digit
            for near in [value, value + 1] { #expect(text { $0.integer(near) } == String(near)) }
        }
        var power: UInt64 = 1
        while power < 1 << 60 {
            power *= 10
            for near in [power - 1, power, power + 1] { #expect(text { $0.integer(near) } == String(near)) }
        }
        #expect(text { $0.integer(UInt64.max) } == String(UInt64.max))
        #expect(text { $0.integer(UInt64(0)) } == "0")
        #expect(text { $0.integer(Int128.min) } == String(Int128.min))
        #expect(text { $0.integer(Int128(7)) } == "7")
    }

    @Test func millisecondsAreExactDecimals() {
        func printed(_ value: UInt128, _ decimals: Int = 6) -> String {
            text { $0.decimal(value, decimals: decimals) }
        }
        #expect(printed(0) == "0")
        #expect(printed(1) == "0.000001")
        #expect(printed(1_500_000) == "1.5")
        #expect(printed(1_234_000) == "1.234")
        #expect(printed(1_234_500) == "1.2345")
        #expect(printed(120_000_000) == "120")
        #expect(printed(18_333_333_333, 9) == "18.333333333")
        #expect(printed(UInt128(UInt64.max) * 3) == "55340232221128.654845")
        #expect(printed(UInt128(UInt64.max) * 1_000_000) == String(UInt64.max))
    }

    @Test func timesAndIdentifiersReadBack() throws {
        var random = SeededRandom(seed: 91)
        var times = [TimestampText.printable.lowerBound, TimestampText.printable.upperBound]
        for _ in 0..<2_000 {
            let high = random.next() % 250_000_000_000
            times.append(Timestamp(microseconds: Int64(high) * 1_000_000 + Int64(random.below(1_000_000))))
            times.append(Timestamp(microseconds: -Int64(high) / 5 * 1_000_000 - Int64(random.below(1_000_000))))
        }
        for time in times {
            let printed = text { $0.time(time) }
            #expect(TimestampText.parse(String(printed.dropFirst().dropLast())) == time)
            let id = EventID(high: random.next(), low: random.next())
            #expect(text { $0.id(id) } == "\"\(id)\"")
        }
    }

    @Test func theLastTwoTimesAreCopiedAndNoOthers() {
        let times = [1, 2, 1, 2, 3, 2, 3, 1, 1, 4].map { Timestamp(microseconds: $0) }
        let text = text { writer in
            writer.openArray()
            for time in times { writer.time(time) }
            writer.closeArray()
        }
        let expected = times.map { "\"1970-01-01T00:00:00.00000\($0.microseconds)Z\"" }.joined(separator: ",")
        #expect(text == "[\(expected)]")
    }

    @Test func stringsAreEscapedAsCanonicalJSON() {
        #expect(text { $0.string("plain ü") } == "\"plain ü\"")
        #expect(text { $0.string("a\"b\\c\n\u{1}") } == #""a\"b\\c\n\u0001""#)
        #expect(text { $0.string("") } == "\"\"")
    }

    @Test func aFilledFormIsWhatWritersOfSingleNumbersWrite() {
        var random = SeededRandom(seed: 92)
        var edges: [UInt128] = [0, 9, 10, 99, 100, 9_999, 10_000, 999_999, 1_000_000, 1_000_001, 999_999_999]
        edges += [1_000_000_000, 1_500_000_000, UInt128(UInt64.max), UInt128(UInt64.max) + 1, UInt128.max]
        for _ in 0..<2_000 {
            var form = JSONForm()
            var numbers: [JSONNumber] = []
            let filled = text { writer in
                form.text("{")
                writer.raw("{")
                for place in 0..<random.below(6) {
                    form.text("a longer text than fits a word, and ")
                    writer.raw("a longer text than fits a word, and ")
                    let value =
                        random.oneIn(3)
                        ? edges[random.below(edges.count)] : UInt128(random.next() >> UInt64(random.below(64)))
                    form.key(Array("k\"\(place)".utf8))
                    form.gap()
                    writer.raw(",")
                    writer.key(Array("k\"\(place)".utf8))
                    switch random.below(4) {
                    case 0:
                        numbers.append(.null)
                        writer.literal("null")
                    case 1:
                        numbers.append(.integer(value))
                        writer.integer(value)
                    default:
                        let decimals = [0, 3, 6, 9][random.below(4)]
                        numbers.append(.decimal(value, decimals: decimals))
                        writer.decimal(value, decimals: decimals)
                    }
                }
                form.text("}")
                writer.raw("}")
            }
            #expect(text { $0.fill(form, numbers) } == filled)
        }
    }

    @Test func piecesOfAFormStandBeforeValuesOfAnyKind() {
        var form = JSONForm()
        form.key(Array("a \"name\"".utf8), isFirst: true)
        form.gap()
        form.key(Array("b".utf8))
        form.gap()
        let text = text { writer in
            writer.openObject()
            writer.piece(0, of: form)
            writer.string("x")
            writer.piece(1, of: form)
            writer.literal("null")
            writer.closeObject()
        }
        #expect(text == #"{"a \"name\"":"x","b":null}"#)
    }

    @Test func aFormAndACopyAreValuesAmongOthers() {
        var form = JSONForm()
        form.text("[")
        form.gap()
        form.text("]")
        let text = text { writer in
            writer.openArray()
            writer.string("x")
            writer.again(1..<4)
            writer.raw(",")
            writer.fill(form, [.integer(7 as UInt64)])
            writer.boolean(true)
            writer.closeArray()
        }
        #expect(text == #"["x","x",[7],true]"#)
    }
}
