package import DaybookFormat

/// The first bytes of a manifest. Spec: docs/format/manifest.md, "File header".
package struct ManifestFileHeader: Equatable, Sendable {
    package static let byteCount = 24
    package static let magic: UInt32 = 0x4D42_4444  // "DDBM" in the file
    package static let version: UInt32 = 3
    /// The first one that is still read. It knew no history files.
    static let versionMin: UInt32 = 2

    package var log: LogID
    package let version: UInt32

    package init(log: LogID) {
        self.log = log
        version = Self.version
    }

    package func encoded() -> [UInt8] {
        var bytes = [UInt8](magic: Self.magic, version: Self.version, byteCount: Self.byteCount)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: UInt32(0))
        bytes.appendChecksum()
        return bytes
    }

    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        version = try reader.readMagic(Self.magic, versions: Self.versionMin...Self.version, bytes)
        log = LogID(try reader.uint64(bytes))
        try reader.readReserved("manifest header reserved field", bytes)
        try reader.readChecksum(bytes)
    }
}

/// What the bytes of a manifest file say. A value: reading touches no disk, so tools and recovery plan with it.
package struct ManifestFile: Sendable, Equatable {
    package let log: LogID
    package let version: UInt32
    package private(set) var manifest = Manifest()
    package private(set) var editCount = 0
    /// Length of the header and of all whole edits. What follows in the file is a torn edit.
    package private(set) var byteCount = ManifestFileHeader.byteCount
    /// Bytes of an edit that was never published: the crash came before its sync returned.
    package private(set) var tornByteCount = 0

    /// Replays a whole file. A torn edit at the very end is left out; any other damage is thrown.
    /// Complexity: O(bytes), and O(segments) once for the invariants.
    package init(reading bytes: RawSpan, file: String) throws(Corruption) {
        do throws(FormatError) {
            let header = try ManifestFileHeader(reading: bytes)
            (log, version) = (header.log, header.version)
        } catch {
            throw Corruption(file: file, offset: 0, reason: error)
        }
        var lastOffset = 0
        while byteCount < bytes.byteCount {
            if Self.isTorn(bytes, at: byteCount, after: manifest.generation) {
                tornByteCount = bytes.byteCount - byteCount
                break
            }
            lastOffset = byteCount
            do throws(FormatError) {
                try replay(bytes)
            } catch {
                throw Corruption(file: file, offset: UInt64(lastOffset), reason: error)
            }
        }
        if let rule = manifest.firstBrokenInvariant {
            throw Corruption(file: file, offset: UInt64(lastOffset), reason: .invalid(rule))
        }
    }

    private mutating func replay(_ bytes: RawSpan) throws(FormatError) {
        let (record, end) = try ManifestRecord.read(bytes, at: byteCount, version: version)
        do throws(ManifestViolation) {
            let next = try manifest.applying(record.edit)
            guard next.generation == record.generation else {
                throw ManifestViolation("generation of a manifest edit")
            }
            manifest = next
        } catch {
            throw .invalid(error.rule)
        }
        editCount += 1
        byteCount = end
    }

    /// Whether the bytes from `offset` to the end can be an edit whose write was cut short. Disks write sectors whole,
    /// and the file had nothing there before: so the file ends before the edit does, or a sector of it was never
    /// written and is zero. A whole edit with a wrong checksum is damage, and so is anything with an edit behind it.
    private static func isTorn(_ bytes: RawSpan, at offset: Int, after generation: UInt64) -> Bool {
        do throws(FormatError) {
            _ = try ManifestRecord.verifiedRange(bytes, at: offset)
            return false
        } catch .truncated {
            return !hasLaterRecord(bytes, from: offset + 1, after: generation)
        } catch {
            return hasUnwrittenSector(bytes, from: offset)
                && !hasLaterRecord(bytes, from: offset + 1, after: generation)
        }
    }

    private static func hasUnwrittenSector(_ bytes: RawSpan, from offset: Int) -> Bool {
        let sectorByteCount = 512
        var start = offset
        while start < bytes.byteCount {
            let end = min(bytes.byteCount, (start / sectorByteCount + 1) * sectorByteCount)
            if (start..<end).allSatisfy({ bytes.byte(at: $0) == 0 }) { return true }
            start = end
        }
        return false
    }

    /// Generations that the search takes for a later edit of this file, which never holds more than
    /// `ManifestLog.editCountMax` edits.
    private static func hasLaterRecord(_ bytes: RawSpan, from start: Int, after generation: UInt64) -> Bool {
        guard start <= bytes.byteCount - ManifestRecord.headerByteCount else { return false }
        for offset in start...bytes.byteCount - ManifestRecord.headerByteCount {
            var reader = ByteReader(at: offset + 8)
            guard let found = try? reader.uint64(bytes),
                found > generation, found - generation <= UInt64(ManifestLog.editCountMax)
            else { continue }
            if (try? ManifestRecord.verifiedRange(bytes, at: offset)) != nil { return true }
        }
        return false
    }
}
