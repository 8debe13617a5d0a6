import DaybookTestSupport
import Testing

@testable import DaybookTools

/// How much it is is measured where nothing else runs: `daybook bench limits`.
struct LimitMemoryTests {
    @Test func `the figures are those of one organization and of all`() throws {
        let memory = try LimitMemory(organizationCount: 1_000)
        #expect(memory.organizationCount == 1_000)
        #expect(memory.byteCountOfOne == memory.byteCount / 1_000)
        let fields = try ParsedJSON(parsing: memory.json())
        #expect(fields["organizations"]?.unsigned == 1_000)
        #expect(fields["anonymous_bytes"]?.unsigned == memory.byteCount)
        #expect(fields["bytes_per_organization"]?.unsigned == memory.byteCountOfOne)
    }
}
