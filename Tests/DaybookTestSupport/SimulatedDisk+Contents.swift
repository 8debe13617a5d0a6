/// The bytes of one simulated file: what readers see, what certainly survives, and what a power loss decides on.
///
/// The unit is the 512-byte sector: a disk writes one whole or not at all, in any order.
struct SimulatedContents: Sendable {
    static let sectorByteCount = 512

    /// A sector whose fate is open. The surviving content is the durable one or any of the versions.
    struct OpenSector: Sendable {
        /// Whole sectors, oldest first, one behind the other.
        var versions: [UInt8] = []
        /// The next synchronization makes the sector durable. False after a failed one: the kernel has marked the
        /// page clean, and no later synchronization will write it.
        var isDirty = true

        var versionCount: Int { versions.count / SimulatedContents.sectorByteCount }

        func version(_ index: Int) -> ArraySlice<UInt8> {
            let start = index * SimulatedContents.sectorByteCount
            return versions[start..<start + SimulatedContents.sectorByteCount]
        }
    }

    private(set) var visible: [UInt8]
    private(set) var durable: [UInt8]
    private(set) var openSectors: [Int: OpenSector] = [:]
    /// The shortest and the longest the file was since its length was last durable.
    private(set) var lengthRange: ClosedRange<Int>
    private var isLengthDirty = false

    init(durable bytes: [UInt8] = []) {
        visible = bytes
        durable = bytes
        lengthRange = bytes.count...bytes.count
    }

    mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        guard !bytes.isEmpty else { return }
        let end = offset + bytes.count
        if end > visible.count { resize(to: end) }
        visible.replaceSubrange(offset..<end, with: bytes)
        recordVersions(offset..<end)
    }

    mutating func truncate(to length: Int) {
        let old = visible.count
        resize(to: length)
        recordVersions(min(old, length)..<max(old, length))
    }

    private mutating func resize(to length: Int) {
        if length < visible.count {
            visible.removeLast(visible.count - length)
        } else {
            visible.append(contentsOf: repeatElement(0, count: length - visible.count))
        }
        lengthRange = min(lengthRange.lowerBound, length)...max(lengthRange.upperBound, length)
        isLengthDirty = true
    }

    private mutating func recordVersions(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let size = SimulatedContents.sectorByteCount
        for sector in range.lowerBound / size...(range.upperBound - 1) / size {
            let start = min(sector * size, visible.count)
            let end = min(start + size, visible.count)
            var open = openSectors.removeValue(forKey: sector) ?? OpenSector()
            open.versions.append(contentsOf: visible[start..<end])
            open.versions.append(contentsOf: repeatElement(0, count: size - (end - start)))
            open.isDirty = true
            openSectors[sector] = open
        }
    }

    /// Everything that is dirty becomes durable.
    mutating func synchronize() {
        let dirty = openSectors.filter { $0.value.isDirty }
        if isLengthDirty {
            isLengthDirty = false
            lengthRange = visible.count...visible.count
            SimulatedContents.resize(&durable, to: visible.count)
        } else if let last = dirty.keys.max() {
            // After a failed synchronization the length is open as well, but no sector is written behind the end.
            let end = min((last + 1) * SimulatedContents.sectorByteCount, visible.count)
            if end > durable.count {
                SimulatedContents.resize(&durable, to: end)
                lengthRange = max(lengthRange.lowerBound, end)...lengthRange.upperBound
            }
        }
        for (sector, open) in dirty {
            SimulatedContents.place(open.version(open.versionCount - 1), sector: sector, into: &durable)
            openSectors[sector] = nil
        }
    }

    /// The device reported an error: pages are marked clean, and whether they were written nobody knows.
    mutating func failSynchronize() {
        isLengthDirty = false
        for sector in openSectors.keys { openSectors[sector]?.isDirty = false }
    }

    /// Clean sectors with bytes in a range are dropped, so that readers see what really reached the disk; dirty ones stay.
    mutating func evict(_ range: Range<Int>, _ random: inout SeededRandom) {
        let size = SimulatedContents.sectorByteCount
        for (sector, open) in openSectors.sorted(by: { $0.key < $1.key })
        where !open.isDirty && range.overlaps(sector * size..<(sector + 1) * size) {
            let choice = random.below(open.versionCount + 1)
            if choice > 0 {
                SimulatedContents.place(open.version(choice - 1), sector: sector, into: &durable)
            }
            let start = min(sector * SimulatedContents.sectorByteCount, durable.count)
            let end = min(start + SimulatedContents.sectorByteCount, durable.count)
            let padding = repeatElement(UInt8(0), count: SimulatedContents.sectorByteCount - (end - start))
            SimulatedContents.place(durable[start..<end] + padding, sector: sector, into: &visible)
            openSectors[sector] = nil
        }
    }

    /// Flips bits of a byte wherever it is kept.
    mutating func corrupt(offset: Int, xor mask: UInt8) {
        precondition(offset < visible.count, "no such byte")
        visible[offset] ^= mask
        if offset < durable.count { durable[offset] ^= mask }
        let size = SimulatedContents.sectorByteCount
        guard let open = openSectors[offset / size] else { return }
        for version in 0..<open.versionCount {
            openSectors[offset / size]?.versions[version * size + offset % size] ^= mask
        }
    }

    private static func resize(_ bytes: inout [UInt8], to length: Int) {
        if length < bytes.count {
            bytes.removeLast(bytes.count - length)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: length - bytes.count))
        }
    }

    /// What of the sector lies behind the end of `bytes` is left out.
    private static func place(_ content: ArraySlice<UInt8>, sector: Int, into bytes: inout [UInt8]) {
        let start = sector * sectorByteCount
        guard start < bytes.count else { return }
        let count = min(sectorByteCount, bytes.count - start)
        bytes.replaceSubrange(start..<start + count, with: content.prefix(count))
    }
}

// MARK: - Power loss

extension SimulatedContents {
    /// How the sectors of one file fare. The plain fates are likely on real disks and rare among independent choices.
    private enum Fate {
        case nothing, everything
        /// New up to some sector and old behind it: a torn tail.
        case prefix(Int)
        case mixed
    }

    /// The bytes that are there after the power came back.
    func survivor(_ random: inout SeededRandom) -> [UInt8] {
        guard !openSectors.isEmpty || lengthRange.count > 1 else { return durable }
        let sectors = openSectors.keys.sorted()
        let fate: Fate =
            switch random.below(5) {
            case 0: .nothing
            case 1: .everything
            case 2: .prefix(random.below(sectors.count + 1))
            default: .mixed
            }
        var bytes = durable
        SimulatedContents.resize(&bytes, to: survivingLength(fate, sectors, &random))
        for (rank, sector) in sectors.enumerated() {
            guard let open = openSectors[sector] else { continue }
            let choice =
                switch fate {
                case .nothing: 0
                case .everything: open.versionCount
                case .prefix(let cut): rank < cut ? open.versionCount : 0
                case .mixed: random.below(open.versionCount + 1)
                }
            if choice > 0 {
                SimulatedContents.place(open.version(choice - 1), sector: sector, into: &bytes)
            }
        }
        return bytes
    }

    private func survivingLength(_ fate: Fate, _ sectors: [Int], _ random: inout SeededRandom) -> Int {
        switch fate {
        case .nothing: return durable.count
        case .everything: return visible.count
        case .prefix(let cut):
            guard cut < sectors.count else { return visible.count }
            let end = sectors[cut] * SimulatedContents.sectorByteCount
            return min(max(end, lengthRange.lowerBound), lengthRange.upperBound)
        case .mixed:
            switch random.below(3) {
            case 0: return visible.count
            case 1: return durable.count
            default: return lengthRange.lowerBound + random.below(lengthRange.count)
            }
        }
    }
}
