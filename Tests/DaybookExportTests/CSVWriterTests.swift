import DaybookEvent
import DaybookExport
import DaybookFormat
import Testing

struct CSVWriterTests {
    private static let organization = OrganizationID("acme")!

    private func cell(_ text: String) -> String {
        var bytes: [UInt8] = []
        CSVWriter.append(text: Array(text.utf8), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("two\nlines", "\"two\nlines\""), (" padded", "\" padded\""), ("größe", "größe"),
    ])
    func textIsQuotedWhereItMustBe(text: String, expected: String) {
        #expect(cell(text) == expected)
    }

    @Test(arguments: ["=1+1", "+1", "-1", "@user", "\tx", "\rx"])
    func textThatStartsAFormulaGetsAnApostrophe(text: String) {
        #expect(cell(text) == "\"'\(text)\"")
    }

    @Test(arguments: [
        (UInt64(0), "0"), (1, "0.000001"), (1_250_000_000, "1250"), (1_500_000, "1.5"),
        (3_600_000_000_001, "3600000.000001"),
    ])
    func durationsAreExactMilliseconds(nanoseconds: UInt64, expected: String) {
        var bytes: [UInt8] = []
        CSVWriter.append(milliseconds: nanoseconds, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test func aRowHasTheCellsOfItsHeader() throws {
        let writer = CSVWriter(family: .productivityMetric, organization: Self.organization)
        var encoder = EventEncoder(family: .productivityMetric)
        encoder.id = EventID(high: 1, low: 2)
        encoder.value = .negative(-5)
        encoder.flags = [.unit]
        var encoding: [UInt8] = []
        encoder.appendFixedPart(to: &encoding)
        for text in ["mira", "error_rate", "=percent"] { encoding.append(lengthPrefixed: text) }
        var bytes: [UInt8] = []
        writer.appendHeader(to: &bytes)
        try encoding.withRawSpan { span in
            try writer.append(
                schemaVersion: 1, encoding: span, sequence: 7, arrival: Timestamp(microseconds: 0), to: &bytes)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        #expect(
            lines == [
                "sequence,id,organization_id,user_id,team_id,metric_type,value,unit,period_start,period_end,dimensions,"
                    + "timestamp,created_at",
                "7,00000000-0000-0001-0000-000000000002,acme,mira,,error_rate,-5,\"'=percent\",,,,"
                    + "1970-01-01T00:00:00.000000Z,1970-01-01T00:00:00.000000Z",
            ])
    }

    @Test(arguments: Family.ofOrganizations)
    func columnsOfAFamilyAreDistinct(family: Family) {
        let columns = CSVWriter.columns(of: family)
        #expect(Set(columns).count == columns.count)
    }
}
