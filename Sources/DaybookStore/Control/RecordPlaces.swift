internal import DaybookFormat
internal import Synchronization

/// Where records begin in the files of one log, as far as somebody has walked over them: a reader of a few records in the
/// middle need not begin at the start of a file, also after a restart. For a log whose files are never sealed.
///
/// Memory: 16 bytes for each 16 KiB of the log.
final class RecordPlaces: Sendable {
    static let distance = 16 << 10

    /// By the first sequence of the file, in order.
    private let places = Mutex<[UInt64: [LogExtent.Place]]>([:])

    /// The last known record at or before a sequence. Complexity: O(log places).
    func last(through sequence: UInt64, inFileFrom firstSequence: UInt64) -> LogExtent.Place? {
        places.withLock { places in
            guard let known = places[firstSequence] else { return nil }
            let index = known.partitioningIndex { $0.firstSequence > sequence }
            return index > 0 ? known[index - 1] : nil
        }
    }

    /// Notes a record, unless one near it is known. Complexity: O(log places), O(places) for one between others.
    func note(_ place: LogExtent.Place, inFileFrom firstSequence: UInt64) {
        places.withLock { Self.note(place, in: &$0[firstSequence, default: []]) }
    }

    private static func note(_ place: LogExtent.Place, in known: inout [LogExtent.Place]) {
        let index = known.partitioningIndex { $0.offset >= place.offset }
        let before = index > 0 ? known[index - 1].offset : 0
        let after = index < known.count ? known[index].offset : Int.max
        guard place.offset - before >= distance, after - place.offset >= distance else { return }
        known.insert(place, at: index)
    }
}
