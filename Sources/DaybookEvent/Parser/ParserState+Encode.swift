internal import DaybookFormat

/// The name of a session, wherever it stands.
enum SessionName {
    case text(TextSlice)
    /// `ParserState.pathSession`.
    case path
    /// The text of an event's id.
    case event(EventID)
}

/// Writing the event at hand in its one encoding. Layout: docs/format/event.md.
extension ParserState {
    /// - Returns: the time, and whether the batch's `timestamp` replaces it should it still come.
    @inline(__always)
    func eventTime(_ own: Timestamp?) -> (time: Timestamp, isProvisional: Bool) {
        if let own { return (own, false) }
        if let batchTimestamp { return (batchTimestamp, false) }
        return (context.defaultTimestamp ?? context.arrival, array != nil)
    }

    mutating func encodeCommand(_ name: TextSlice, _ status: EventStatus, into group: inout GroupBuilder) {
        let session = draft.session ?? draft.objectSession
        let team = team()
        var flags: EventFlags = []
        if session != nil { flags.insert(.session) }
        if team != nil { flags.insert(.team) }
        if draft.errorMessage != nil { flags.insert(.errorMessage) }
        if draft.arguments != nil { flags.insert(.commandArguments) }
        if draft.object != nil { flags.insert(.commandContext) }
        let time = eventTime(draft.timestamp)
        let id = draft.id ?? makeID()
        putHead(flags, status.rawValue, id, time.time, draft.executionNanoseconds ?? 0)
        putUser()
        put(name)
        if let session { put(session) }
        if let team { put(team) }
        if let message = draft.errorMessage { put(message) }
        if let arguments = draft.arguments { putObject(arguments) }
        if let object = draft.object { putObject(object) }
        close(.commandExecution, id, time.isProvisional, into: &group)
    }

    mutating func encodeAgent(_ name: TextSlice, _ status: EventStatus, into group: inout GroupBuilder) {
        guard let interactionType = draft.interactionType else { return }
        let session = draft.session ?? draft.objectSession
        let team = team()
        var flags: EventFlags = []
        if session != nil { flags.insert(.session) }
        if team != nil { flags.insert(.team) }
        if draft.errorMessage != nil { flags.insert(.errorMessage) }
        if draft.object != nil { flags.insert(.object) }
        let time = eventTime(draft.timestamp)
        let id = draft.id ?? makeID()
        let duration = draft.processingNanoseconds ?? draft.executionNanoseconds ?? 0
        putHead(flags, status.rawValue, id, time.time, duration)
        encoding.append(varint: draft.inputTokens)
        encoding.append(varint: draft.outputTokens)
        putUser()
        put(name)
        put(interactionType)
        if let session { put(session) }
        if let team { put(team) }
        if let message = draft.errorMessage { put(message) }
        if let object = draft.object { putObject(object) }
        close(.agentInteraction, id, time.isProvisional, into: &group)
    }

    mutating func encodeProductivity(_ name: TextSlice, _ value: EventNumber, into group: inout GroupBuilder) {
        let team = team()
        var flags: EventFlags = []
        if draft.periodStart != nil { flags.insert(.periodStart) }
        if draft.periodEnd != nil { flags.insert(.periodEnd) }
        if draft.unit != nil { flags.insert(.unit) }
        if team != nil { flags.insert(.team) }
        if draft.object != nil { flags.insert(.object) }
        let time = eventTime(draft.timestamp ?? draft.periodEnd)
        let id = draft.id ?? makeID()
        putHead(flags, 0, id, time.time, 0)
        put(value)
        if let start = draft.periodStart { encoding.append(littleEndian: UInt64(bitPattern: start.microseconds)) }
        if let end = draft.periodEnd { encoding.append(littleEndian: UInt64(bitPattern: end.microseconds)) }
        putUser()
        put(name)
        if let unit = draft.unit { put(unit) }
        if let team { put(team) }
        if let object = draft.object { putObject(object) }
        close(.productivityMetric, id, time.isProvisional, into: &group)
    }

    /// Fields whose flag is not set are left out, whatever the draft holds. That of the team follows from the event.
    mutating func encodeSessionChange(
        _ kind: SessionChangeKind, _ session: SessionName, _ id: EventID, _ flags: EventFlags,
        _ time: (time: Timestamp, isProvisional: Bool), into group: inout GroupBuilder
    ) {
        let team = team()
        let flags = team == nil ? flags : flags.union(.team)
        let duration = flags.contains(.totalDuration) ? draft.totalNanoseconds ?? 0 : 0
        putHead(flags, kind.rawValue, id, time.time, duration)
        if flags.contains(.commandsExecuted), let count = draft.commandsExecuted { encoding.append(varint: count) }
        if flags.contains(.productivityScore), let score = draft.productivityScore { put(score) }
        putUser()
        put(session)
        if let team { put(team) }
        if flags.contains(.agentsUsed) {
            encoding.append(varint: UInt64(agents.count))
            for agent in agents { put(agent) }
        }
        if flags.contains(.object), let object = draft.object { putObject(object) }
        close(.sessionChange, id, time.isProvisional, into: &group)
    }

    // MARK: Parts

    @inline(__always)
    private mutating func putHead(
        _ flags: EventFlags, _ status: UInt8, _ id: EventID, _ time: Timestamp, _ durationNanoseconds: UInt64
    ) {
        encoding.truncate(to: 0)
        encoding.append(littleEndian: flags.rawValue)
        encoding.append(status)
        encoding.append(0)
        encoding.append(littleEndian: id.high.byteSwapped)
        encoding.append(littleEndian: id.low.byteSwapped)
        encoding.append(littleEndian: UInt64(bitPattern: time.microseconds))
        encoding.append(littleEndian: durationNanoseconds)
    }

    @inline(__always)
    private mutating func put(_ text: TextSlice) {
        unsafe encoding.append(lengthPrefixed: pointer(text), text.count)
    }

    @inline(__always)
    private mutating func putObject(_ range: Range<Int>) {
        unsafe encoding.append(lengthPrefixed: UnsafePointer(writer.sink.base + range.lowerBound), range.count)
    }

    @inline(__always)
    private mutating func putUser() {
        if let user = draft.user { put(user) } else { put(bytes: context.defaultUser) }
    }

    private mutating func put(bytes: [UInt8]) {
        encoding.append(varint: UInt64(bytes.count))
        encoding.append(contentsOf: bytes)
    }

    private mutating func put(_ number: EventNumber) {
        encoding.append(number.tag)
        encoding.append(littleEndian: number.bitPattern)
    }

    private mutating func put(_ team: TeamName) {
        switch team {
        case .text(let slice): put(slice)
        case .member(let bytes): put(bytes: bytes)
        }
    }

    private mutating func put(_ session: SessionName) {
        switch session {
        case .text(let slice): put(slice)
        case .path: put(bytes: pathSession ?? [])
        case .event(let id): put(bytes: Array(id.description.utf8))
        }
    }

    func string(_ session: SessionName) -> String {
        switch session {
        case .text(let slice): string(slice)
        case .path: String(decoding: pathSession ?? [], as: UTF8.self)
        case .event(let id): id.description
        }
    }

    /// Hands the finished encoding to the group.
    @inline(__always)
    private mutating func close(
        _ family: Family, _ id: EventID, _ isTimeProvisional: Bool, into group: inout GroupBuilder
    ) {
        guard group.bytes.count + GroupHeader.entryHeaderByteCount + encoding.count <= Limits.groupByteCountMax else {
            isTooLarge = true
            return
        }
        if !hasStored {
            hasStored = true
            summary.firstID = id
        }
        let bytes = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(encoding.base), byteCount: encoding.count)
        group.append(family, schemaVersion: EventLayout.schemaVersion, encoding: bytes)
        if isTimeProvisional {
            provisionalTimeOffsets.append(group.bytes.count - encoding.count + EventLayout.timestampOffset)
        }
    }
}
