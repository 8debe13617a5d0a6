internal import DaybookEvent
internal import DaybookFormat

extension ColumnBatch {
    /// Appends the very bytes from which the row was made. Precondition: `selection` is `.all`.
    package func appendEncoding(row: Int, to bytes: inout [UInt8]) {
        precondition(selection == .all)
        precondition(row >= 0 && row < rowCount)
        let flags = EventFlags(rawValue: flags[row])
        fixedPart(row, flags).appendFixedPart(to: &bytes)
        for (string, flag) in EventLayout.strings(of: family) where flags.isSuperset(of: flag) {
            append(string, row, to: &bytes)
        }
    }

    /// Bytes of the encoding of a row, about, and rarely more than these. Precondition: the row exists.
    package func encodingByteCount(row: Int) -> Int {
        var sum = 256
        for column in [errorMessages, arguments, objects, agentsUsed] { sum += column?.range(row).count ?? 0 }
        return sum
    }

    private func fixedPart(_ row: Int, _ flags: EventFlags) -> EventEncoder {
        var encoder = EventEncoder(family: family)
        encoder.flags = flags
        encoder.status = statuses[row]
        encoder.id = identifiers[row]
        encoder.timestamp = Timestamp(microseconds: timestamps[row])
        switch family {
        case .commandExecution:
            encoder.durationNanoseconds = durations[row]
        case .agentInteraction:
            encoder.durationNanoseconds = durations[row]
            encoder.inputTokens = inputTokens[row]
            encoder.outputTokens = outputTokens[row]
        case .sessionChange:
            encoder.durationNanoseconds = durations[row]
            encoder.commandsExecuted = commandsExecuted[row]
            encoder.productivityScore = values[row]
        case .productivityMetric:
            encoder.value = values[row]
            encoder.periodStart = Timestamp(microseconds: periodStarts[row])
            encoder.periodEnd = Timestamp(microseconds: periodEnds[row])
        case .control:
            preconditionFailure("control events have no columns")
        }
        return encoder
    }

    private func append(_ string: EventString, _ row: Int, to bytes: inout [UInt8]) {
        switch string {
        case .user: users?.appendString(row, to: &bytes)
        case .name: (family == .sessionChange ? sessions : names)?.appendString(row, to: &bytes)
        case .interactionType, .unit: kinds?.appendString(row, to: &bytes)
        case .session: sessions?.appendString(row, to: &bytes)
        case .team: teams?.appendString(row, to: &bytes)
        case .errorMessage: errorMessages?.appendString(row, to: &bytes)
        case .commandArguments: arguments?.appendString(row, to: &bytes)
        case .object: objects?.appendString(row, to: &bytes)
        case .agentsUsed:
            agentsUsed?.withBytes(row) { EventEncoder.appendAgentsUsed(region: $0, to: &bytes) }
        }
    }
}

extension CodeColumn {
    fileprivate func appendString(_ row: Int, to bytes: inout [UInt8]) {
        table.withBytes(of: codes[row]) { EventEncoder.appendString($0, to: &bytes) }
    }
}

extension ByteColumn {
    fileprivate func appendString(_ row: Int, to bytes: inout [UInt8]) {
        withBytes(row) { EventEncoder.appendString($0, to: &bytes) }
    }
}
