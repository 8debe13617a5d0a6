package import DaybookFormat

/// Builds the one encoding of an event from its field values: `appendFixedPart`, then every string of
/// `EventLayout.strings(of:)` whose flag is set, in that order, by `appendString` or `appendAgentsUsed`.
package struct EventEncoder: Sendable {
    package var family: Family
    package var flags: EventFlags = []
    /// `EventStatus` of commands and agents, `SessionChangeKind` of session changes, else 0.
    package var status: UInt8 = 0
    package var id = EventID(high: 0, low: 0)
    package var timestamp = Timestamp(microseconds: 0)
    package var durationNanoseconds: UInt64 = 0
    package var inputTokens: UInt64 = 0
    package var outputTokens: UInt64 = 0
    package var value = EventNumber.unsigned(0)
    package var commandsExecuted: UInt64 = 0
    package var productivityScore = EventNumber.unsigned(0)
    package var periodStart = Timestamp(microseconds: 0)
    package var periodEnd = Timestamp(microseconds: 0)

    package init(family: Family) { self.family = family }

    /// Everything before the strings. Fields whose flag is not set are left out, whatever they hold.
    package func appendFixedPart(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: flags.rawValue)
        bytes.append(status)
        bytes.append(0)
        bytes.append(littleEndian: id.high.byteSwapped)
        bytes.append(littleEndian: id.low.byteSwapped)
        bytes.append(littleEndian: timestamp.microseconds)
        bytes.append(littleEndian: durationNanoseconds)
        switch family {
        case .commandExecution, .control:
            break
        case .agentInteraction:
            bytes.append(varint: inputTokens)
            bytes.append(varint: outputTokens)
        case .sessionChange:
            if flags.contains(.commandsExecuted) { bytes.append(varint: commandsExecuted) }
            if flags.contains(.productivityScore) { productivityScore.append(to: &bytes) }
        case .productivityMetric:
            value.append(to: &bytes)
            if flags.contains(.periodStart) { bytes.append(littleEndian: periodStart.microseconds) }
            if flags.contains(.periodEnd) { bytes.append(littleEndian: periodEnd.microseconds) }
        }
    }

    /// A length, then the bytes. For every string but `agentsUsed`.
    package static func appendString(_ string: RawSpan, to bytes: inout [UInt8]) {
        bytes.append(lengthPrefixed: string)
    }

    /// The region as `EventFields.agentsUsed` names it: count and strings.
    package static func appendAgentsUsed(region: RawSpan, to bytes: inout [UInt8]) {
        bytes.append(region)
    }
}
