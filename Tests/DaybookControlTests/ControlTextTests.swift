import Testing

@testable import DaybookControl

/// Text of administrative requests beyond ASCII.
struct ControlTextTests {
    private func text(_ json: String) throws -> String? {
        try ControlDocument(parsing: Array(#"{"a":"\#(json)"}"#.utf8))["a"]?.stringValue
    }

    @Test func surrogatePairsAreOneCharacter() throws {
        #expect(try text(#"\ud83d\ude00 \u00e9"#) == "😀 é")
        #expect(try text(#"\uDBFF\uDFFF"#) == "\u{10FFFF}")
    }

    private func number(_ json: String) throws -> ControlDocument? {
        try ControlDocument(parsing: Array("[\(json)]".utf8)).arrayValue?.first
    }

    @Test func numbersThatAreNoIntegersKeepTheirText() throws {
        #expect(try number("-9223372036854775808") == .integer(.min))
        for text in [
            "9223372036854775808", "-0.25", "1E-3", "-0.5E-2", "1e300", "1.00000000000000001",
        ] {
            #expect(try number(text) == .decimal(text))
        }
    }

    @Test(arguments: [("0", 0), ("-12", -12), ("12.0", 12), ("1.2E1", 12), ("1e3", 1_000), ("0.5e+2", 50)])
    func integersAreIntegersHoweverTheyAreWritten(json: String, value: Int64) throws {
        #expect(try number(json) == .integer(value))
    }

    @Test(arguments: ["01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "1.5.2", "--1", "-01", "1-2"])
    func whatIsNoNumberIsRefused(json: String) {
        #expect(throws: ControlDocument.Malformed.self) { try number(json) }
    }

    @Test(
        arguments: [
            ("5", 5_000), ("5.0", 5_000), ("-0.25", -250), ("0.001", 1), ("12.3450", 12_345), ("1e3", 1_000_000),
            ("1e-3", nil),
            ("0.0001", nil), ("9223372036854775807", nil), ("9223372036854775808.5", nil), ("true", nil),
        ] as [(String, Int64?)])
    func thousandths(json: String, value: Int64?) throws { #expect(try number(json)?.thousandths == value) }

    @Test(arguments: [
        #"\ud83d"#, #"\ude00"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ud83d\u0041"#, #"\ud83d\ud83d"#, #"\ud83d\ude0"#,
        #"\u12G4"#, #"\u+123"#,
    ])
    func halfACharacterIsRefused(json: String) {
        #expect(throws: ControlDocument.Malformed.self) { try text(json) }
    }
}
