internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem

/// Finds logs to seal although no file of theirs is full: old ones, and the largest when the unsealed bytes of the
/// whole store grow too many. Looks at the checkpoint table now and then, never at ten thousand folders.
final class Ageing {
    private let registry: OrganizationRegistry
    private let shared: SharedState
    private let options: StoreOptions
    private var lastLookMicroseconds: Int64 = .min

    init(registry: OrganizationRegistry, shared: SharedState, options: StoreOptions) {
        self.registry = registry
        self.shared = shared
        self.options = options
    }

    private var intervalMicroseconds: Int64 { max(1, min(10_000_000, options.sealAgeMicroseconds / 2)) }

    func look(nowMicroseconds: Int64) {
        for log in shared.maintenance.takeToRoll() { roll(log, atLeast: 1) }
        guard lastLookMicroseconds == .min || nowMicroseconds - lastLookMicroseconds >= intervalMicroseconds else {
            return
        }
        let isFirst = lastLookMicroseconds == .min
        lastLookMicroseconds = nowMicroseconds
        let marks = registry.marks
        var unsealed: [LogMark] = []
        var byteCount: UInt64 = 0
        for mark in marks.values.sorted(by: { $0.log < $1.log })
        where mark.log != .control && mark.lastSequence > mark.sealedThrough {
            // Whole files from an earlier life of the process wait for the sealer.
            if isFirst, mark.fileFirstSequence > mark.sealedThrough + 1 { shared.addSealable(mark.log) }
            unsealed.append(mark)
            byteCount = byteCount.addingReportingOverflow(mark.fileByteCount).partialValue
            let (age, isAhead) = nowMicroseconds.subtractingReportingOverflow(mark.lastArrival.microseconds)
            let isOld = mark.lastArrival.microseconds > 0 && !isAhead && age >= options.sealAgeMicroseconds
            if isOld, mark.lastSequence - mark.sealedThrough >= UInt64(options.sealRowCountMin) {
                roll(mark.log, atLeast: options.sealRowCountMin)
            }
        }
        guard byteCount > UInt64(options.unsealedByteCountMax) else { return }
        for mark in unsealed.sorted(by: { $0.fileByteCount > $1.fileByteCount }).prefix(8) {
            roll(mark.log, atLeast: options.sealRowCountMin)
        }
    }

    private func roll(_ log: LogID, atLeast rowCount: Int) {
        guard !shared.deletions.contains(log) else { return }
        do {
            try registry.with(log) { organization in
                guard organization.unsealedEventCount >= UInt64(rowCount) else { return }
                organization.roll()
            }
            shared.addSealable(log)
        } catch {
            shared.note(error)
        }
    }
}
