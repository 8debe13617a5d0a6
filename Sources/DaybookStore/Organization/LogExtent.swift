internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// A log file that snapshots may name. When it was sealed, it is removed with the last reference.
final class LogFileHandle: Sendable {
    let path: String
    private let disk: any Disk
    private let isRetired = Atomic<Bool>(false)
    /// Readers beside a server hold the file open, because the server may seal and remove it at any time.
    let held: (any DiskFile)?

    init(disk: any Disk, path: String, held: (any DiskFile)? = nil) {
        self.disk = disk
        self.path = path
        self.held = held
    }

    func retire() { isRetired.store(true, ordering: .releasing) }

    deinit {
        guard isRetired.load(ordering: .acquiring) else { return }
        // A file that stays is removed when the organization is opened the next time.
        do { try disk.remove(path) } catch {}
    }
}

/// A log file with the bytes of it that count.
struct LogExtent: Sendable {
    var file: LogFileHandle
    var firstSequence: UInt64
    var lastSequence: UInt64
    var byteCount: Int
    /// Some places where a record begins, in order, so that a reader of the last ones need not walk over all.
    var places: [Place] = []

    struct Place: Sendable {
        var firstSequence: UInt64
        var offset: Int
    }

    /// Made for a group whose write failed.
    var isEmpty: Bool { lastSequence < firstSequence }

    private static let placeDistance = 128 << 10

    /// Notes where a record begins that has been written, unless another place is near.
    mutating func notePlace(firstSequence: UInt64, offset: Int) {
        guard offset - (places.last?.offset ?? 0) >= Self.placeDistance else { return }
        places.append(Place(firstSequence: firstSequence, offset: offset))
    }

    /// Opens the file and walks its records, from the one that holds `first` or some before it; damage is passed over and
    /// told to `onDamage`.
    /// - Parameters:
    ///   - places: further places to begin at, which learn of those that the walk comes by.
    ///   - windowByteCount: what is read at a time.
    func forEachGroup(
        disk: any Disk, log: LogID, from first: UInt64, places shared: RecordPlaces? = nil,
        windowByteCount: Int = LogFileReader.usualWindowByteCount, onDamage: (Corruption, Range<Int>) -> Void,
        _ body: (GroupHeader, RawSpan) throws -> Bool
    ) throws -> Bool {
        let opened = try file.held ?? disk.open(file.path, .read)
        defer { if file.held == nil { opened.close() } }
        let place = place(for: first, shared)
        var reader = LogFileReader(
            file: opened, log: log, limit: byteCount, from: place?.offset ?? LogFileHeader.byteCount,
            windowByteCount: windowByteCount)
        var goesOn = true
        var last = (place?.firstSequence ?? firstSequence) - 1
        while goesOn {
            let start = reader.offset
            var isForeign = false
            do {
                let found = try reader.next { (header, record) throws in
                    // Readers rely on sequences that rise: a whole record in the wrong place is damage like any other.
                    isForeign = header.firstSequence <= last || header.lastSequence > lastSequence
                    guard !isForeign else { return }
                    last = header.lastSequence
                    shared?.note(Place(firstSequence: header.firstSequence, offset: start), inFileFrom: firstSequence)
                    goesOn = try body(header, record)
                }
                if !found { return true }
                guard isForeign else { continue }
                let reason = FormatError.invalid("group record sequence")
                onDamage(
                    Corruption(file: file.path, offset: UInt64(start), reason: reason), start..<reader.offset)
            } catch LogFileReaderError<any Error>.body(let error) {
                throw error
            } catch LogFileReaderError<any Error>.log(.corrupt(let corruption)) {
                onDamage(corruption, try reader.skipDamage())
            } catch LogFileReaderError<any Error>.log(let error) {
                throw error
            }
        }
        return false
    }

    private func place(for first: UInt64, _ shared: RecordPlaces?) -> Place? {
        let own = places.last { $0.firstSequence <= first }
        let found = shared?.last(through: first, inFileFrom: firstSequence)
        guard let own, let found else { return own ?? found }
        return own.offset > found.offset ? own : found
    }
}
