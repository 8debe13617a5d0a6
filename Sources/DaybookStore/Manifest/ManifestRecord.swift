package import DaybookFormat

/// One edit as it stands in the file. Spec: docs/format/manifest.md, "Edit record".
package struct ManifestRecord: Sendable, Equatable {
    package static let headerByteCount = 24

    enum Kind: UInt8 {
        case snapshot = 1
        case seal = 2
        case lost = 3
        case replace = 4
        case history = 5
    }

    /// Generation of the manifest after this edit.
    package var generation: UInt64
    package var edit: ManifestEdit

    package init(generation: UInt64, edit: ManifestEdit) {
        self.generation = generation
        self.edit = edit
    }

    package func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: generation)
        bytes.append(kind.rawValue)
        bytes.append(contentsOf: repeatElement(0, count: 7))
        appendBody(to: &bytes)
        bytes.store(littleEndian: UInt32(bytes.count - start), at: start + 4)
        let checksum = bytes.withRawSpan { crc32c($0.extracting(start + 4..<$0.byteCount)) }
        bytes.store(littleEndian: checksum, at: start)
    }

    private var kind: Kind {
        switch edit {
        case .snapshot: .snapshot
        case .seal: .seal
        case .lost: .lost
        case .replace: .replace
        case .history: .history
        }
    }

    private func appendBody(to bytes: inout [UInt8]) {
        switch edit {
        case .snapshot(let manifest):
            bytes.append(littleEndian: manifest.sealedThrough)
            bytes.append(lengthPrefixed: manifest.carry ?? "")
            Self.append(manifest.segments, to: &bytes)
            Self.append(manifest.absences, to: &bytes)
            Self.append(manifest.history, to: &bytes)
        case .seal(let range, let segments, let carry):
            bytes.append(littleEndian: range.lowerBound)
            bytes.append(littleEndian: range.upperBound)
            bytes.append(lengthPrefixed: carry ?? "")
            Self.append(segments, to: &bytes)
        case .lost(let range, let reason):
            bytes.append(littleEndian: range.lowerBound)
            bytes.append(littleEndian: range.upperBound)
            bytes.append(reason.rawValue)
        case .replace(let range, let segments, let absences, let history):
            bytes.append(littleEndian: range.lowerBound)
            bytes.append(littleEndian: range.upperBound)
            Self.append(segments, to: &bytes)
            Self.append(absences, to: &bytes)
            Self.append(history, to: &bytes)
        case .history(let removed, let added):
            bytes.append(varint: UInt64(removed.count))
            for name in removed { bytes.append(lengthPrefixed: name) }
            Self.append(added, to: &bytes)
        }
    }

    private static func append(_ segments: [SegmentReference], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(segments.count))
        for segment in segments { segment.append(to: &bytes) }
    }

    private static func append(_ absences: [Absence], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(absences.count))
        for absence in absences { absence.append(to: &bytes) }
    }

    private static func append(_ history: [HistoryReference], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(history.count))
        for file in history { file.append(to: &bytes) }
    }
}

extension ManifestRecord {
    /// The record that starts at `offset`, its checksum compared, and where the next one starts.
    /// - Parameter version: of the file.
    package static func read(
        _ bytes: RawSpan, at offset: Int, version: UInt32 = ManifestFileHeader.version
    ) throws(FormatError) -> (record: ManifestRecord, end: Int) {
        let body = try verifiedRange(bytes, at: offset)
        var reader = ByteReader(at: offset + 8)
        let generation = try reader.uint64(bytes)
        guard let kind = Kind(rawValue: try reader.uint8(bytes)) else { throw .invalid("manifest edit kind") }
        for index in try reader.range(7, bytes) where bytes.byte(at: index) != 0 {
            throw .invalid("manifest edit reserved field")
        }
        let edit = try edit(kind, generation, bytes.extracting(body), knowsHistory: version > 2)
        return (ManifestRecord(generation: generation, edit: edit), body.upperBound)
    }

    /// Where the body stands of a record whose length fits and whose checksum agrees.
    static func verifiedRange(_ bytes: RawSpan, at offset: Int) throws(FormatError) -> Range<Int> {
        var reader = ByteReader(at: offset)
        let expected = try reader.uint32(bytes)
        let byteCount = Int(try reader.uint32(bytes))
        guard byteCount >= headerByteCount else { throw .invalid("manifest edit length") }
        guard byteCount <= bytes.byteCount - offset else {
            throw .truncated(needed: byteCount, found: bytes.byteCount - offset)
        }
        let found = crc32c(bytes.extracting(offset + 4..<offset + byteCount))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        return offset + headerByteCount..<offset + byteCount
    }

    private static func edit(
        _ kind: Kind, _ generation: UInt64, _ body: RawSpan, knowsHistory: Bool
    ) throws(FormatError) -> ManifestEdit {
        var reader = ByteReader()
        let edit: ManifestEdit
        switch kind {
        case .snapshot:
            var manifest = Manifest()
            manifest.generation = generation
            manifest.sealedThrough = try reader.uint64(body)
            manifest.carry = try carry(&reader, body)
            manifest.segments = try segments(&reader, body)
            manifest.absences = try absences(&reader, body)
            manifest.history = knowsHistory ? try history(&reader, body) : []
            edit = .snapshot(manifest)
        case .seal:
            let range = try ClosedRange(sequences: &reader, body)
            let carry = try carry(&reader, body)
            edit = .seal(range, segments: try segments(&reader, body), carry: carry)
        case .lost:
            let range = try ClosedRange(sequences: &reader, body)
            guard let reason = AbsenceReason(rawValue: try reader.uint8(body)) else { throw .invalid("absence reason") }
            edit = .lost(range, reason)
        case .replace:
            let range = try ClosedRange(sequences: &reader, body)
            let segments = try segments(&reader, body)
            let absences = try absences(&reader, body)
            edit = .replace(
                range, segments: segments, absences: absences, history: knowsHistory ? try history(&reader, body) : [])
        case .history:
            var removed: [String] = []
            for _ in 0..<(try reader.count(of: 1, body)) {
                removed.append(body.text(try reader.lengthPrefixedRange(body)))
            }
            edit = .history(removed: removed, added: try history(&reader, body))
        }
        guard reader.isAtEnd(body) else { throw .invalid("manifest edit length") }
        return edit
    }

    private static func carry(_ reader: inout ByteReader, _ body: RawSpan) throws(FormatError) -> String? {
        let range = try reader.lengthPrefixedRange(body)
        return range.isEmpty ? nil : body.text(range)
    }

    private static func segments(
        _ reader: inout ByteReader, _ body: RawSpan
    ) throws(FormatError) -> [SegmentReference] {
        let segmentCount = try reader.count(of: SegmentReference.fixedByteCount, body)
        var segments: [SegmentReference] = []
        segments.reserveCapacity(segmentCount)
        for _ in 0..<segmentCount { segments.append(try SegmentReference(&reader, body)) }
        return segments
    }

    private static func history(_ reader: inout ByteReader, _ body: RawSpan) throws(FormatError) -> [HistoryReference] {
        let fileCount = try reader.count(of: HistoryReference.fixedByteCount, body)
        var history: [HistoryReference] = []
        history.reserveCapacity(fileCount)
        for _ in 0..<fileCount { history.append(try HistoryReference(&reader, body)) }
        return history
    }

    private static func absences(_ reader: inout ByteReader, _ body: RawSpan) throws(FormatError) -> [Absence] {
        let absenceCount = try reader.count(of: Absence.byteCount, body)
        var absences: [Absence] = []
        absences.reserveCapacity(absenceCount)
        for _ in 0..<absenceCount { absences.append(try Absence(&reader, body)) }
        return absences
    }
}

extension ByteReader {
    /// A varint count of items of at least `byteCountMin` bytes each: never more than the bytes that are left can hold.
    mutating func count(of byteCountMin: Int, _ bytes: RawSpan) throws(FormatError) -> Int {
        var next = self
        let count = try next.varint(bytes)
        let room = (bytes.byteCount - next.offset) / byteCountMin
        guard count <= UInt64(room) else { throw .truncated(needed: .max, found: bytes.byteCount - next.offset) }
        self = next
        return Int(count)
    }
}
