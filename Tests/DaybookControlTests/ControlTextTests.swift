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

    @Test(arguments: [
        #"\ud83d"#, #"\ude00"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ud83d\u0041"#, #"\ud83d\ud83d"#, #"\ud83d\ude0"#,
        #"\u12G4"#, #"\u+123"#,
    ])
    func halfACharacterIsRefused(json: String) {
        #expect(throws: ControlDocument.Malformed.self) { try text(json) }
    }

    @Test func numbersThatAreNoIntegersStayAsTheyStand() throws {
        for (text, value) in [
            ("0", ControlDocument.integer(0)), ("-12", .integer(-12)), ("12.0", .integer(12)), ("1.2E1", .integer(12)),
            ("1.5", .number("1.5")), ("-0.5E-2", .number("-0.5E-2")), ("1e300", .number("1e300")),
            ("9223372036854775808", .number("9223372036854775808")),
            ("1.00000000000000001", .number("1.00000000000000001")),
        ] {
            #expect(try ControlDocument(parsing: Array(#"{"a":\#(text)}"#.utf8))["a"] == value)
        }
    }
}
