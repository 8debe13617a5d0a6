import DaybookEvent
import DaybookTestSupport
import Testing

@testable import DaybookControl

@Suite struct APIKeyTests {
    private let key = APIKey(randomBytes: Array(0..<32))

    @Test func theTextHasPrefixRandomPartAndChecksum() {
        #expect(key.text.hasPrefix("dbk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"))
        #expect(key.text.utf8.count == APIKey.textByteCount)
        #expect(APIKey(parsing: key.text) == key)
    }

    @Test func anyChangedCharacterIsNoticed() {
        let bytes = Array(key.text.utf8)
        for position in bytes.indices {
            for change in [UInt8(ascii: "A"), UInt8(ascii: "z"), UInt8(ascii: "!"), 0xC3]
            where bytes[position] != change {
                var changed = bytes
                changed[position] = change
                #expect(!APIKey.isWellFormed(changed))
            }
        }
    }

    @Test func otherLengthsAreRefused() {
        #expect(!APIKey.isWellFormed([]))
        #expect(!APIKey.isWellFormed(Array(key.text.utf8.dropLast())))
        #expect(!APIKey.isWellFormed(Array(key.text.utf8) + [65]))
    }

    @Test func theHashIsThatOfTheWholeText() {
        #expect(key.hash.count == 32)
        #expect(key.hash == APIKey.hash(Array(key.text.utf8)))
        #expect(key.hash != APIKey(randomBytes: Array(1..<33)).hash)
    }
}

@Suite struct ScopeSetTests {
    @Test func namesAndSetsAreInverse() {
        #expect(ScopeSet(names: ScopeSet.all.names) == .all)
        #expect(ScopeSet(names: ["ingest", "read"]) == [.ingest, .read])
        #expect(ScopeSet(names: ["ingest", "everything"]) == nil)
    }
}

@Suite struct ControlDocumentTests {
    private func parse(_ text: String) -> ControlDocument? { try? ControlDocument(parsing: Array(text.utf8)) }

    @Test func objectsAreRead() {
        let document = parse(#" {"verb":"key.create","scopes":["a","b\n\u00e9"],"n":-7,"x":null,"t":true} "#)
        #expect(document?["verb"]?.stringValue == "key.create")
        #expect(document?["scopes"]?.arrayValue == [.string("a"), .string("b\né")])
        #expect(document?["n"]?.integerValue == -7)
        #expect(document?["x"] == nil)
        #expect(document?["t"] == .boolean(true))
    }

    @Test func whatIsNotOneDocumentIsRefused() {
        for text in [
            "", "{", "{}x", #"{"a":1,"a":2}"#, #"{"a":1.}"#, #"{"a":01}"#, #"{"a":-}"#, "[1,]", #""\ud800""#, "nul",
            #"{"a" 1}"#, "\"\u{1}\"",
            String(repeating: "[", count: 100), "9 9",
        ] {
            #expect(parse(text) == nil, "\(text)")
        }
    }

    @Test func stringsAreWrittenSoThatTheyReadBack() {
        for text in ["", "a\"b\\c", "line\nend\u{1}", "é 😀"] {
            var bytes: [UInt8] = []
            JSONText.append(text, to: &bytes)
            #expect((try? ControlDocument(parsing: bytes)) == .string(text))
        }
    }
}
