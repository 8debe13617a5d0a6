internal import DaybookFormat
internal import DaybookSystem

/// The idempotency keys of a carry file, for an organization that uses many: memory holds eight bytes of each, and the
/// file, read at one place, has the rest.
struct SealedRequests {
    /// Low bits of a place: the number of an entry in the file. Above them stand the first bits of the key's hash.
    private static let numberBitCount = 24
    private static let chunkCount = 4_096
    static let countMax = 1 << numberBitCount

    /// Of the carry file.
    let name: String
    let sealedThrough: UInt64
    /// Sorted.
    private var places: [UInt64] = []
    /// The latest arrival among each `chunkCount` entries, in the order of the file.
    private var latestArrivals: [Timestamp] = []

    /// Precondition: at most `countMax` requests.
    init(_ carry: CarryFile) {
        precondition(carry.requests.count <= Self.countMax)
        name = carry.name
        sealedThrough = carry.sealedThrough
        places.reserveCapacity(carry.requests.count)
        for (number, entry) in carry.requests.enumerated() {
            places.append(Self.prefix(of: entry.keyHash) | UInt64(number))
            if number.isMultiple(of: Self.chunkCount) {
                latestArrivals.append(entry.arrival)
            } else {
                latestArrivals[latestArrivals.count - 1] = max(latestArrivals[latestArrivals.count - 1], entry.arrival)
            }
        }
        places.sort()
    }

    private static func prefix(of hash: IdempotencyHash) -> UInt64 {
        hash.words.0 & ~(UInt64(1) << UInt64(numberBitCount) - 1)
    }

    /// Those that may be within the window: some that are not may be counted, too.
    func count(at now: Timestamp) -> Int {
        let cutoff = now.adding(microseconds: -Limits.idempotencyWindowMicroseconds)
        return latestArrivals.enumerated().reduce(0) { sum, chunk in
            guard chunk.element > cutoff else { return sum }
            return sum + min(Self.chunkCount, places.count - chunk.offset * Self.chunkCount)
        }
    }

    var count: Int { places.count }
    var byteCount: Int { places.count * MemoryLayout<UInt64>.stride }

    enum Lookup {
        case found(IdempotencyEntry)
        case absent
        /// The file is gone, or other entries stand in it: it was replaced, and is to be read anew.
        case stale
    }

    /// As `entry`, for those who can read the file anew.
    func lookUp(_ keyHash: IdempotencyHash, disk: any Disk, folder: String) -> Lookup {
        do {
            return try entry(of: keyHash, disk: disk, folder: folder).map { .found($0) } ?? .absent
        } catch {
            return .stale
        }
    }

    /// The latest entry of a key. Complexity: O(log keys), and one read of 100 bytes where the key, or one whose hash begins
    /// like it, is there.
    /// - Throws: when the file is gone or other entries stand in it: then it was replaced, and is to be read anew.
    func entry(of keyHash: IdempotencyHash, disk: any Disk, folder: String) throws(CarryError) -> IdempotencyEntry? {
        let prefix = Self.prefix(of: keyHash)
        let first = places.partitioningIndex { $0 >= prefix }
        guard first < places.count, places[first] & ~UInt64(Self.countMax - 1) == prefix else { return nil }
        let path = Layout.path(folder, name)
        let file = try Self.open(path, disk)
        defer { file.close() }
        var found: IdempotencyEntry?
        for place in places[first...] {
            guard place & ~UInt64(Self.countMax - 1) == prefix else { break }
            let entry = try Self.entry(Int(place & UInt64(Self.countMax - 1)), of: file, path)
            guard Self.prefix(of: entry.keyHash) == prefix else {
                throw .corrupt(Corruption(file: path, offset: 0, reason: .invalid("carry request")))
            }
            if entry.keyHash == keyHash { found = entry }
        }
        return found
    }

    private static func open(_ path: String, _ disk: any Disk) throws(CarryError) -> any DiskFile {
        do throws(DiskError) {
            return try disk.open(path, .read)
        } catch {
            throw .disk(error)
        }
    }

    private static func entry(
        _ number: Int, of file: any DiskFile, _ path: String
    ) throws(CarryError) -> IdempotencyEntry {
        let offset = UInt64(CarryFile.headerByteCount + number * CarryFile.entryByteCount)
        var bytes: [UInt8] = []
        do throws(DiskError) {
            try file.read(CarryFile.entryByteCount, at: offset, appendingTo: &bytes)
        } catch {
            throw .disk(error)
        }
        do throws(FormatError) {
            return try bytes.withRawSpan { (span) throws(FormatError) in
                var reader = ByteReader()
                return try IdempotencyEntry(&reader, span)
            }
        } catch {
            throw .corrupt(Corruption(file: path, offset: offset, reason: error))
        }
    }
}
