import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookTools

struct VerifyTests {
    private static func files(_ directory: String) throws -> [String: [UInt8]] {
        let disk = try PosixDisk(root: directory)
        var found: [String: [UInt8]] = [:]
        for name in try disk.list("") {
            if let names = try? disk.list(name) {
                for inner in names where (try? disk.list(name + "/" + inner)) == nil {
                    found[name + "/" + inner] = try disk.readAll(name + "/" + inner)
                }
            } else {
                found[name] = try disk.readAll(name)
            }
        }
        return found
    }

    @Test func `a new store is sound and stays as it is`() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: SystemClock(), entropy: SystemEntropy())
        let before = try Self.files(door.directory)
        let report = try door.verify()
        #expect(report.isSound)
        #expect(report.text().hasSuffix("\nsound\n"))
        #expect(try Self.files(door.directory) == before)
    }

    @Test func `damage of a real file is told`() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: SystemClock(), entropy: SystemEntropy())
        let file = try PosixDisk(root: door.directory).open(Layout.identity, .readWrite)
        // Another value than the one that stands there: part of the identity is drawn at random.
        let damaged = try PosixDisk(root: door.directory).readAll(Layout.identity)[12] ^ 0xFF
        try [damaged].withRawSpan { try file.write($0, at: 12) }
        file.close()
        let report = try door.verify()
        #expect(!report.isSound)
        #expect(report.text().contains("damage  identity  identity.dbh at offset 0: "))
    }

    @Test func `damaged signing keys and limits are told`() throws {
        let directory = try TemporaryDirectory()
        let door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: SystemClock(), entropy: SystemEntropy())
        let disk = try PosixDisk(root: door.directory)
        var keys = try HexVectors.load(page: "docs/format/tokens.md", name: "signing-keys").bytes
        var limits = try HexVectors.load(page: "docs/format/limits.md", name: "limits-file").bytes
        func write() throws {
            try keys.withRawSpan { (span) throws(DiskError) in
                try disk.replaceAtomically(Layout.signingKeys, with: span)
            }
            try limits.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(Layout.limits, with: span) }
        }
        try write()
        #expect(try door.verify().text().hasSuffix("\nsound\n"))
        limits[20] ^= 1
        try write()
        #expect(try door.verify().isSound)
        #expect(try door.verify().text().contains("derived  limits  limits.dbw at offset 0: "))
        keys.removeLast()
        try write()
        #expect(try !door.verify().isSound)
        #expect(try door.verify().text().contains("damage  tokens  tokens.dbt at offset 0: "))
    }

    @Test func `a directory without a store is an error and no damage`() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: ToolError.self) { try StoreDoor(directory: directory.path).verify() }
    }

    @Test func `the object has every finding under its severity`() {
        var report = StoreCheckReport()
        report.findings = [
            StoreFinding(.damage, .segment, "a.dbs", at: 7, "torn \"apart\""),
            StoreFinding(.disposable, .index, "a.dbi", "old"), StoreFinding(.note, .folder, "b", "odd"),
        ]
        report.counts.segments = 3
        let text = String(decoding: VerifyReport(report).json(), as: UTF8.self)
        #expect(text.hasPrefix(#"{"sound":false,"damage":[{"kind":"segment","file":"a.dbs","offset":7,"#))
        #expect(text.contains(#""disposable":[{"kind":"index","file":"a.dbi","offset":0,"reason":"old"}]"#))
        #expect(text.contains(#""notes":[{"kind":"folder","file":"b","offset":0,"reason":"odd"}]"#))
        #expect(text.contains(#""segments":3"#))
    }
}
