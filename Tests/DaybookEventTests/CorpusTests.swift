import DaybookFormat
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookEvent

/// The inputs that the fuzzer starts from and those that once broke something; see tools/fuzz.
struct CorpusTests {
    private static func files(_ folder: String) throws -> [[UInt8]] {
        let folder = Repository.root.appending(path: "data/corpus/\(folder)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { Array(try Data(contentsOf: folder.appending(path: $0))) }
    }

    @Test func bodiesThatAreAcceptedReadBackFromTheirPrintedForm() throws {
        let session = Array("session-1".utf8)
        // In the order of tools/fuzz.d/EventParserTarget.swift.
        let kinds: [EventParser.Kind] = [
            .commandExecution, .agentInteraction, .sessionStart, .sessionUpdate(sessionID: session),
            .sessionEnd(sessionID: nil), .sessionEnd(sessionID: session), .productivityMetric, .batch, .importLine,
        ]
        var accepted = 0
        for input in try Self.files("event-parser") {
            guard let first = input.first else { continue }
            let (_, events) = try Parsing.parse(Array(input.dropFirst()), kinds[Int(first) % kinds.count])
            accepted += events.isEmpty ? 0 : 1
            for event in events { #expect(try Parsing.parse(try event.printed(), .importLine).events == [event]) }
        }
        #expect(accepted >= 15)
    }

    @Test func encodingsThatCanBeReadCanBePrinted() throws {
        var read = 0
        for input in try Self.files("event-fields") {
            guard let first = input.first else { continue }
            let family = Family.ofOrganizations[Int(first) % Family.ofOrganizations.count]
            let event = StoredEvent(family: family, encoding: Array(input.dropFirst()))
            guard (try? event.fields()) != nil else { continue }
            read += 1
            #expect(throws: Never.self) { try event.printed() }
        }
        #expect(read >= 11)
    }
}
