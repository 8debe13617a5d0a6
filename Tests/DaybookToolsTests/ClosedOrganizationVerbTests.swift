import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookTools

/// What the verbs say of an organization whose manifest is damaged.
struct ClosedOrganizationVerbTests {
    private let clock = SystemClock()
    private let entropy = SystemEntropy()
    private let directory: TemporaryDirectory
    private let door: StoreDoor
    private let folder = Layout.folder(of: Layout.firstOrganizationLog)

    init() throws {
        directory = try TemporaryDirectory()
        door = StoreDoor(directory: directory.path + "/store")
        _ = try door.initialize(organization: "acme", clock: clock, entropy: entropy)
        _ = try door.administer(
            AdministrativeRequest.createOrganization("globex"), clock: clock, entropy: entropy)
        let path = door.directory + "/" + folder
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("no manifest".utf8).write(to: URL(fileURLWithPath: path + "/manifest.dbm"))
    }

    private func inspect(_ body: (Inspector, ReadOnlyStore) throws -> Void) throws -> [String] {
        var lines: [String] = []
        let store = try door.openReadOnly()
        try body(Inspector(disk: try door.disk(), store: store) { lines.append($0.line()) }, store)
        return lines
    }

    @Test func replayAndExportSayWhatIsDamagedAndWhatToDo() throws {
        let store = try door.openReadOnly()
        let closed = try StoreDoor.organization("acme", in: store)
        let error = try #require(throws: ToolError.self) { try StoreDoor.snapshot(of: closed, in: store) }
        #expect(error.message.contains("\(folder)/manifest.dbm at offset 0"))
        #expect(error.cure.contains("daybook org rebuild acme"))
        let open = try StoreDoor.snapshot(of: try StoreDoor.organization("globex", in: store), in: store)
        #expect(open.lastSequence == 0)
    }

    @Test func inspectShowsTheDamageAndTheOtherOrganizations() throws {
        let overview = try inspect { inspector, _ in try inspector.overview() }
        #expect(overview.count == 4)
        #expect(overview[1].hasPrefix("organization") && overview[1].contains("closed yes"))
        #expect(overview[2].hasPrefix("damage") && overview[2].contains("\(folder)/manifest.dbm"))
        #expect(overview[3].contains("organization globex") && overview[3].contains("last sequence 0"))
        for show in [
            { (inspector: Inspector, record: OrganizationRecord) in try inspector.manifest(of: record) },
            { (inspector: Inspector, record: OrganizationRecord) in try inspector.segments(of: record) },
        ] {
            let lines = try inspect { inspector, store in
                try show(inspector, try StoreDoor.organization("acme", in: store))
            }
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix("damage") == true)
        }
    }

    @Test func rebuildOpensItAgainAndKeepsTheDamagedManifest() throws {
        let answer = try ControlDocument(
            parsing: try door.rebuild(organization: "acme", clock: clock, entropy: entropy))
        #expect(answer["organization"]?.stringValue == "acme")
        let store = try door.openReadOnly()
        let record = try StoreDoor.organization("acme", in: store)
        #expect(try StoreDoor.snapshot(of: record, in: store).lastSequence == 0)
        let kept = try door.disk().readAll(folder + "/manifest.dbm.quarantine")
        #expect(kept == Array("no manifest".utf8))
        #expect(try inspect { inspector, _ in try inspector.overview() }.count == 3)
        let trail = try ControlDocument(parsing: try door.audit(organization: "acme", limit: 1, before: nil))
        let entry = try #require(trail["items"]?.arrayValue?.first)
        #expect(entry["action"]?.stringValue == "org.rebuild")
        #expect(entry["actor"]?.stringValue == "local")
        #expect(throws: ToolError.self) { try door.rebuild(organization: "acme", clock: clock, entropy: entropy) }
        #expect(throws: ToolError.self) { try door.rebuild(organization: "nobody", clock: clock, entropy: entropy) }
    }

    @Test func rebuildWantsTheDirectoryForItself() throws {
        let lock = try DirectoryLock.acquire(directory: door.directory)
        defer { lock.release() }
        #expect(throws: ToolError.self) { try door.rebuild(organization: "acme", clock: clock, entropy: entropy) }
    }
}
