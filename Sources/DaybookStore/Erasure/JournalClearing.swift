internal import DaybookFormat
internal import DaybookLog

/// Has every journal file that holds frames from before let go by a checkpoint and written full of zeroes. Belongs to
/// the erasing thread; the others do the work.
struct JournalClearing {
    private var retirement: JournalFiles.Retirement?

    /// The files, once all of them were zeroed; nil while another thread has to do something first.
    mutating func step(_ parts: EraserParts) -> [Int]? {
        let files = parts.journalFiles
        let shared = parts.shared
        guard let retirement else {
            retirement = files.retireAll()
            return nil
        }
        guard !files.unzeroed(retirement).isEmpty else { return retirement.slots }
        guard let position = files.releasingPosition(of: retirement), position > 0 else { return nil }
        if position <= shared.checkpointPosition {
            files.release(before: shared.checkpointPosition)
        } else {
            shared.wantCheckpoint(of: min(position, shared.durablePosition))
        }
        return nil
    }
}
