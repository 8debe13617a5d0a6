import DaybookEvent
import DaybookFormat

/// The first byte chooses the kind of body, the rest is the body. Whatever is accepted must print, and read back to the
/// very same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzEventParser(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let body = Array(input.dropFirst())
    let session = Array("session-1".utf8)
    let kinds: [EventParser.Kind] = [
        .commandExecution, .agentInteraction, .sessionStart, .sessionUpdate(sessionID: session),
        .sessionEnd(sessionID: nil), .sessionEnd(sessionID: session), .productivityMetric, .batch, .importLine,
    ]
    check(body, kinds[Int(input[0]) % kinds.count])
    checkCanonical(body)
    return 0
}

private let organization = OrganizationID("acme")!

private let context = EventParser.Context(
    arrival: Timestamp(microseconds: 1_780_000_000_000_000), organization: organization,
    defaultUser: Array("owner".utf8), mayNameAnyUser: true, randomness: { (1, 2) })

private func check(_ body: [UInt8], _ kind: EventParser.Kind) {
    for event in parse(body, kind) {
        var printed: [UInt8] = []
        do {
            try event.encoding.withRawSpan { (bytes) throws(FormatError) in
                try EventPrinter.append(
                    family: event.family, schemaVersion: 1, encoding: bytes, sequence: 1, arrival: context.arrival,
                    organization: organization, to: &printed)
            }
        } catch {
            preconditionFailure("an accepted event does not print: \(error)")
        }
        let again = parse(printed, .importLine)
        precondition(again.count == 1, "a printed event is refused")
        precondition(again[0].family == event.family && again[0].encoding == event.encoding, "a printed event changed")
    }
}

private func parse(_ body: [UInt8], _ kind: EventParser.Kind) -> [(family: Family, encoding: [UInt8])] {
    var group = GroupBuilder(log: LogID(2), arrival: context.arrival)
    let result = body.withRawSpan { EventParser.parse($0, kind: kind, context: context, into: &group) }
    switch result {
    case .rejected(let errors, _):
        precondition(!errors.isEmpty && errors.count <= 100)
        return []
    case .accepted:
        group.seal(firstSequence: 1, durableThrough: 0)
    }
    var events: [(family: Family, encoding: [UInt8])] = []
    do {
        try group.bytes.withRawSpan { (bytes) throws(FormatError) in
            var entries = GroupEntries(of: try GroupHeader(verifying: bytes))
            while let entry = try entries.next(bytes) { events.append((entry.family, bytes.toArray(entry.encoding))) }
        }
    } catch {
        preconditionFailure("an accepted body makes a bad group: \(error)")
    }
    precondition(!events.isEmpty)
    return events
}

private func checkCanonical(_ text: [UInt8]) {
    guard let canonical = text.withRawSpan({ CanonicalJSON.canonicalize($0) }) else { return }
    let again = canonical.withRawSpan { CanonicalJSON.canonicalize($0) }
    precondition(again == canonical, "canonical text changes when it is read again")
}
