internal import DaybookFormat

/// `{"command_executions":[…],…,"timestamp":…}`: events in the order of the body, whatever the order of the arrays.
extension ParserState {
    mutating func parseBatch(into group: inout GroupBuilder) throws(JSONFault) {
        var seen: FieldSet = []
        var itemCount = 0
        cursor.position += 1
        var more = !cursor.consume(UInt8(ascii: "}"))
        while more {
            let keyPosition = cursor.position
            let token = try cursor.memberName()
            if let field = fieldName(token), let shape = Self.batchShape(field) {
                guard !seen.has(field) else { throw Self.duplicate(at: keyPosition) }
                seen.insert(FieldSet(field))
                if cursor.peek() == UInt8(ascii: "n") {
                    try cursor.literal("null")
                } else if let itemShape = shape {
                    try parseItems(field, itemShape, &itemCount, into: &group)
                } else {
                    batchTimestamp = try readTime(field)
                }
            } else {
                try readUnknownOfBatch(token, at: keyPosition)
            }
            more = try cursor.continuesObject()
        }
        try expectEnd()
        if itemCount == 0 { report("holds no events") }
        if itemCount > context.batchEventCountMax {
            report("holds \(itemCount) events, more than the \(context.batchEventCountMax) of a batch")
        }
        replaceProvisionalTimes(in: &group)
    }

    /// The shape of the items of a batch's member; `.some(nil)` is the timestamp, nil is no member of a batch.
    static func batchShape(_ field: FieldName) -> EventShape?? {
        switch field {
        case .commandExecutions: .some(.command)
        case .agentInteractions: .some(.agent)
        case .userSessions: .some(.userSession)
        case .productivityMetrics: .some(.productivity)
        case .timestamp: .some(nil)
        default: nil
        }
    }

    /// Names that are unknown at the top are kept apart from those inside the items.
    private mutating func readUnknownOfBatch(_ token: StringToken, at position: Int) throws(JSONFault) {
        swap(&unknownNames, &unknownBatchNames)
        try readUnknown(token, at: position)
        swap(&unknownNames, &unknownBatchNames)
    }

    private mutating func parseItems(
        _ field: FieldName, _ shape: EventShape, _ itemCount: inout Int, into group: inout GroupBuilder
    ) throws(JSONFault) {
        guard cursor.consume(UInt8(ascii: "[")) else {
            try cursor.skipValue()
            return report(field, "must be an array")
        }
        let fields = shape.fields
        array = field
        index = 0
        var more = !cursor.consume(UInt8(ascii: "]"))
        while more {
            itemCount += 1
            if itemCount > context.batchEventCountMax {
                try cursor.skipValue()
            } else if cursor.peek() == UInt8(ascii: "{") {
                finish(try readEvent(shape, allowing: fields), into: &group)
            } else {
                try cursor.skipValue()
                report("must be an object")
            }
            index += 1
            more = try cursor.continuesArray()
        }
        array = nil
    }

    /// The batch's `timestamp` may stand behind its arrays.
    private mutating func replaceProvisionalTimes(in group: inout GroupBuilder) {
        guard let batchTimestamp, errors.isEmpty, !isTooLarge else { return }
        for offset in provisionalTimeOffsets {
            group.bytes.store(littleEndian: batchTimestamp.microseconds, at: offset)
        }
    }
}
