import DaybookFormat
import DaybookSystem
import Testing

@testable import DaybookTools

/// `data/sample` is what its README says: made from a seed, and the same when it is made again.
struct SampleDataTests {
    private static let organizations = ["acme", "borealis-labs", "cygnus-7"]

    private func sampleOptions() -> GeneratorOptions {
        var options = GeneratorOptions(start: EventGeneratorTests.day)
        options.seed = 2026
        options.eventCount = 12_000
        options.organizationCount = 3
        return options
    }

    @Test func theSampleIsWhatItsSeedGives() throws {
        let sinks = Self.organizations.map { _ in MemorySink() }
        try GeneratorOutput(format: .batches, directory: nil).generate(sampleOptions(), into: sinks)
        for (organization, sink) in zip(Self.organizations, sinks) {
            let bytes = try HostFile.read("data/sample/\(organization).ndjson", byteCountMax: 16 << 20)
            #expect(bytes == sink.bytes, "data/sample/\(organization).ndjson is not what the generator makes")
        }
    }

    @Test func theSampleHoldsTenThousandEventsInLessThanSixMegabytes() throws {
        var requests = RequestGenerator(sampleOptions())
        var eventCount = 0
        var byteCount = 0
        while let request = requests.next() {
            eventCount += request.eventCount
            byteCount += request.line().count
        }
        #expect(eventCount >= 10_000)
        #expect(byteCount < 6_000_000)
    }
}
