import DaybookEvent
import DaybookFormat
import DaybookQuery
import DaybookRollup
import DaybookSegment

@testable import DaybookStore

/// The first byte chooses the question, a list, an aggregate or a replay, then come parameters as they stand in a URL after
/// decoding. Checksums are all 0
/// and taken for sound, so that a cursor can be forged: the last 12 bytes of the input do so. Whatever is asked is answered
/// or refused, and so is what the answer names as its next page.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzQueryText(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 13 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let pairs = String(decoding: input[1..<input.count - 12], as: UTF8.self).split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (name: parts[0], value: parts.count > 1 ? parts[1] : "")
    }
    let families = Family.ofOrganizations
    withConstantChecksums {
        var parameters = QueryParameters(pairs, now: SmallSource.now)
        switch Int(input[0]) % (families.count + 2) {
        case families.count: ask(parameters.aggregateQuery(), &parameters, input)
        case families.count + 1: replay(parameters.listQuery(of: .commandExecution), input)
        case let number: ask(parameters.listQuery(of: families[number]), &parameters, input)
        }
    }
    return 0
}

/// Range and names are those of a question, the bounds of sequences the last bytes of the input.
private func replay(_ query: ListQuery, _ input: [UInt8]) {
    var filter = ReplayFilter()
    filter.range = query.range
    filter.names = Set(query.filter.conditions.flatMap { $0.dimension == .name ? $0.values : [] })
    filter.firstSequence = UInt64(input[input.count - 1])
    filter.lastSequence = UInt64(input[input.count - 2]) * 2
    filter.skipsDamage = input[input.count - 3] % 2 == 1
    filter.families = Set(
        Family.ofOrganizations.enumerated().filter { input[input.count - 4] >> UInt8($0.offset) & 1 == 0 }
            .map(\.element))
    var cursor = ReplayCursor(SmallSource(), filter)
    var last: UInt64 = 0
    while let event = try? cursor.next() {
        precondition(event.sequence > last && event.sequence >= filter.firstSequence, "out of order")
        precondition(event.sequence <= filter.lastSequence && filter.families.contains(event.family), "not asked for")
        last = event.sequence
    }
    precondition(cursor.warnings.isEmpty, "damage where there is none")
}

private func ask(_ query: AggregateQuery, _ parameters: inout QueryParameters, _ input: [UInt8]) {
    var query = query
    guard parameters.faults.isEmpty else { return }
    for _ in 0..<3 {
        guard let answer = try? query.answer(from: SmallSource(), now: SmallSource.now) else { return }
        precondition(answer.items.count <= query.limit, "more than was asked for")
        guard let next = answer.nextCursor else { return }
        query.cursor = forged(next, input)
    }
}

private func ask(_ query: ListQuery, _ parameters: inout QueryParameters, _ input: [UInt8]) {
    var query = query
    guard parameters.faults.isEmpty else { return }
    for _ in 0..<3 {
        guard let answer = try? query.answer(from: SmallSource(), now: SmallSource.now) else { return }
        precondition(answer.items.count <= query.limit, "more than was asked for")
        guard let next = answer.nextCursor else { return }
        query.cursor = forged(next, input)
    }
}

/// The cursor with some of its bytes behind the query's hash changed, or as it is.
private func forged(_ cursor: String, _ input: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var digits = cursor.utf8.compactMap { alphabet.firstIndex(of: $0) }
    guard input[input.count - 1] % 2 == 1 else { return cursor }
    for change in 0..<Int(input[input.count - 2] % 5) {
        let place = 14 + Int(input[input.count - 3 - 2 * change]) % max(1, digits.count - 20)
        guard place < digits.count - 1 else { continue }
        digits[place] = Int(input[input.count - 4 - 2 * change]) % 64
    }
    return String(decoding: digits.map { alphabet[$0] }, as: UTF8.self)
}

/// An organization with events of every family in segments that have indexes and rollups, and a few that are not sealed.
private struct SmallSource: EventSource {
    static let now = Timestamp(microseconds: 1_780_000_000_000_000)

    /// Bodies of events that are sealed: so many of one kind in an hour that they pay for rollups.
    private static let sealed: [(EventParser.Kind, Family, String)] =
        (0..<64).map { number in
            (
                .commandExecution, .commandExecution,
                #"{"command_name":"\#(number % 2 == 0 ? "build" : "test")","execution_time_ms":\#(number),"#
                    + #""status":"\#(number % 4 == 0 ? "error" : "success")","error_message":"exit \#(number)","#
                    + #""context":{"project":"api","n":\#(number % 3)}}"#
            )
        }
        + (0..<24).map { number in
            (
                .agentInteraction, .agentInteraction,
                #"{"agent_name":"planner","interaction_type":"tool_call","input_tokens":\#(number),"output_tokens":1,"#
                    + #""processing_time_ms":3,"success":true,"metadata":{"project":"api"}}"#
            )
        }
        + (0..<6).map { number in
            (.sessionStart, .sessionChange, #"{"session_id":"s\#(number + 2)","context":{"project":"api"}}"#)
        }
        + (0..<24).map { number in
            (.productivityMetric, .productivityMetric, #"{"metric_type":"completion_rate","value":\#(number).5}"#)
        }

    private static let unsealed: [(EventParser.Kind, String)] = [
        (.commandExecution, #"{"command_name":"build","execution_time_ms":12.5,"status":"success"}"#),
        (.commandExecution, #"{"command_name":"test","execution_time_ms":9,"status":"error"}"#),
        (
            .agentInteraction,
            #"{"agent_name":"planner","interaction_type":"tool_call","input_tokens":7,"output_tokens":1,"#
                + #""processing_time_ms":3,"success":true}"#
        ),
        (.sessionStart, #"{"session_id":"s1","context":{"project":"api"}}"#),
        (.productivityMetric, #"{"metric_type":"completion_rate","value":1.5,"unit":"percent"}"#),
    ]

    /// Everything that is made once, with checksums that are 0 as the caller has them.
    private struct Files: Sendable {
        var disk: MemoryDisk
        var segments: [SegmentReference] = []
        var readers: [String: SegmentReader] = [:]
        var indexes: [String: SegmentIndex] = [:]
        var rollups: [String: RollupFile] = [:]
        var tail: [UInt8] = []
    }

    private static let files: Files = {
        do { return try makeFiles() } catch { preconditionFailure("the source cannot be made: \(error)") }
    }()

    private static func group(_ bodies: [(EventParser.Kind, String)], from first: Int) -> GroupBuilder {
        var group = GroupBuilder(log: LogID(16), arrival: now)
        let context = EventParser.Context(
            arrival: now, organization: OrganizationID("acme")!, defaultUser: Array("owner".utf8),
            mayNameAnyUser: true, randomness: { (1, UInt64(first)) })
        for (kind, body) in bodies {
            let result = Array(body.utf8).withRawSpan {
                EventParser.parse($0, kind: kind, context: context, into: &group)
            }
            guard case .accepted = result else { preconditionFailure("the source has bad events: \(result)") }
        }
        group.seal(firstSequence: UInt64(first), durableThrough: UInt64(first) - 1)
        return group
    }

    private static func makeFiles() throws -> Files {
        var files = Files(disk: MemoryDisk([:]))
        let record = group(sealed.map { ($0.0, $0.2) }, from: 1).bytes
        for family in Family.ofOrganizations {
            let path = "\(family).dbs"
            var writer = try SegmentWriter(
                disk: files.disk, path: path, log: LogID(16), family: family,
                schemaVersion: EventLayout.schemaVersion, firstSequence: 1, lastSequence: UInt64(sealed.count))
            try record.withRawSpan { (bytes: RawSpan) in
                var entries = GroupEntries(of: try GroupHeader(reading: bytes))
                while let entry = try entries.next(bytes) {
                    guard entry.family == family else { continue }
                    try writer.append(
                        sequence: entry.sequence, arrival: now, encoding: bytes.extracting(entry.encoding))
                }
            }
            let summary = try writer.finish()
            var segment = SegmentReference(
                family: family, firstSequence: 1, lastSequence: UInt64(sealed.count), rowCount: summary.rowCount,
                timestampMin: summary.timestampMin, timestampMax: summary.timestampMax, path: path,
                byteCount: summary.byteCount, footerChecksum: summary.footerChecksum)
            let reader = try SegmentReader.open(disk: files.disk, path: path)
            files.readers[path] = reader
            files.indexes[path] = try SegmentIndex.rebuild(reader, disk: files.disk)
            var rollup = SegmentRollup(reader)
            while try rollup.step() {}
            if let bytes = rollup.finish(segment) {
                segment.rollupByteCount = UInt64(bytes.count)
                files.rollups[path] = try RollupFile(bytes)
            }
            files.segments.append(segment)
        }
        precondition(files.rollups.count == 3, "some family has no rollups")
        files.tail = group(unsealed, from: sealed.count + 1).bytes
        return files
    }

    var lastSequence: UInt64 { UInt64(Self.sealed.count + Self.unsealed.count) }
    var segments: [SegmentReference] { Self.files.segments }

    func open(_ segment: SegmentReference) throws -> SegmentReader {
        guard let reader = Self.files.readers[segment.path] else { preconditionFailure("there is no such segment") }
        return reader
    }

    func index(of segment: SegmentReference) throws -> SegmentIndex? { Self.files.indexes[segment.path] }

    func rollup(of segment: SegmentReference) throws -> RollupFile? { Self.files.rollups[segment.path] }

    func forEachTailGroup(from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool) throws {
        guard first <= lastSequence else { return }
        try Self.files.tail.withRawSpan { bytes in
            _ = try body(try GroupHeader(reading: bytes), bytes)
        }
    }
}
