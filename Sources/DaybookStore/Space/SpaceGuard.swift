internal import DaybookFormat
internal import DaybookSystem

/// Asks the disk once a second how much is free. Below the reserve ingest is refused, and merging waits; queries go on,
/// and so does what makes room. Ingest comes back by itself when the reserve and its margin are free again, so that it
/// does not come and go with every file.
final class SpaceGuard {
    private static let lookNanoseconds: UInt64 = 1_000_000_000

    private let disk: any Disk
    private let shared: SharedState
    private let reserve: UInt64
    private let margin: UInt64
    private var lastLook: UInt64?
    private var isLow = false

    init(disk: any Disk, shared: SharedState, options: StoreOptions) {
        self.disk = disk
        self.shared = shared
        reserve = options.spaceReserveByteCount
        margin = options.spaceMarginByteCount
    }

    func look(nowNanoseconds now: UInt64) {
        if let lastLook, now - lastLook < Self.lookNanoseconds { return }
        lastLook = now
        var free: UInt64?
        do {
            free = try disk.freeByteCount()
        } catch {
            // Who cannot be asked cannot say no: a write that finds no room says so itself.
            shared.note(error)
        }
        if let free { isLow = free < (isLow ? reserve + margin : reserve) }
        shared.space.update(free: free, reserve: reserve, isLow: isLow)
    }
}
