import DaybookFormat
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookControl

/// The inputs that the fuzzer starts from and those that once broke something; see tools/fuzz.
struct ControlCorpusTests {
    private static func inputs(_ folder: String) throws -> [[UInt8]] {
        let folder = Repository.root.appending(path: "data/corpus/\(folder)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { Array(try Data(contentsOf: folder.appending(path: $0))) }
    }

    @Test func limitsFilesThatAreTakenAreWrittenAgainToTheSameBytes() throws {
        let count = try withConstantChecksums {
            try Self.inputs("limits-file").count { input in
                let read = try? input.withRawSpan { (span) throws(FormatError) in try LimitsFile(reading: span) }
                guard let file = read else { return false }
                #expect(file.encoded() == input)
                let limiter = RateLimiter()
                limiter.restore(file, at: 5_000_000_000, Timestamp(microseconds: 1_780_000_000_000_000))
                return true
            }
        }
        #expect(count >= 1)
    }

    @Test func administrativeRequestsAreOneDocumentOrRefused() throws {
        let count = try Self.inputs("control-document").count { input in
            guard let document = try? ControlDocument(parsing: input) else { return false }
            #expect((try? ControlDocument(parsing: [0x20] + input + [0x0A])) == document)
            return true
        }
        #expect(count >= 5)
    }
}
