internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem

/// What opening has put together.
struct StoreParts {
    var disk: any Disk
    var clock: any Clock
    var options: StoreOptions
    var queue: CommitQueue
    var registry: OrganizationRegistry
    var shared: SharedState
    var journalFiles: JournalFiles
    var machine: StoreMachine
    var control: ControlBook
    var report: RecoveryReport
}
