import DaybookControl
import NIOCore
import Testing

@testable import DaybookServer

@Suite struct ServedDocumentTests {
    /// Each answer is given the buffer that is kept, and a buffer that nobody changes is never copied.
    @Test(arguments: ["openapi.json", "schemas/Batch.json"])
    func answersShareTheBytesOfADocument(path: String) throws {
        let documents = ServedDocuments(ServerOptions())
        let first = try #require(documents.find(path)).body
        let second = try #require(documents.find(path)).body
        func place(_ buffer: ByteBuffer) -> UInt? {
            unsafe buffer.withUnsafeReadableBytes { unsafe $0.baseAddress.map { UInt(bitPattern: $0) } }
        }
        #expect(place(first) != nil)
        #expect(place(second) == place(first))
    }
}
