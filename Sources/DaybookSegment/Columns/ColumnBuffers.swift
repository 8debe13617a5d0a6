internal import DaybookEvent
internal import DaybookFormat

/// The growing arrays behind a `ColumnBatchBuilder`. Arrays of columns that the family does not have stay empty.
struct ColumnBuffers: Sendable {
    private let family: Family
    private(set) var sequences: [UInt64] = []
    private var arrivals: [Int64] = []
    private var timestamps: [Int64] = []
    private var identifiers: [EventID] = []
    private var flags: [UInt16] = []
    private var statuses: [UInt8] = []
    private var durations: [UInt64] = []
    private var users = CodeBuffer()
    private var names = CodeBuffer()
    private var kinds = CodeBuffer()
    private var sessions = CodeBuffer()
    private var teams = CodeBuffer()
    private var inputTokens: [UInt64] = []
    private var outputTokens: [UInt64] = []
    private var values: [EventNumber] = []
    private var commandsExecuted: [UInt64] = []
    private var periodStarts: [Int64] = []
    private var periodEnds: [Int64] = []
    private var errorMessages = ByteBuffer()
    private var arguments = ByteBuffer()
    private var objects = ByteBuffer()
    private var agentsUsed = ByteBuffer()

    init(family: Family, expectedRowCount: Int) {
        self.family = family
        sequences.reserveCapacity(expectedRowCount)
        arrivals.reserveCapacity(expectedRowCount)
        timestamps.reserveCapacity(expectedRowCount)
        identifiers.reserveCapacity(expectedRowCount)
        flags.reserveCapacity(expectedRowCount)
        statuses.reserveCapacity(expectedRowCount)
        durations.reserveCapacity(expectedRowCount)
    }

    var byteCount: Int {
        let codes = users.byteCount + names.byteCount + kinds.byteCount + sessions.byteCount + teams.byteCount
        let wide = errorMessages.byteCount + arguments.byteCount + objects.byteCount + agentsUsed.byteCount
        return 51 * sequences.count + 16 * (inputTokens.count + values.count + commandsExecuted.count)
            + 16 * periodStarts.count + codes + wide
    }

    /// Offsets have 32 bits: a batch that large is far beyond every budget.
    func hasRoom(for byteCount: Int) -> Bool {
        byteCount <= Int(UInt32.max) - self.byteCount
    }

    mutating func append(sequence: UInt64, arrival: Timestamp, _ fields: EventFields, _ bytes: RawSpan) {
        sequences.append(sequence)
        arrivals.append(arrival.microseconds)
        timestamps.append(fields.timestamp.microseconds)
        identifiers.append(fields.id)
        flags.append(fields.flags.rawValue)
        statuses.append(fields.status)
        users.append(fields.user, bytes)
        teams.append(fields.team, bytes)
        objects.append(fields.object, bytes)
        switch family {
        case .commandExecution:
            appendExecution(fields, bytes)
            arguments.append(fields.arguments, bytes)
        case .agentInteraction:
            appendExecution(fields, bytes)
            kinds.append(fields.interactionType, bytes)
            inputTokens.append(fields.inputTokens)
            outputTokens.append(fields.outputTokens)
        case .sessionChange:
            durations.append(fields.durationNanoseconds)
            sessions.append(fields.name, bytes)
            commandsExecuted.append(fields.commandsExecuted ?? 0)
            values.append(fields.productivityScore ?? .unsigned(0))
            agentsUsed.append(fields.agentsUsed, bytes)
        case .productivityMetric:
            names.append(fields.name, bytes)
            kinds.append(fields.unit, bytes)
            values.append(fields.value ?? .unsigned(0))
            periodStarts.append(fields.periodStart?.microseconds ?? 0)
            periodEnds.append(fields.periodEnd?.microseconds ?? 0)
        case .control:
            preconditionFailure("control events have no columns")
        }
    }

    /// What commands and agents have in common.
    private mutating func appendExecution(_ fields: EventFields, _ bytes: RawSpan) {
        durations.append(fields.durationNanoseconds)
        names.append(fields.name, bytes)
        sessions.append(fields.session, bytes)
        errorMessages.append(fields.errorMessage, bytes)
    }

    func batch(family: Family, schemaVersion: UInt8) -> ColumnBatch {
        var batch = ColumnBatch(
            family: family, schemaVersion: schemaVersion, rowCount: sequences.count, selection: .all)
        batch.flags = flags
        batch.sequences = sequences
        batch.arrivals = arrivals
        batch.timestamps = timestamps
        batch.identifiers = identifiers
        batch.statuses = statuses
        batch.durations = durations
        batch.users = users.column
        batch.teams = teams.column
        batch.objects = objects.column
        batch.inputTokens = inputTokens
        batch.outputTokens = outputTokens
        batch.values = values
        batch.commandsExecuted = commandsExecuted
        batch.periodStarts = periodStarts
        batch.periodEnds = periodEnds
        if family != .sessionChange { batch.names = names.column }
        if family != .productivityMetric { batch.sessions = sessions.column }
        if family == .agentInteraction || family == .productivityMetric { batch.kinds = kinds.column }
        if family == .commandExecution || family == .agentInteraction { batch.errorMessages = errorMessages.column }
        if family == .commandExecution { batch.arguments = arguments.column }
        if family == .sessionChange { batch.agentsUsed = agentsUsed.column }
        return batch
    }
}

/// A code column that grows.
private struct CodeBuffer: Sendable {
    private var interner = StringInterner()
    private var codes: [UInt32] = []

    var byteCount: Int { interner.byteCount + 4 * codes.count }
    var column: CodeColumn { CodeColumn(table: interner.table(), codes: codes) }

    mutating func append(_ range: Range<Int>, _ bytes: RawSpan) {
        codes.append(interner.code(of: bytes.extracting(range)))
    }

    mutating func append(_ range: Range<Int>?, _ bytes: RawSpan) {
        guard let range else { return codes.append(CodeColumn.missing) }
        append(range, bytes)
    }
}

/// A byte column that grows.
private struct ByteBuffer: Sendable {
    private var bytes: [UInt8] = []
    private var offsets: [UInt32] = [0]
    private var present: [Bool] = []
    private var missingCount = 0

    var byteCount: Int { bytes.count + 5 * present.count }
    var column: ByteColumn {
        ByteColumn(bytes: bytes, offsets: offsets, present: missingCount == 0 ? nil : present)
    }

    mutating func append(_ range: Range<Int>?, _ source: RawSpan) {
        present.append(range != nil)
        if let range { bytes.append(source.extracting(range)) } else { missingCount += 1 }
        offsets.append(UInt32(bytes.count))
    }
}
