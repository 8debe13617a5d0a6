internal import DaybookEvent
internal import DaybookFormat

extension ColumnBatch {
    /// Replaces `target` by the values of one integer column, as bit patterns. Precondition: not a code or byte column,
    /// and the family has it.
    func copyIntegers(_ column: ColumnNumber, rows: Range<Int>, to target: inout [UInt64]) {
        target.removeAll(keepingCapacity: true)
        switch column {
        case .sequence: target.append(contentsOf: sequences[rows])
        case .arrival: for value in arrivals[rows] { target.append(UInt64(bitPattern: value)) }
        case .timestamp: for value in timestamps[rows] { target.append(UInt64(bitPattern: value)) }
        case .identifierTime:
            for row in rows {
                target.append(identifiers[row].high >> 16 &- Self.milliseconds(timestamps[row]))
            }
        case .identifierMiddle: for value in identifiers[rows] { target.append(value.high & 0xFFFF) }
        case .identifierLow: for value in identifiers[rows] { target.append(value.low) }
        case .flags: for value in flags[rows] { target.append(UInt64(value)) }
        case .status: for value in statuses[rows] { target.append(UInt64(value)) }
        case .duration: target.append(contentsOf: durations[rows])
        case .inputTokens: target.append(contentsOf: inputTokens[rows])
        case .outputTokens: target.append(contentsOf: outputTokens[rows])
        case .valueTag: for value in values[rows] { target.append(UInt64(value.tag)) }
        case .valueBits: for value in values[rows] { target.append(value.bitPattern) }
        case .commandsExecuted: target.append(contentsOf: commandsExecuted[rows])
        case .periodStart: for value in periodStarts[rows] { target.append(UInt64(bitPattern: value)) }
        case .periodEnd: for value in periodEnds[rows] { target.append(UInt64(bitPattern: value)) }
        case .user, .name, .kind, .session, .team, .errorMessage, .arguments, .object, .agentsUsed:
            preconditionFailure("not an integer column")
        }
    }

    /// What the time of an identifier is written less of, as a bit pattern.
    static func milliseconds(_ timestamp: Int64) -> UInt64 {
        let quotient = timestamp / 1_000
        return UInt64(bitPattern: timestamp % 1_000 < 0 ? quotient - 1 : quotient)
    }

    /// Whoever looks for an identifier knows its time, not the timestamp beside it: the zone is of the time itself.
    func identifierZone(_ rows: Range<Int>) -> ColumnZone {
        var zone = ColumnZone()
        zone.min = .max
        for id in identifiers[rows] {
            zone.min = min(zone.min, id.high >> 16)
            zone.max = max(zone.max, id.high >> 16)
        }
        return zone
    }

    /// A code column of the batch. Precondition: it has it.
    func codeColumn(_ column: ColumnNumber) -> CodeColumn {
        let found: CodeColumn? =
            switch column {
            case .user: users
            case .name: names
            case .kind: kinds
            case .session: sessions
            case .team: teams
            default: nil
            }
        guard let found else { preconditionFailure("no such code column") }
        return found
    }

    /// A byte column of the batch. Precondition: it has it.
    func byteColumn(_ column: ColumnNumber) -> ByteColumn {
        let found: ByteColumn? =
            switch column {
            case .errorMessage: errorMessages
            case .arguments: arguments
            case .object: objects
            case .agentsUsed: agentsUsed
            default: nil
            }
        guard let found else { preconditionFailure("no such byte column") }
        return found
    }
}
