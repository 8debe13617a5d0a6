package import DaybookFormat
package import DaybookSystem

/// Where one group record stands in the journal.
package struct JournalGroup: Sendable, Equatable {
    package var slot: Int
    /// Offset of the group record in the file.
    package var offset: UInt32
    package var byteCount: UInt32
    package var log: LogID
    package var firstSequence: UInt64
    package var eventCount: UInt32

    package var lastSequence: UInt64 { firstSequence + UInt64(eventCount) - 1 }
}

/// A stretch of the journal that could not be read as frames.
package struct JournalDamage: Sendable, Equatable {
    package enum Judgement: Sendable, Equatable {
        /// Unacknowledged: the write was under way when the process or the power ended.
        case torn
        /// Below a position that was known to be durable, or without the marks of an interrupted write: events may be
        /// lost. Reported and set aside, never cut silently.
        case corrupt
    }

    package var slot: Int
    package var range: Range<Int>
    package var judgement: Judgement
    package var reason: FormatError
}

/// What a reader finds in the journal, without writing anything: recovery's plan, and the offline tools' view.
package struct JournalScan: Sendable {
    /// Groups in journal order, from the checkpoint's position on.
    package var groups: [JournalGroup] = []
    package var damages: [JournalDamage] = []
    /// End of the last frame; at least the position the scan started from.
    package var endPosition: UInt64
    /// The highest ordinal in use; 0 when no file has a header.
    package var ordinal: UInt64 = 0
    /// Everything before it was durable when the last frame was written.
    package var durablePosition: UInt64 = 0
    /// Slots that hold frames at or after the start position.
    package var slotsInUse: Set<Int> = []
    /// Slots whose files are zero and ready for use.
    package var cleanSlots: Set<Int> = []
    package var slotCount = 0
}

extension JournalScan {
    private struct Use {
        var slot: Int
        var header: JournalFileHeader
    }

    /// Files with higher numbers are not ours, and no file is longer.
    private static let slotCountMax: UInt64 = 1 << 16
    private static let fileByteCountMax: UInt64 = 1 << 40

    /// Reads all journal files of the store.
    ///
    /// - Parameters:
    ///   - position: the last checkpoint's; frames before it are in durable logs and are skipped.
    ///   - limit: for readers beside a running server: nothing at or after it is looked at.
    ///   - isAfterStart: what counts is read from the disk itself: after a failed sync in an earlier life the page cache
    ///     may hold what the disk does not.
    package static func read(
        disk: any Disk, storeID: UInt64, from position: UInt64, limit: UInt64 = .max, isAfterStart: Bool = false
    ) throws(LogError) -> JournalScan {
        var scan = JournalScan(endPosition: position)
        var uses: [Use] = []
        let names = try onDisk { () throws(DiskError) in try disk.list(Layout.journal) }
        for name in names {
            guard case .journal(let number)? = FileKind(name: name), number < slotCountMax else { continue }
            let slot = Int(number)
            scan.slotCount = max(scan.slotCount, slot + 1)
            guard
                let header = try scan.readHeader(
                    disk: disk, slot: slot, storeID: storeID, isAfterStart: isAfterStart)
            else { continue }
            guard header.ordinal > 0 else {
                scan.cleanSlots.insert(slot)
                continue
            }
            uses.append(Use(slot: slot, header: header))
        }
        uses.sort { $0.header.ordinal < $1.header.ordinal }
        scan.ordinal = uses.last?.header.ordinal ?? 0
        for (index, use) in uses.enumerated() {
            let end = index + 1 < uses.count ? uses[index + 1].header.basePosition : .max
            guard end > position, use.header.basePosition < limit else { continue }
            try scan.readFile(
                disk: disk, use: use, from: position, end: min(end, limit), isLast: end == .max,
                isAfterStart: isAfterStart)
        }
        return scan
    }

    /// Nil when the file is unused: its first sector is zero.
    private mutating func readHeader(
        disk: any Disk, slot: Int, storeID: UInt64, isAfterStart: Bool
    ) throws(LogError) -> JournalFileHeader? {
        let path = JournalFiles.path(slot)
        let bytes = try onDisk { () throws(DiskError) -> [UInt8] in
            let file = try disk.open(path, .read)
            defer { file.close() }
            if isAfterStart { file.evictFromPageCache(0..<JournalFileHeader.byteCount) }
            var bytes: [UInt8] = []
            try file.read(JournalFileHeader.byteCount, at: 0, appendingTo: &bytes)
            return bytes
        }
        if bytes.allSatisfy({ $0 == 0 }) { return nil }
        do {
            let header = try unsafe JournalFileHeader(reading: bytes.span.bytes)
            guard header.storeID == storeID else { throw FormatError.invalid("journal file store id") }
            return header
        } catch {
            damages.append(
                JournalDamage(
                    slot: slot, range: 0..<JournalFileHeader.byteCount, judgement: .corrupt,
                    reason: error as? FormatError ?? .invalid("journal file header")))
            return nil
        }
    }

    private mutating func readFile(
        disk: any Disk, use: Use, from position: UInt64, end: UInt64, isLast: Bool,
        isAfterStart: Bool
    ) throws(LogError) {
        let path = JournalFiles.path(use.slot)
        let file = try onDisk { () throws(DiskError) in try disk.open(path, .read) }
        defer { file.close() }
        let fileByteCount = Int(clamping: try onDisk { () throws(DiskError) in try file.byteCount() })
        let base = use.header.basePosition
        // A file may have been cut inside its header, and headers that contradict each other are damage as well.
        let dataByteCount = UInt64(max(0, fileByteCount - JournalFileHeader.byteCount))
        if end < base {
            damages.append(
                JournalDamage(
                    slot: use.slot, range: 0..<JournalFileHeader.byteCount, judgement: .corrupt,
                    reason: .invalid("journal file position")))
        }
        let wantedByteCount = end > base ? end - base : 0
        let limit = JournalFileHeader.byteCount + Int(min(wantedByteCount, dataByteCount))
        let start = JournalFileHeader.byteCount + Int(position > base ? min(position - base, dataByteCount) : 0)
        var walk = JournalWalk(slot: use.slot, header: use.header, offset: start, limit: limit)
        if try onDisk({ () throws(DiskError) in try walk.runInWindows(file, isAfterStart: isAfterStart) }) == false {
            walk = JournalWalk(slot: use.slot, header: use.header, offset: start, limit: limit)
            if isAfterStart { file.evictFromPageCache() }
            let bytes = try onDisk { () throws(DiskError) in try file.readExactly(fileByteCount, at: 0) }
            unsafe walk.run(bytes.span.bytes)
        }
        if isLast { walk.dropUnacknowledged() }
        groups.append(contentsOf: walk.groups)
        durablePosition = max(durablePosition, walk.durablePosition)
        endPosition = max(endPosition, base + UInt64(walk.end - JournalFileHeader.byteCount))
        if walk.end > start || !walk.groups.isEmpty { slotsInUse.insert(use.slot) }
        let mustReach = JournalFileHeader.byteCount + Int(min(wantedByteCount, Self.fileByteCountMax))
        damages.append(contentsOf: walk.judged(fileByteCount, mustReach: isLast ? nil : mustReach))
    }
}

/// Walks the frames of one file. Pure: bytes in, groups and damages out.
struct JournalWalk {
    let slot: Int
    let header: JournalFileHeader
    var offset: Int
    let limit: Int
    var groups: [JournalGroup] = []
    /// End of the last good frame.
    var end: Int
    var durablePosition: UInt64 = 0
    private var suspects: [JournalDamage] = []

    init(slot: Int, header: JournalFileHeader, offset: Int, limit: Int) {
        self.slot = slot
        self.header = header
        self.offset = offset
        self.limit = limit
        end = offset
    }

    private func position(of offset: Int) -> UInt64 {
        header.basePosition + UInt64(offset - JournalFileHeader.byteCount)
    }

    mutating func run(_ bytes: RawSpan) {
        while offset < limit {
            do throws(FormatError) {
                let frame = try readFrame(bytes, at: offset)
                offset += frame.byteCount
                end = offset
            } catch {
                guard let next = nextFrame(bytes, after: offset) else {
                    noteRest(bytes, reason: error)
                    return
                }
                suspects.append(damage(offset..<next, bytes, reason: error))
                offset = next
            }
        }
    }

    /// Verifies the frame and its payload, and takes it.
    ///
    /// - Parameter origin: where in the file `bytes` begin.
    mutating func readFrame(
        _ bytes: RawSpan, at offset: Int, origin: Int = 0
    ) throws(FormatError) -> JournalFrame {
        guard limit - offset >= JournalFrame.headerByteCount else {
            throw .truncated(needed: JournalFrame.headerByteCount, found: limit - offset)
        }
        let frame = try JournalFrame(reading: bytes, at: offset - origin, nonce: header.nonce)
        guard frame.position == position(of: offset) else { throw .invalid("journal frame position") }
        guard frame.byteCount <= limit - offset else {
            throw .truncated(needed: frame.byteCount, found: limit - offset)
        }
        let payload = offset + JournalFrame.headerByteCount
        if frame.kind == .group {
            var reader = ByteReader(at: payload - origin)
            let checksum = try reader.uint32(bytes)
            guard checksum == frame.payloadChecksum else {
                throw .checksum(expected: frame.payloadChecksum, found: checksum)
            }
            let group = try GroupHeader(verifying: bytes, at: payload - origin)
            guard group.byteCount == frame.payloadByteCount, group.log == frame.log else {
                throw .invalid("journal frame payload")
            }
            groups.append(
                JournalGroup(
                    slot: slot, offset: UInt32(payload), byteCount: UInt32(frame.payloadByteCount), log: group.log,
                    firstSequence: group.firstSequence, eventCount: UInt32(group.eventCount)))
        }
        durablePosition = max(durablePosition, frame.durablePosition)
        return frame
    }

    /// The next place where a whole frame of this use verifies. Frames start at multiples of eight.
    private func nextFrame(_ bytes: RawSpan, after offset: Int) -> Int? {
        var candidate = offset + 8
        while candidate + JournalFrame.headerByteCount <= limit {
            if bytes.byte(at: candidate + 4) == UInt8(truncatingIfNeeded: JournalFrame.magic) {
                var probe = self
                if (try? probe.readFrame(bytes, at: candidate)) != nil { return candidate }
            }
            candidate += 8
        }
        return nil
    }

    private mutating func noteRest(_ bytes: RawSpan, reason: FormatError) {
        guard let last = lastNonZero(bytes, in: offset..<limit) else { return }
        // Where the header is whole, it says how far its frame would have reached.
        var upper = last + 1
        var isPrefix = last + 1 - offset < JournalFrame.headerByteCount
        if let frame = try? JournalFrame(reading: bytes, at: offset, nonce: header.nonce) {
            upper = max(upper, min(offset + frame.byteCount, limit))
            // Zero to the very end: the write stopped before it came to the mark.
            isPrefix = last + 1 < offset + frame.byteCount
        }
        var damage = damage(offset..<upper, bytes, reason: reason)
        if isPrefix { damage.judgement = .torn }
        suspects.append(damage)
    }

    /// An interrupted commit leaves at least one sector as it was, zero, or, when the process ended in the middle of the
    /// call, a first part with zeroes behind it. Anything else was written whole and then changed, which only a fault of
    /// the medium does.
    private func damage(_ range: Range<Int>, _ bytes: RawSpan, reason: FormatError) -> JournalDamage {
        JournalDamage(
            slot: slot, range: range, judgement: hasZeroSector(bytes, in: range) ? .torn : .corrupt, reason: reason)
    }

    /// In the newest file: a torn frame at or after the last position that is known to be durable ends the journal. What
    /// stands whole behind it belongs to the same interrupted commit, and nobody was told of it.
    mutating func dropUnacknowledged() {
        guard
            let torn = suspects.firstIndex(where: {
                $0.judgement == .torn && position(of: $0.range.lowerBound) >= durablePosition
            })
        else { return }
        let cut = suspects[torn].range.lowerBound
        groups.removeAll { Int($0.offset) > cut }
        suspects.removeSubrange((torn + 1)...)
        end = cut
    }

    /// The damages with the last word said: what lies below a durable position, or before a file that followed, was
    /// acknowledged and is therefore corruption.
    func judged(_ fileByteCount: Int, mustReach: Int?) -> [JournalDamage] {
        var result: [JournalDamage] = []
        for var suspect in suspects {
            if position(of: suspect.range.lowerBound) < durablePosition || mustReach != nil {
                suspect.judgement = .corrupt
            }
            result.append(suspect)
        }
        if let mustReach, end < mustReach, result.last.map({ $0.range.upperBound < mustReach }) ?? true {
            // Of a file that was cut nothing stands there any more.
            let upper = max(end + 1, min(mustReach, fileByteCount))
            result.append(
                JournalDamage(
                    slot: slot, range: end..<upper, judgement: .corrupt,
                    reason: .truncated(needed: mustReach - end, found: max(0, fileByteCount - end))))
        }
        return result
    }
}

/// Whether a 512-byte sector that lies in `range` at least in part past its first one is all zero.
func hasZeroSector(_ bytes: RawSpan, in range: Range<Int>) -> Bool {
    var sector = range.lowerBound / 512 * 512
    while sector < range.upperBound {
        let part = max(sector, range.lowerBound)..<min(sector + 512, range.upperBound)
        if part.count >= 8, lastNonZero(bytes, in: part) == nil { return true }
        sector += 512
    }
    return false
}

/// The last byte in `range` that is not zero, eight at a time.
func lastNonZero(_ bytes: RawSpan, in range: Range<Int>) -> Int? {
    var index = range.upperBound
    while index - 8 >= range.lowerBound {
        let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index - 8, as: UInt64.self)
        if word != 0 { break }
        index -= 8
    }
    while index > range.lowerBound {
        if bytes.byte(at: index - 1) != 0 { return index - 1 }
        index -= 1
    }
    return nil
}
