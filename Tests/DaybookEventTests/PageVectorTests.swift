@testable import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

/// docs/format/event.md, executed.
struct PageVectorTests {
    static let all = (try? HexVectors.load(page: "docs/format/event.md")) ?? []
    static let valid = all.filter { !$0.name.hasPrefix("invalid-") }
    static let invalid = all.filter { $0.name.hasPrefix("invalid-") }

    @Test func thePageHasVectorsOfEveryFamily() {
        #expect(Self.valid.count >= 11)
        #expect(Self.invalid.count >= 7)
        for word in ["command", "agent", "session", "productivity"] {
            #expect(Self.valid.contains { $0.name.hasPrefix(word) })
        }
    }

    @Test(arguments: valid)
    func jsonBecomesTheBytes(vector: HexVector) throws {
        let event = try #require(try Parsing.accepted(String(decoding: vector.json, as: UTF8.self), .importLine).first)
        #expect(event.encoding == vector.bytes)
    }

    @Test(arguments: valid)
    func bytesBecomeTheJSON(vector: HexVector) throws {
        let expected = try vector.fields()
        let page = try #require(expected.members)
        let type = try #require(expected["type"]?.string)
        let family = try #require(Family.ofOrganizations.first { $0.typeName == type })
        let printed = try ParsedJSON(parsing: try StoredEvent(family: family, encoding: vector.bytes).printed())
        var members = try #require(printed.members)
        for added in ["sequence", "organization_id", "created_at"] { members[Array(added.utf8)] = nil }
        #expect(members == page)
    }

    @Test(arguments: invalid)
    func invalidBytesAreRefused(vector: HexVector) throws {
        let fields = try vector.fields()
        let family = try #require(fields["family"]?.integer.flatMap { Family(rawValue: UInt8($0)) })
        let error = try #require(throws: FormatError.self) {
            _ = try StoredEvent(family: family, encoding: vector.bytes).fields()
        }
        #expect(error.description == fields["error"]?.string)
    }

    @Test func otherVersionsAndFamiliesAreRefused() throws {
        let vector = try #require(Self.valid.first)
        for (family, version) in [(Family.commandExecution, UInt8(0)), (.commandExecution, 2), (.control, 1)] {
            #expect(throws: FormatError.self) {
                try vector.bytes.withRawSpan { (bytes) throws(FormatError) in
                    _ = try EventFields(family: family, schemaVersion: version, reading: bytes)
                }
            }
        }
    }
}
