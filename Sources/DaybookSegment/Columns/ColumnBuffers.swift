internal import DaybookEvent
internal import DaybookFormat

/// The growing arrays behind a `ColumnBatchBuilder`. Arrays of columns that the family does not have stay empty.
struct ColumnBuffers: Sendable {
    private let family: Family
    private let selection: ColumnSelection
    private let keepsFlags: Bool
    private(set) var rowCount = 0
    private(set) var lastSequence: UInt64 = 0
    private var sequences: [UInt64] = []
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

    init(family: Family, selection: ColumnSelection, expectedRowCount: Int) {
        self.family = family
        self.selection = selection
        keepsFlags = selection.needsFlags(of: family)
        if selection.contains(.sequence) {
            sequences.reserveCapacity(expectedRowCount)
            arrivals.reserveCapacity(expectedRowCount)
        }
        if selection.contains(.time) { timestamps.reserveCapacity(expectedRowCount) }
        if selection.contains(.identifier) { identifiers.reserveCapacity(expectedRowCount) }
        if keepsFlags { flags.reserveCapacity(expectedRowCount) }
        if selection.contains(.status) { statuses.reserveCapacity(expectedRowCount) }
        if selection.contains(.duration) { durations.reserveCapacity(expectedRowCount) }
    }

    /// About; without the columns that are not selected it is less.
    var byteCount: Int {
        let codes = users.byteCount + names.byteCount + kinds.byteCount + sessions.byteCount + teams.byteCount
        let wide = errorMessages.byteCount + arguments.byteCount + objects.byteCount + agentsUsed.byteCount
        return 51 * rowCount + 16 * (inputTokens.count + values.count + commandsExecuted.count)
            + 16 * periodStarts.count + codes + wide
    }

    /// Offsets have 32 bits: a batch that large is far beyond every budget.
    func hasRoom(for byteCount: Int) -> Bool {
        byteCount <= Int(UInt32.max) - self.byteCount
    }

    mutating func append(sequence: UInt64, arrival: Timestamp, _ fields: EventFields, _ bytes: RawSpan) {
        rowCount += 1
        lastSequence = sequence
        if selection.contains(.sequence) {
            sequences.append(sequence)
            arrivals.append(arrival.microseconds)
        }
        if selection.contains(.time) { timestamps.append(fields.timestamp.microseconds) }
        if selection.contains(.identifier) { identifiers.append(fields.id) }
        if keepsFlags { flags.append(fields.flags.rawValue) }
        if selection.contains(.status) { statuses.append(fields.status) }
        if selection.contains(.user) { users.append(fields.user, bytes) }
        if selection.contains(.team) { teams.append(fields.team, bytes) }
        if selection.contains(.object) { objects.append(fields.object, bytes) }
        switch family {
        case .commandExecution:
            appendExecution(fields, bytes)
            if selection.contains(.arguments) { arguments.append(fields.arguments, bytes) }
        case .agentInteraction:
            appendExecution(fields, bytes)
            if selection.contains(.kind) { kinds.append(fields.interactionType, bytes) }
            if selection.contains(.tokens) {
                inputTokens.append(fields.inputTokens)
                outputTokens.append(fields.outputTokens)
            }
        case .sessionChange:
            appendSessionChange(fields, bytes)
        case .productivityMetric:
            if selection.contains(.name) { names.append(fields.name, bytes) }
            if selection.contains(.kind) { kinds.append(fields.unit, bytes) }
            if selection.contains(.value) {
                values.append(fields.value ?? .unsigned(0))
                periodStarts.append(fields.periodStart?.microseconds ?? 0)
                periodEnds.append(fields.periodEnd?.microseconds ?? 0)
            }
        case .control:
            preconditionFailure("control events have no columns")
        }
    }

    /// What commands and agents have in common.
    private mutating func appendExecution(_ fields: EventFields, _ bytes: RawSpan) {
        if selection.contains(.duration) { durations.append(fields.durationNanoseconds) }
        if selection.contains(.name) { names.append(fields.name, bytes) }
        if selection.contains(.session) { sessions.append(fields.session, bytes) }
        if selection.contains(.errorMessage) { errorMessages.append(fields.errorMessage, bytes) }
    }

    private mutating func appendSessionChange(_ fields: EventFields, _ bytes: RawSpan) {
        if selection.contains(.duration) { durations.append(fields.durationNanoseconds) }
        if selection.contains(.session) { sessions.append(fields.name, bytes) }
        if selection.contains(.value) { values.append(fields.productivityScore ?? .unsigned(0)) }
        if selection.contains(.sessionFields) {
            commandsExecuted.append(fields.commandsExecuted ?? 0)
            agentsUsed.append(fields.agentsUsed, bytes)
        }
    }

    func batch(schemaVersion: UInt8) -> ColumnBatch {
        var batch = ColumnBatch(
            family: family, schemaVersion: schemaVersion, rowCount: rowCount, selection: selection)
        batch.flags = flags
        batch.sequences = sequences
        batch.arrivals = arrivals
        batch.timestamps = timestamps
        batch.identifiers = identifiers
        batch.statuses = statuses
        batch.durations = durations
        batch.inputTokens = inputTokens
        batch.outputTokens = outputTokens
        batch.values = values
        batch.commandsExecuted = commandsExecuted
        batch.periodStarts = periodStarts
        batch.periodEnds = periodEnds
        if has(.user) { batch.users = users.column }
        if has(.team) { batch.teams = teams.column }
        if has(.name) { batch.names = names.column }
        if has(.session) { batch.sessions = sessions.column }
        if has(.kind) { batch.kinds = kinds.column }
        if has(.object) { batch.objects = objects.column }
        if has(.errorMessage) { batch.errorMessages = errorMessages.column }
        if has(.arguments) { batch.arguments = arguments.column }
        if has(.agentsUsed) { batch.agentsUsed = agentsUsed.column }
        return batch
    }

    /// Selected, and the family has it.
    private func has(_ column: ColumnNumber) -> Bool {
        !selection.isDisjoint(with: column.selection) && ColumnNumber.columns(of: family).contains(column)
    }

    /// From here on batches share their dictionaries, as long as no new string comes in.
    mutating func shareTables() {
        users.share()
        names.share()
        kinds.share()
        sessions.share()
        teams.share()
    }
}

/// A code column that grows.
private struct CodeBuffer: Sendable {
    private var interner = StringInterner()
    private var codes: [UInt32] = []

    var byteCount: Int { interner.byteCount + 4 * codes.count }
    var column: CodeColumn { CodeColumn(table: interner.table(), codes: codes) }

    mutating func share() { interner.share() }

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
