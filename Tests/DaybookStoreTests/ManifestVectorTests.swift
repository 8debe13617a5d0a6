import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// The bytes on docs/format/manifest.md.
struct ManifestVectorTests {
    static func vectors(_ prefix: String) throws -> [HexVector] {
        try HexVectors.load(page: "docs/format/manifest.md").filter { $0.name.hasPrefix(prefix) }
    }

    @Test func theHeaderOnThePageIsReadAndWritten() throws {
        let vector = try #require(try Self.vectors("manifest-header").first)
        let header = try vector.bytes.withRawSpan { (span) throws(FormatError) in
            try ManifestFileHeader(reading: span)
        }
        let fields = try vector.fields()
        #expect(header.log.rawValue == fields["log"]?.unsigned)
        #expect(ManifestFileHeader.version == fields["version"]?.unsigned.map(UInt32.init))
        #expect(header.encoded() == vector.bytes)
    }

    @Test(arguments: try vectors("manifest-edit-"))
    func everyEditOnThePageIsReadAndWritten(vector: HexVector) throws {
        let (record, end) = try vector.bytes.withRawSpan { (span) throws(FormatError) in
            try ManifestRecord.read(span, at: 0)
        }
        #expect(end == vector.bytes.count)
        #expect(Self.json(record) == (try vector.fields()))
        var bytes: [UInt8] = []
        record.append(to: &bytes)
        #expect(bytes == vector.bytes)
    }

    @Test func thePageShowsEveryKindOfEdit() throws {
        let kinds = try Self.vectors("manifest-edit-").map { try $0.fields()["kind"]?.string }
        #expect(kinds == ["seal", "lost", "replace", "history", "snapshot"])
    }

    @Test func theEditsOnThePageAreOneFileAndItsSnapshot() throws {
        let header = try #require(try Self.vectors("manifest-header").first).bytes
        let edits = try Self.vectors("manifest-edit-").map(\.bytes)
        let replayed = try Sample.read(header + edits[0] + edits[1] + edits[2] + edits[3])
        let snapshot = try Sample.read(header + edits[4])
        #expect(replayed.manifest == snapshot.manifest)
        #expect(replayed.manifest.sealedThrough == 1_210)
    }

    static func json(_ record: ManifestRecord) -> ParsedJSON {
        var members: [String: ParsedJSON] = ["generation": number(record.generation)]
        switch record.edit {
        case .snapshot(let manifest):
            members["kind"] = text("snapshot")
            members["sealed_through"] = number(manifest.sealedThrough)
            members["carry"] = manifest.carry.map(text) ?? .null
            members["segments"] = .array(manifest.segments.map(json))
            members["absences"] = .array(manifest.absences.map(json))
            members["history"] = .array(manifest.history.map(json))
        case .seal(let range, let segments, let carry):
            members["kind"] = text("seal")
            members["first_sequence"] = number(range.lowerBound)
            members["last_sequence"] = number(range.upperBound)
            members["carry"] = carry.map(text) ?? .null
            members["segments"] = .array(segments.map(json))
        case .lost(let range, let reason):
            members["kind"] = text("lost")
            members["first_sequence"] = number(range.lowerBound)
            members["last_sequence"] = number(range.upperBound)
            members["reason"] = number(reason.rawValue)
        case .replace(let range, let segments, let absences, let history):
            members["kind"] = text("replace")
            members["first_sequence"] = number(range.lowerBound)
            members["last_sequence"] = number(range.upperBound)
            members["segments"] = .array(segments.map(json))
            members["absences"] = .array(absences.map(json))
            members["history"] = .array(history.map(json))
        case .history(let removed, let added):
            members["kind"] = text("history")
            members["removed"] = .array(removed.map(text))
            members["history"] = .array(added.map(json))
        }
        return object(members)
    }

    private static func json(_ absence: Absence) -> ParsedJSON {
        object([
            "first_sequence": number(absence.range.lowerBound), "last_sequence": number(absence.range.upperBound),
            "event_count": number(absence.eventCount), "reason": number(absence.reason.rawValue),
        ])
    }

    private static func json(_ file: HistoryReference) -> ParsedJSON {
        object([
            "family": number(file.family.rawValue), "first_sequence": number(file.firstSequence),
            "last_sequence": number(file.lastSequence), "event_count": number(file.eventCount),
            "timestamp_min": number(file.timestampMin.microseconds),
            "timestamp_max": number(file.timestampMax.microseconds), "byte_count": number(file.byteCount),
            "checksum": number(file.checksum), "name": text(file.path),
        ])
    }

    private static func json(_ segment: SegmentReference) -> ParsedJSON {
        object([
            "family": number(segment.family.rawValue), "first_sequence": number(segment.firstSequence),
            "last_sequence": number(segment.lastSequence), "row_count": number(segment.rowCount),
            "timestamp_min": number(segment.timestampMin.microseconds),
            "timestamp_max": number(segment.timestampMax.microseconds),
            "arrival_max": number(segment.arrivalMax.microseconds), "byte_count": number(segment.byteCount),
            "footer_checksum": number(segment.footerChecksum), "rollup_byte_count": number(segment.rollupByteCount),
            "rollup_checksum": number(segment.rollupChecksum), "name": text(segment.path),
        ])
    }

    static func number(_ value: some BinaryInteger) -> ParsedJSON { .number("\(value)") }

    static func text(_ value: String) -> ParsedJSON { .text(Array(value.utf8)) }

    static func object(_ members: [String: ParsedJSON]) -> ParsedJSON {
        .object(Dictionary(uniqueKeysWithValues: members.map { (Array($0.key.utf8), $0.value) }))
    }
}
