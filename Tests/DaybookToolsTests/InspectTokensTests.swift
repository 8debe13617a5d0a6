import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookTools

struct InspectTokensTests {
    private let directory: TemporaryDirectory
    private let door: StoreDoor

    init() throws {
        directory = try TemporaryDirectory()
        door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: SystemClock(), entropy: SystemEntropy())
    }

    private func write(_ bytes: [UInt8]) throws {
        let disk = try PosixDisk(root: door.directory)
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(Layout.signingKeys, with: span) }
    }

    private func records() throws -> [InspectRecord] {
        var records: [InspectRecord] = []
        try Inspector(disk: try door.disk(), store: try door.openReadOnly()) { records.append($0) }.tokens()
        return records
    }

    @Test func `keys are listed without their secrets`() throws {
        let vector = try HexVectors.load(page: "docs/format/tokens.md", name: "signing-keys")
        try write(vector.bytes)
        let keys = try #require(try vector.fields()["keys"]?.elements)
        let records = try records()
        #expect(records.map(\.kind) == ["tokens"] + keys.map { _ in "signing_key" })
        #expect(records[0].line().contains("keys \(keys.count)"))
        #expect(records.last?.line().contains("signs yes") == true)
        let text = records.map { String(decoding: $0.json(), as: UTF8.self) }.joined()
        for key in keys {
            let secret = try #require(key["private_key"]?.string)
            #expect(!secret.isEmpty && !text.contains(secret))
        }
    }

    @Test func `damage and a missing file are told`() throws {
        try write(Array("no keys".utf8))
        #expect(try records().map(\.kind) == ["tokens", "damage"])
        try PosixDisk(root: door.directory).remove(Layout.signingKeys)
        #expect(try records().map { $0.line() } == ["tokens      path tokens.dbt, exists no"])
    }
}
