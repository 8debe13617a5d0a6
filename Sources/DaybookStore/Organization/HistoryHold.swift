internal import DaybookFormat
internal import DaybookSystem
internal import Synchronization

/// What snapshots hold on to as long as they may read history files. When files were merged into another, their files go
/// with the last snapshot that is older than the merge: such a snapshot has no sums but those.
///
/// Each hold keeps the next one, so that an old snapshot also keeps what was merged twice since.
final class HistoryHold: Sendable {
    private struct State {
        var names: [String] = []
        var next: HistoryHold?
    }

    private let disk: any Disk
    private let folder: String
    private let state = Mutex(State())

    init(disk: any Disk, folder: String) {
        self.disk = disk
        self.folder = folder
    }

    /// Files that the manifest does not name any more go when nobody has this; returns what later snapshots hold.
    /// Called once.
    func succeed(_ names: [String]) -> HistoryHold {
        let next = HistoryHold(disk: disk, folder: folder)
        state.withLock { state in
            precondition(state.next == nil, "a hold has one successor")
            state = State(names: names, next: next)
        }
        return next
    }

    deinit {
        for name in state.withLock({ $0.names }) {
            // A file that stays is swept when the organization is opened the next time.
            do { try disk.remove(Layout.path(folder, name)) } catch {}
        }
    }
}
