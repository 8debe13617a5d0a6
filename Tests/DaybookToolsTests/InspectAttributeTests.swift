import DaybookFormat
import DaybookSegment
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookTools

struct InspectAttributeTests {
    private func name(_ root: AttributeName.Root, _ keys: String...) -> AttributeName {
        AttributeName(root: root, keys: keys.map { Array($0.utf8) })
    }

    @Test func `a path is written as queries write it`() {
        #expect(Inspector.path(name(.object, "project"), of: .commandExecution) == "context.project")
        #expect(Inspector.path(name(.arguments, "target", "name"), of: .commandExecution) == "command_args.target.name")
        #expect(Inspector.path(name(.object, "model"), of: .agentInteraction) == "metadata.model")
        #expect(Inspector.path(name(.object, "team"), of: .productivityMetric) == "dimensions.team")
        #expect(Inspector.path(name(.object, "a"), of: .sessionChange) == "context.a")
    }

    @Test func `a key that a query cannot name is quoted`() {
        #expect(Inspector.path(name(.object, "a.b", ""), of: .commandExecution) == #"context."a.b"."""#)
    }

    @Test func `attributes of a segment are listed with encodings and bytes`() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: SystemClock(), entropy: SystemEntropy())
        let disk = try door.disk()
        var generator = EventGenerator(seed: 5, style: .realistic)
        var writer = try SegmentWriter(
            disk: disk, path: "a.dbs", log: LogID(16), family: .commandExecution,
            schemaVersion: EventGenerator.schemaVersion, firstSequence: 1, lastSequence: 500, effort: .fast)
        for _ in 0..<500 {
            let event = generator.next(.commandExecution)
            try event.encoding.withRawSpan { (bytes: RawSpan) throws(SegmentError) in
                try writer.append(sequence: event.sequence, arrival: event.arrival, encoding: bytes)
            }
        }
        _ = try writer.finish()
        var records: [InspectRecord] = []
        try Inspector(disk: disk, store: try door.openReadOnly()) { records.append($0) }.segment("a.dbs")
        let attributes = records.filter { $0.kind == "attribute" }.map { $0.line() }
        #expect(attributes.contains { $0.contains("context.project") && $0.contains("type string") })
        #expect(attributes.contains { $0.contains("command_args.force") && $0.contains("type boolean") })
        #expect(attributes.allSatisfy { $0.contains("bytes ") && $0.contains("encodings ") })
        #expect(!records.contains { $0.kind == "column" && $0.line().contains("number 256") })
    }
}
