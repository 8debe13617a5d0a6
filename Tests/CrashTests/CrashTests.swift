import DaybookSystem
import Testing

/// Drives the real binary through `tools/crash`: it must have been built, in release, as `tools/test` does.
@Suite(.serialized)
struct CrashTests {
    /// 5 kills, or 200 with `DAYBOOK_NIGHTLY=1`, or as many as `DAYBOOK_KILLS` says.
    private static var killCount: String {
        let isNightly = ProcessEnvironment.variable("DAYBOOK_NIGHTLY") == "1"
        return ProcessEnvironment.variable("DAYBOOK_KILLS") ?? (isNightly ? "200" : "5")
    }

    private func run(_ check: String, _ arguments: String...) throws {
        let script = try #require(Self.scriptPath, "tools/crash is not above the working directory")
        let child = try ChildProcess.start(script, [check] + arguments, output: .pipe, error: .pipe)
        let text = String(decoding: try child.readOutputToEnd(), as: UTF8.self)
        let status = child.wait()
        #expect(status == .exited(0), "tools/crash \(check) ended with \(status):\n\(text)")
    }

    /// The package's root is the working directory of `swift test`.
    private static var scriptPath: String? {
        for directory in [".", "..", "../.."] {
            let path = directory + "/tools/crash"
            if (try? HostFile.read(path, byteCountMax: 1 << 20)) != nil { return path }
        }
        return nil
    }

    @Test func nothingAcknowledgedIsLostWhenTheServerIsKilledUnderLoad() throws {
        try run("kill-loop", "--kills", Self.killCount)
    }

    @Test func aFailedSyncIsFinalAndLosesNothing() throws {
        try run("sync-error")
    }

    @Test func aFullDiskRefusesIngestAndLosesNothing() throws {
        try run("write-error")
    }

    @Test func anAcknowledgementWaitsForItsSync() throws {
        try run("slow-sync")
    }

    @Test func aCompletedSyncStandsBetweenEachWriteAndItsAnswer() throws {
        try run("sync-order")
    }
}
