package import DaybookFormat

/// A damaged part of a rollup file.
package struct RollupDamage: Equatable, Sendable, CustomStringConvertible {
    /// What the part is, such as `status 1h columns`.
    package let part: String
    /// Where it begins in the file.
    package let offset: UInt64
    package let reason: FormatError

    package var description: String { "\(part) at offset \(offset): \(reason)" }
}

/// The distinct names or users of a rollup, in the order of their bytes; a string's code is its place.
package struct RollupDictionary: Sendable, Equatable {
    private let bytes: [UInt8]
    private let ends: [Int]

    init() {
        bytes = []
        ends = [0]
    }

    init(reading part: RawSpan, count: Int) throws(FormatError) {
        var reader = ByteReader()
        var bytes: [UInt8] = []
        var ends = [0]
        for index in 0..<count {
            let range = try reader.lengthPrefixedRange(part)
            bytes.append(part.extracting(range))
            ends.append(bytes.count)
            guard index > 0 else { continue }
            let previous = bytes[ends[index - 1]..<ends[index]]
            guard previous.lexicographicallyPrecedes(bytes[ends[index]...]) else { throw .invalid("rollup strings") }
        }
        guard reader.isAtEnd(part) else { throw .invalid("rollup strings") }
        self.bytes = bytes
        self.ends = ends
    }

    package var count: Int { ends.count - 1 }

    /// Bytes in memory, about.
    var byteCount: Int { bytes.count + 8 * ends.count }

    /// Precondition: `code < count`.
    package func bytes(of code: UInt32) -> ArraySlice<UInt8> { bytes[ends[Int(code)]..<ends[Int(code) + 1]] }

    /// Nil when no row has the string. Complexity: O(log n).
    package func code(of wanted: [UInt8]) -> UInt32? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if bytes(of: UInt32(middle)).lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return low < count && bytes(of: UInt32(low)).elementsEqual(wanted) ? UInt32(low) : nil
    }
}

/// The rows of one grain and window.
package struct RollupSection: Sendable {
    struct Block: Sendable {
        var status: UInt8
        var rowCount: Int
        /// Numbers of windows since 1970.
        var windows: ClosedRange<Int64>
        var columns: Range<Int>
        var histograms: Range<Int>
    }

    package let grain: RollupGrain
    package let window: RollupWindow
    package let rowCount: Int
    /// False when that part is damaged: no percentiles, everything else.
    package internal(set) var hasHistograms = true
    let blocks: [Block]

    /// What it costs: columns with their table, and histograms.
    package let byteCounts: (columns: Int, histograms: Int)
}

/// A rollup file, checked: header and directory are sound, and so is every section that it gives out. Its bytes stay in
/// memory, about one or two for each event. Spec: docs/format/rollup.md.
package struct RollupFile: Sendable {
    package let identity: RollupIdentity
    package let eventCount: UInt64
    package private(set) var damages: [RollupDamage] = []
    package private(set) var names = RollupDictionary()
    package private(set) var users = RollupDictionary()

    /// The file and the padding that `BitSource` wants.
    let storage: [UInt8]
    let shape: RollupShape
    private let directory: RollupDirectory
    private var sections: [RollupSection] = []

    /// Throws when header or directory are damaged; any other part that is damaged costs itself only.
    package init(_ bytes: [UInt8]) throws(FormatError) {
        let (header, directory) = try bytes.withRawSpan { (span: RawSpan) throws(FormatError) in
            let header = try RollupHeader(reading: span)
            var reader = ByteReader(at: RollupHeader.byteCount)
            let range = try reader.range(header.directoryByteCount, span)
            let found = crc32c(span.extracting(range))
            guard found == header.directoryChecksum else {
                throw FormatError.checksum(expected: header.directoryChecksum, found: found)
            }
            let directory = try RollupDirectory(
                reading: span.extracting(range), start: range.upperBound, eventCount: header.eventCount)
            return (header, directory)
        }
        identity = header.identity
        eventCount = header.eventCount
        shape = RollupShape(identity.family)
        self.directory = directory
        storage = bytes + [UInt8](repeating: 0, count: bitSourcePaddingByteCount)
        for grain in directory.grains { open(grain) }
        if byteCount > directory.byteCount {
            damages.append(
                RollupDamage(part: "end", offset: UInt64(directory.byteCount), reason: .invalid("rollup length")))
        }
    }

    package var byteCount: Int { storage.count - bitSourcePaddingByteCount }

    /// Bytes in memory, about.
    package var memoryByteCount: Int {
        let blockCount = sections.reduce(0) { $0 + $1.blocks.count }
        return 1_024 + storage.count + names.byteCount + users.byteCount + sections.count * 128
            + blockCount * MemoryLayout<RollupSection.Block>.stride
    }

    /// The finest window that is stored of a grain; all coarser ones are, too. Nil when the grain is not stored.
    package func finestWindow(_ grain: RollupGrain) -> RollupWindow? {
        directory.grains[Int(grain.rawValue) - 1].sections.first?.window
    }

    /// Nil when it is not stored, or damaged.
    package func section(_ grain: RollupGrain, _ window: RollupWindow) -> RollupSection? {
        sections.first { $0.grain == grain && $0.window == window }
    }

    /// The strings that the keys of a grain mean.
    package func dictionary(of grain: RollupGrain) -> RollupDictionary { grain == .user ? users : names }

    private mutating func open(_ entry: RollupGrainEntry) {
        guard !entry.sections.isEmpty else { return }
        if let strings = entry.strings {
            do throws(FormatError) {
                try verify(strings)
                let dictionary = try storage.withRawSpan { (span: RawSpan) throws(FormatError) in
                    try RollupDictionary(reading: span.extracting(strings.range), count: entry.stringCount)
                }
                if entry.grain == .user { users = dictionary } else { names = dictionary }
            } catch {
                return note("\(entry.grain) strings", strings, error)
            }
        }
        for section in entry.sections { open(section, of: entry.grain) }
    }

    private mutating func open(_ entry: RollupGrainEntry.Section, of grain: RollupGrain) {
        let name = "\(grain) \(entry.window)"
        do throws(FormatError) {
            try verify(entry.columns)
            var section = try storage.withRawSpan { (span: RawSpan) throws(FormatError) in
                try RollupSection(reading: span, entry, grain, shape)
            }
            do throws(FormatError) {
                try verify(entry.histograms)
            } catch {
                section.hasHistograms = false
                note(name + " histograms", entry.histograms, error)
            }
            sections.append(section)
        } catch {
            note(name + " columns", entry.columns, error)
        }
    }

    private func verify(_ part: RollupGrainEntry.Part) throws(FormatError) {
        guard part.range.upperBound <= byteCount else {
            throw .truncated(needed: part.range.count, found: max(0, byteCount - part.range.lowerBound))
        }
        let found = storage.withRawSpan { crc32c($0.extracting(part.range)) }
        guard found == part.checksum else { throw .checksum(expected: part.checksum, found: found) }
    }

    private mutating func note(_ part: String, _ place: RollupGrainEntry.Part, _ reason: FormatError) {
        damages.append(RollupDamage(part: part, offset: UInt64(place.range.lowerBound), reason: reason))
    }
}

extension RollupSection {
    /// Reads the table of blocks. Precondition: the parts lie inside `file`.
    init(
        reading file: RawSpan, _ entry: RollupGrainEntry.Section, _ grain: RollupGrain, _ shape: RollupShape
    ) throws(FormatError) {
        let part = file.extracting(0..<entry.columns.range.upperBound)
        var reader = ByteReader(at: entry.columns.range.lowerBound)
        let blockCount = try reader.varint(part)
        guard blockCount <= UInt64(entry.rowCount) else { throw .invalid("rollup block count") }
        var blocks: [Block] = []
        var rowCount = 0
        var previous: Int64 = 0
        var columns = 0
        var histograms = 0
        for _ in 0..<blockCount {
            let status = try reader.uint8(part)
            let rows = try reader.varint(part)
            guard status < (shape == .values ? 1 : 4), rows > 0, rows <= UInt64(SectionEncoder.blockRowCountMax) else {
                throw .invalid("rollup block")
            }
            let step = try reader.varint(part)
            previous &+= Int64(bitPattern: step >> 1) ^ -Int64(bitPattern: step & 1)
            let (last, overflow) = previous.addingReportingOverflow(
                Int64(truncatingIfNeeded: try reader.varint(part)))
            guard !overflow, last >= previous else { throw .invalid("rollup window") }
            for number in [previous, last] {
                guard !number.multipliedReportingOverflow(by: entry.window.microseconds).overflow else {
                    throw .invalid("rollup window")
                }
            }
            let columnByteCount = try reader.varint(part)
            let histogramByteCount = try reader.varint(part)
            guard columnByteCount <= UInt64(entry.columns.range.count - columns),
                histogramByteCount <= UInt64(entry.histograms.range.count - histograms)
            else { throw .invalid("rollup block length") }
            rowCount += Int(rows)
            let columnsEnd = columns + Int(columnByteCount)
            let histogramsEnd = histograms + Int(histogramByteCount)
            let base = entry.histograms.range.lowerBound
            blocks.append(
                Block(
                    status: status, rowCount: Int(rows), windows: previous...last, columns: columns..<columnsEnd,
                    histograms: base + histograms..<base + histogramsEnd))
            columns = columnsEnd
            histograms = histogramsEnd
        }
        guard rowCount == entry.rowCount, reader.offset + columns == part.byteCount,
            histograms == entry.histograms.range.count
        else { throw .invalid("rollup block length") }
        for index in blocks.indices {
            let range = blocks[index].columns
            blocks[index].columns = reader.offset + range.lowerBound..<reader.offset + range.upperBound
        }
        self.init(
            grain: grain, window: entry.window, rowCount: entry.rowCount, blocks: blocks,
            byteCounts: (entry.columns.range.count, entry.histograms.range.count))
    }
}
