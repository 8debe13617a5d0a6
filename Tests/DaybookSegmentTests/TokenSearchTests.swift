import DaybookFormat
import Testing

@testable import DaybookSegment

@Suite struct TokenSearchTests {
    private func prepared(_ text: String) -> TokenSearch? { TokenSearch(Array(text.utf8)) }

    private func found(_ search: TokenSearch, json: String) -> UInt32 {
        Array(json.utf8).withRawSpan { search.found(inJSON: $0) }
    }

    @Test func aTextWithoutWordsIsNoSearch() {
        #expect(prepared("") == nil)
        #expect(prepared(" -!") == nil)
        #expect(prepared((0..<17).map { "w\($0)" }.joined(separator: " ")) == nil)
        #expect(prepared("b a b")?.tokens == [Array("b".utf8), Array("a".utf8)])
    }

    @Test func wordsAreFoundWholeInAnyCase() throws {
        let search = try #require(prepared("Exit code"))
        let bits = Array("EXIT: codes".utf8).withRawSpan { search.found(inText: $0) }
        #expect(bits == 0b01)
        #expect(Array("code 1, exit".utf8).withRawSpan { search.found(inText: $0) } == search.all)
    }

    @Test func keysOfObjectsAreNotSearched() throws {
        let search = try #require(prepared("branch main"))
        #expect(found(search, json: #"{"branch":"main"}"#) == 0b10)
        #expect(found(search, json: #"{"a":["main",{"b":"branch\nx"}]}"#) == search.all)
    }
}
