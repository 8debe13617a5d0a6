internal import DaybookFormat

/// The first bytes of a rollup file. Spec: docs/format/rollup.md, "Header".
struct RollupHeader {
    static let byteCount = 60
    static let magic: UInt32 = 0x5242_4444  // "DDBR" in the file
    static let version: UInt32 = 1

    var identity: RollupIdentity
    var eventCount: UInt64
    var directoryByteCount: Int
    var directoryChecksum: UInt32

    init(identity: RollupIdentity, eventCount: UInt64, directoryByteCount: Int, directoryChecksum: UInt32) {
        self.identity = identity
        self.eventCount = eventCount
        self.directoryByteCount = directoryByteCount
        self.directoryChecksum = directoryChecksum
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: identity.log.rawValue)
        bytes.append(identity.family.rawValue)
        bytes.append(contentsOf: [0, 0, 0])
        bytes.append(littleEndian: identity.segmentChecksum)
        bytes.append(littleEndian: identity.firstSequence)
        bytes.append(littleEndian: identity.lastSequence)
        bytes.append(littleEndian: eventCount)
        bytes.append(littleEndian: UInt32(directoryByteCount))
        bytes.append(littleEndian: directoryChecksum)
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let version = try reader.uint32(bytes)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        let log = LogID(try reader.uint64(bytes))
        let familyNumber = try reader.uint8(bytes)
        for _ in 0..<3 {
            guard try reader.uint8(bytes) == 0 else { throw .invalid("rollup reserved field") }
        }
        let segmentChecksum = try reader.uint32(bytes)
        let firstSequence = try reader.uint64(bytes)
        let lastSequence = try reader.uint64(bytes)
        eventCount = try reader.uint64(bytes)
        directoryByteCount = Int(try reader.uint32(bytes))
        directoryChecksum = try reader.uint32(bytes)
        let expected = try reader.uint32(bytes)
        let found = crc32c(bytes.extracting(0..<Self.byteCount - 4))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        guard let family = Family(rawValue: familyNumber), RollupPolicy.covers(family) else {
            throw .invalid("rollup family")
        }
        guard firstSequence <= lastSequence else { throw .invalid("rollup sequences") }
        guard eventCount <= HistogramCoding.countMax else { throw .invalid("rollup event count") }
        identity = RollupIdentity(
            log: log, family: family, firstSequence: firstSequence, lastSequence: lastSequence,
            segmentChecksum: segmentChecksum)
    }
}

/// What the directory says of one grain.
struct RollupGrainEntry {
    struct Part {
        var range: Range<Int>
        var checksum: UInt32
    }

    struct Section {
        var window: RollupWindow
        var rowCount: Int
        var columns: Part
        var histograms: Part
    }

    var grain: RollupGrain
    var stringCount = 0
    var strings: Part?
    /// By rising window; empty when the grain is not stored.
    var sections: [Section] = []
}

/// The directory of a rollup file. Spec: docs/format/rollup.md, "Directory".
struct RollupDirectory {
    private(set) var grains: [RollupGrainEntry] = []
    /// Bytes of the whole file.
    private(set) var byteCount: Int

    /// - Parameters:
    ///   - bytes: the directory and nothing else.
    ///   - start: where the parts begin in the file.
    init(reading bytes: RawSpan, start: Int, eventCount: UInt64) throws(FormatError) {
        byteCount = start
        var reader = ByteReader()
        for grain in RollupGrain.allCases {
            var entry = RollupGrainEntry(grain: grain)
            let finest = try reader.uint8(bytes)
            if finest > 0 {
                guard let finest = RollupWindow(rawValue: finest) else { throw .invalid("rollup window") }
                if grain.hasKeys {
                    entry.stringCount = try Self.count(&reader, bytes, max: eventCount)
                    entry.strings = try part(&reader, bytes)
                }
                for window in RollupWindow.allCases where window >= finest {
                    let rowCount = try Self.count(&reader, bytes, max: eventCount)
                    guard rowCount > 0 else { throw .invalid("rollup row count") }
                    let columns = try part(&reader, bytes)
                    let histograms = try part(&reader, bytes)
                    entry.sections.append(
                        RollupGrainEntry.Section(
                            window: window, rowCount: rowCount, columns: columns, histograms: histograms))
                }
            }
            grains.append(entry)
        }
        guard reader.isAtEnd(bytes) else { throw .invalid("rollup directory length") }
    }

    private static func count(
        _ reader: inout ByteReader, _ bytes: RawSpan, max: UInt64
    ) throws(FormatError) -> Int {
        let count = try reader.varint(bytes)
        guard count <= max else { throw .invalid("rollup row count") }
        return Int(count)
    }

    private mutating func part(
        _ reader: inout ByteReader, _ bytes: RawSpan
    ) throws(FormatError) -> RollupGrainEntry.Part {
        let length = try reader.varint(bytes)
        let checksum = try reader.uint32(bytes)
        guard length <= UInt64(UInt32.max) else { throw .invalid("rollup part length") }
        let range = byteCount..<byteCount + Int(length)
        byteCount = range.upperBound
        return RollupGrainEntry.Part(range: range, checksum: checksum)
    }
}
