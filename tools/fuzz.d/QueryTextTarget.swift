import DaybookEvent
import DaybookFormat
import DaybookQuery
import DaybookSegment
import DaybookStore

/// The first byte chooses the question, then come parameters as they stand in a URL after decoding. Checksums are all 0
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
        if Int(input[0]) % (families.count + 1) == families.count {
            ask(parameters.aggregateQuery(), &parameters, input)
        } else {
            ask(parameters.listQuery(of: families[Int(input[0]) % (families.count + 1)]), &parameters, input)
        }
    }
    return 0
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

/// An organization with a few unsealed events of every family.
private struct SmallSource: EventSource {
    static let now = Timestamp(microseconds: 1_780_000_000_000_000)
    static let group = {
        var group = GroupBuilder(log: LogID(16), arrival: now)
        let bodies: [(EventParser.Kind, String)] = [
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
        let context = EventParser.Context(
            arrival: now, organization: OrganizationID("acme")!, defaultUser: Array("owner".utf8),
            mayNameAnyUser: true, randomness: { (1, 2) })
        for (kind, body) in bodies {
            let result = Array(body.utf8).withRawSpan {
                EventParser.parse($0, kind: kind, context: context, into: &group)
            }
            guard case .accepted = result else { preconditionFailure("the source has bad events: \(result)") }
        }
        group.seal(firstSequence: 1, durableThrough: 0)
        return group.bytes
    }()

    var lastSequence: UInt64 { 5 }
    var segments: [SegmentReference] { [] }

    func open(_ segment: SegmentReference) throws -> SegmentReader { preconditionFailure("there is no segment") }

    func forEachTailGroup(from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool) throws {
        try Self.group.withRawSpan { bytes in
            _ = try body(try GroupHeader(reading: bytes), bytes)
        }
    }
}
