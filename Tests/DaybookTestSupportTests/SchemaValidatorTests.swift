import DaybookTestSupport
import Testing

/// The validator of the tests, against what the keywords mean.
@Suite struct SchemaValidatorTests {
    private func mistakes(_ value: String, _ schema: String, isStrict: Bool = false) throws -> [String] {
        let validator = SchemaValidator(document: try ParsedJSON(parsing: Array(schema.utf8)))
        validator.isStrict = isStrict
        return try validator.mistakes(
            in: ParsedJSON(parsing: Array(value.utf8)), ParsedJSON(parsing: Array(schema.utf8)))
    }

    @Test(arguments: [
        ("7", #"{"type":"integer"}"#), ("7.0", #"{"type":"integer"}"#), ("1e3", #"{"type":"integer"}"#),
        ("7.5", #"{"type":"number"}"#), ("null", #"{"type":["string","null"]}"#), (#""x""#, #"{"enum":["x",null]}"#),
        ("1.0", #"{"const":1}"#), ("18446744073709551615", #"{"type":"integer","maximum":18446744073709551615}"#),
        (#""é""#, #"{"maxLength":1}"#), (#""ab""#, #"{"pattern":"^[a-z]{2}$"}"#), (#""xabx""#, #"{"pattern":"ab"}"#),
        (#""2026-02-28T23:59:60.5+02:00""#, #"{"format":"date-time"}"#),
        (#""019b8d6c-3a50-7c1e-9f2a-5b8e0d4c7a61""#, #"{"format":"uuid"}"#), ("3", #"{"maxLength":1,"pattern":"a"}"#),
        (#"{"a":1}"#, #"{"properties":{"a":{"type":"integer"}},"additionalProperties":false}"#),
        (#"{"p9":1}"#, #"{"patternProperties":{"^p":{"type":"integer"}},"additionalProperties":false}"#),
        (#"[1,2]"#, #"{"items":{"type":"integer"},"minItems":2,"maxItems":2}"#), ("1", "true"),
        ("1", #"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#), ("1", #"{"not":{"type":"string"}}"#),
        ("1", #"{"$defs-less":true}"#.replacing("$defs-less", with: "x-anything")),
    ])
    func whatFitsHasNoMistakes(value: String, schema: String) throws {
        #expect(try mistakes(value, schema) == [])
    }

    @Test(arguments: [
        ("7.5", #"{"type":"integer"}"#), (#""7""#, #"{"type":"integer"}"#), ("true", #"{"type":"null"}"#),
        (#""y""#, #"{"enum":["x",null]}"#), ("1.5", #"{"const":1}"#),
        ("18446744073709551616", #"{"maximum":18446744073709551615}"#), ("-0.1", #"{"minimum":0}"#),
        (#""ab""#, #"{"maxLength":1}"#), (#""""#, #"{"minLength":1}"#), (#""ab\n""#, #"{"pattern":"^[a-z]{2}$"}"#),
        (#""2026-02-29T00:00:00Z""#, #"{"format":"date-time"}"#), (#""2026-01-01""#, #"{"format":"date-time"}"#),
        (#""2026-01-01T24:00:00Z""#, #"{"format":"date-time"}"#), (#""7""#, #"{"format":"uuid"}"#),
        (#"{"b":1}"#, #"{"required":["a"]}"#), (#"{"b":1}"#, #"{"properties":{"a":{}},"additionalProperties":false}"#),
        (#"{"a":1,"b":2}"#, #"{"maxProperties":1}"#), ("{}", #"{"minProperties":1}"#),
        (#"[1,"2"]"#, #"{"items":{"type":"integer"}}"#), ("[1,2]", #"{"maxItems":1}"#), ("[]", #"{"minItems":1}"#),
        ("1", #"{"oneOf":[{"type":"number"},{"type":"integer"}]}"#), ("1", #"{"anyOf":[{"type":"string"}]}"#),
        ("1", #"{"allOf":[{"type":"integer"},{"minimum":2}]}"#), ("1", #"{"not":{"type":"integer"}}"#), ("1", "false"),
    ])
    func whatDoesNotFitHasAMistake(value: String, schema: String) throws {
        #expect(try mistakes(value, schema).count == 1)
    }

    @Test func mistakesTellTheirPlace() throws {
        let schema = #"{"properties":{"a":{"items":{"properties":{"b":{"type":"string"}}}}}}"#
        #expect(try mistakes(#"{"a":[{},{"b":1}]}"#, schema) == ["$.a[1].b is not string"])
    }

    @Test func referencesLeadThroughTheDocument() throws {
        let document = try ParsedJSON(
            parsing: Array(##"{"s":{"a/b":{"type":"integer"}},"r":{"$ref":"#/s/a~1b"},"dead":{"$ref":"#/none"}}"##.utf8)
        )
        let validator = SchemaValidator(document: document)
        #expect(try validator.mistakes(in: .number("1"), document["r"]!) == [])
        #expect(try validator.mistakes(in: .null, document["r"]!).count == 1)
        #expect(throws: SchemaValidator.DeadReference(target: "#/none")) {
            try validator.mistakes(in: .null, document["dead"]!)
        }
    }

    @Test(arguments: [
        (#"{"a":1}"#, #"{"minimun":1}"#), (#"{"a":1}"#, #"{"properties":{"a":{"if":{}}}}"#),
        (#""red""#, #"{"format":"colour"}"#),
    ])
    func unknownKeywordsAreErrors(value: String, schema: String) throws {
        #expect(throws: SchemaValidator.UnknownKeyword.self) { try mistakes(value, schema) }
    }

    @Test func aStrictReaderWantsEveryMemberDescribed() throws {
        let schema = #"{"allOf":[{"properties":{"a":{}}},{"anyOf":[{"properties":{"b":{}}}]}]}"#
        #expect(try mistakes(#"{"a":1,"b":2}"#, schema, isStrict: true) == [])
        #expect(try mistakes(#"{"a":1,"c":2}"#, schema, isStrict: true) == ["$.c is not described"])
        #expect(try mistakes(#"{"a":1,"c":2}"#, schema) == [])
        // Who does not speak of members leaves them open; who speaks of any other one does not.
        #expect(try mistakes(#"{"a":{"x":1}}"#, #"{"properties":{"a":{"type":"object"}}}"#, isStrict: true) == [])
        let open = #"{"properties":{"a":{}},"additionalProperties":{"type":"integer"}}"#
        #expect(try mistakes(#"{"a":"x","c":2}"#, open, isStrict: true) == [])
        let inner = #"{"properties":{"a":{"properties":{"b":{}}}}}"#
        #expect(try mistakes(#"{"a":{"c":1}}"#, inner, isStrict: true) == ["$.a.c is not described"])
    }
}
