import DaybookFormat
import DaybookTestSupport
import Testing

struct FileNameTests {
    static let names: [(FileKind, String)] = [
        (.logFile(first: 1), "0000000000000001.dbl"),
        (.logFile(first: .max), "ffffffffffffffff.dbl"),
        (
            .segment(first: 1, last: 0x4B0, family: .agentInteraction),
            "0000000000000001-00000000000004b0-02.dbs"
        ),
        (
            .segment(first: 1, last: 0x4B0, family: .agentInteraction, revision: 0x2A),
            "0000000000000001-00000000000004b0-02-002a.dbs"
        ),
        (
            .index(first: 1, last: 2, family: .agentInteraction, revision: 1),
            "0000000000000001-0000000000000002-02-0001.dbi"
        ),
        (.rollup(first: 7, last: 9, family: .commandExecution), "0000000000000007-0000000000000009-01.dbr"),
        (
            .rollup(first: 7, last: 9, family: .commandExecution, revision: .max),
            "0000000000000007-0000000000000009-01-ffff.dbr"
        ),
        (.index(first: 7, last: 7, family: .productivityMetric), "0000000000000007-0000000000000007-04.dbi"),
        (.segment(first: 2, last: 3, family: .control), "0000000000000002-0000000000000003-40.dbs"),
        (.carry(sealedThrough: 0xABC), "0000000000000abc.dbk"),
        (.manifest, "manifest.dbm"),
        (.journal(ordinal: 0), "0000000000000000.dbj"),
        (.checkpoint(ordinal: 12), "000000000000000c.dbc"),
        (.erasure(id: 0x1122_3344_5566_7788), "1122334455667788.dbe"),
        (.erasure(id: 0), "0000000000000000.dbe"),
        (.certificate(id: 0x1122_3344_5566_7788), "erasure-1122334455667788.json"),
        (.identity, "identity.dbh"),
        (.quarantine(of: "0000000000000001.dbl"), "0000000000000001.dbl.quarantine"),
        (.quarantineReport(of: "0000000000000001.dbl"), "0000000000000001.dbl.report"),
        (.temporary(of: "manifest.dbm"), "manifest.dbm.tmp"),
        (.temporary(of: "manifest.dbm.report"), "manifest.dbm.report.tmp"),
    ]

    @Test(arguments: names)
    func everyKindOfFileIsNamedAndParsed(kind: FileKind, name: String) {
        #expect(kind.name == name)
        #expect(FileKind(name: name) == kind)
    }

    @Test(arguments: [
        "", ".", "..", ".dbl", ".tmp", ".quarantine", "manifest", "dbm", "manifest.dbl", "Manifest.dbm", "identity.dbm",
        "0000000000000000.dbl", "0000000000000000.dbk", "000000000000001.dbl", "00000000000000001.dbl",
        "000000000000000A.dbl", "0000000000000001.DBL", "0000000000000001.dbl ", " 000000000000001.dbl",
        "+000000000000001.dbl", "0000000000000001", "0000000000000001.dbx",
        "0000000000000002-0000000000000001-01.dbs", "0000000000000000-0000000000000001-01.dbs",
        "0000000000000001-0000000000000001-00.dbs", "0000000000000001-0000000000000001-05.dbs",
        "0000000000000001-0000000000000001-1.dbs", "0000000000000001-0000000000000001.dbs",
        "0000000000000001-0000000000000001-01-.dbs", "0000000000000001-0000000000000001-01-0000.dbs",
        "0000000000000001-0000000000000001-01-1.dbs", "0000000000000001-0000000000000001-01-00001.dbr",
        "0000000000000001-0000000000000001-01-0001-0001.dbs", "0000000000000001-0000000000000001-01-000A.dbi",
        "0000000000000001--01.dbi", "a/b.tmp", "/.tmp", "112233445566778.dbe", "112233445566778G.dbe",
        "erasure-.json", "erasure-112233445566778.json", "1122334455667788.json", "Erasure-1122334455667788.json",
    ])
    func aNameOfAnotherFormIsNotOurs(name: String) {
        #expect(FileKind(name: name) == nil)
    }

    @Test func namesOfLogFilesSortAsTheirSequences() {
        let sequences: [UInt64] = [1, 2, 9, 10, 15, 16, 255, 256, 1 << 40, .max]
        let names = sequences.map { FileKind.logFile(first: $0).name }
        #expect(names == names.sorted())
    }

    @Test func everyLogHasAFolderOfItsOwn() {
        #expect(Layout.folder(of: .control) == "control")
        #expect(Layout.folder(of: LogID(16)) == "organizations/0000000000000010")
        #expect(Layout.log(ofOrganizationFolder: "0000000000000010") == LogID(16))
        #expect(Layout.path(Layout.folder(of: .control), .manifest) == "control/manifest.dbm")
    }

    @Test(arguments: ["0000000000000001", "000000000000000f", "10", "control", "00000000000000 10"])
    func aFolderOfAnotherFormIsNoOrganization(name: String) {
        #expect(Layout.log(ofOrganizationFolder: name) == nil)
    }
}

struct StoreIdentityTests {
    static func vector() throws -> HexVector {
        try #require(try HexVectors.load(page: "docs/format/manifest.md").first { $0.name == "store-identity" })
    }

    @Test func theVectorOnThePageIsReadAndWritten() throws {
        let vector = try Self.vector()
        let identity = try vector.bytes.withRawSpan { (span) throws(FormatError) in try StoreIdentity(reading: span) }
        let fields = try vector.fields()
        #expect(identity.storeID == fields["store_id"]?.unsigned)
        #expect(identity.createdAt.microseconds == fields["created_at"]?.signed)
        #expect(StoreIdentity.version == fields["version"]?.unsigned.map(UInt32.init))
        #expect(identity.encoded() == vector.bytes)
    }

    @Test(arguments: 0..<StoreIdentity.byteCount)
    func aChangedByteIsFound(offset: Int) throws {
        var bytes = try Self.vector().bytes
        bytes[offset] ^= 0x10
        #expect(throws: FormatError.self) {
            try bytes.withRawSpan { (span) throws(FormatError) in try StoreIdentity(reading: span) }
        }
    }

    @Test(arguments: [0, 1, 4, 31, 33])
    func aFileOfAnotherLengthIsNoIdentity(byteCount: Int) throws {
        let bytes = Array((try Self.vector().bytes + [0]).prefix(byteCount))
        #expect(throws: FormatError.self) {
            try bytes.withRawSpan { (span) throws(FormatError) in try StoreIdentity(reading: span) }
        }
    }
}
