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

    @Test func signingKeysFilesThatAreTakenAreWrittenAgainToTheSameBytes() throws {
        let count = try withConstantChecksums {
            try Self.inputs("signing-keys-file").count { input in
                let read = try? input.withRawSpan { (span) throws(FormatError) in try SigningKeysFile(reading: span) }
                guard let file = read else { return false }
                #expect(file.encoded() == input)
                return true
            }
        }
        #expect(count >= 1)
    }

    /// As the target has it: with an odd first byte the three parts are written in base64url first.
    @Test func tokensAreTakenApartOrRefused() throws {
        let count = try Self.inputs("token-text").count { input in
            guard input.count > 1 else { return false }
            var bytes = Array(input[1...])
            if input[0] % 2 == 1 {
                let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
                bytes = Array(parts.map { Base64URL.text(Array($0)) }.joined(separator: ".").utf8)
            }
            for part in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
                if let decoded = Base64URL.decode(part) { #expect(Base64URL.text(decoded).utf8.elementsEqual(part)) }
            }
            guard let token = TokenText(bytes) else { return false }
            #expect(bytes.starts(with: token.signed) && !token.signature.isEmpty)
            _ = (token.life, token.hasBegun(at: Timestamp(microseconds: 1_780_000_000_000_000)))
            return true
        }
        #expect(count >= 3)
    }

    @Test func issuersAndKeySetsAreTakenOrTheirFaultsAreTold() throws {
        var issuerCount = 0
        var keyCount = 0
        for input in try Self.inputs("external-issuers") {
            var reader = ExternalIssuerReader(ownIssuer: "daybook", countMax: 64)
            let entries = reader.entries(of: input)
            #expect(Set(entries.map(\.issuer.name)).count == entries.count)
            #expect(!entries.contains { $0.issuer.issuer == "daybook" })
            issuerCount += entries.count
            var keyReader = ExternalIssuerReader(ownIssuer: "daybook", countMax: 64)
            let keys = keyReader.keys(of: input, in: "keys.json")
            #expect(!keys.isEmpty || !keyReader.faults.isEmpty)
            keyCount += keys.count
        }
        #expect(issuerCount >= 2)
        #expect(keyCount >= 1)
    }

    @Test func settingsAreReadOrTheirLineIsTold() throws {
        var entryCount = 0
        var problemCount = 0
        for input in try Self.inputs("configuration-document") {
            let document = ConfigurationDocument(parsing: input)
            #expect(Set(document.entries.map(\.name)).count == document.entries.count)
            let lines = 1...1 + input.count { $0 == UInt8(ascii: "\n") }
            #expect((document.entries.map(\.line) + document.problems.map(\.line)).allSatisfy { lines.contains($0) })
            entryCount += document.entries.count
            problemCount += document.problems.count
        }
        #expect(entryCount >= 10)
        #expect(problemCount >= 10)
    }
}
