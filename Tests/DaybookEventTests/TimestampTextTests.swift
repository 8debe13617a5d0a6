@testable import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

struct TimestampTextTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", 500_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("2025-09-08T10:30:15.234Z", 1_757_327_415_234_000),
        ("2025-09-08T12:30:15.2340009999+02:00", 1_757_327_415_234_000),
        ("2025-09-08T05:00:15-05:30", 1_757_327_415_000_000),
        ("2000-02-29T00:00:00-00:00", 951_782_400_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ("2017-01-01T01:59:60.25+02:00", 1_483_228_800_250_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ])
    func readsRFC3339(text: String, microseconds: Int64) {
        #expect(TimestampText.parse(text) == Timestamp(microseconds: microseconds))
    }

    @Test(arguments: [
        "", "2025-09-08", "2025-09-08T10:30Z", "2025-09-08T10:30:15", "2025-09-08 10:30:15Z", "2025-9-8T10:30:15Z",
        "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2025-04-31T00:00:00Z", "2025-01-00T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z",
        "2025-01-01T00:00:61Z", "2025-01-01T00:00:60Z", "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00+24:00",
        "2025-01-01T00:00:00+0100", "2025-01-01T00:00:00+01", "2025-01-01T00:00:00ZZ", "2025-01-01T00:00:00,5Z",
        "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "+025-01-01T00:00:00Z",
        "2025-01-01T00:00:00.123456789", "２025-01-01T00:00:00Z",
    ])
    func refusesEverythingElse(text: String) {
        #expect(TimestampText.parse(text) == nil)
    }

    @Test func printsWhatItReads() {
        var random = SeededRandom(seed: 5)
        let range = TimestampText.printable
        let span = UInt64(range.upperBound.microseconds - range.lowerBound.microseconds)
        for _ in 0..<20_000 {
            let time = Timestamp(microseconds: range.lowerBound.microseconds + Int64(random.next() % span))
            var bytes: [UInt8] = []
            TimestampText.append(time, to: &bytes)
            #expect(bytes.count == 27)
            #expect(TimestampText.parse(String(decoding: bytes, as: UTF8.self)) == time)
        }
    }

    @Test(arguments: [
        (1_757_327_415_250_000, "2025-09-08T10:30:15.250000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), (Int64.min, "0001-01-01T00:00:00.000000Z"),
        (Int64.max, "9999-12-31T23:59:59.999999Z"),
    ])
    func printsUTCWithMicroseconds(microseconds: Int64, text: String) {
        var bytes: [UInt8] = []
        TimestampText.append(Timestamp(microseconds: microseconds), to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
