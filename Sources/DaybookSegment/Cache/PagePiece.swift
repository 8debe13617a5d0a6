internal import DaybookEvent
internal import DaybookFormat

/// What a reader of rows can ask for and a cache can hold: the values of one kind that stand in one unit of a row group,
/// as a batch has them. A unit is a run of `SegmentLimits.pageRowCountMax` rows, which is one page of every column but the
/// wide ones.
enum PagePart: UInt16, CaseIterable, Sendable {
    case sequence, time, identifier, status, duration, name, kind, user, session, team, tokens, value
    case flags

    /// What must be selected to get it; nothing for flags, which come along.
    var selection: ColumnSelection {
        switch self {
        case .sequence: .sequence
        case .time: .time
        case .identifier: .identifier
        case .status: .status
        case .duration: .duration
        case .name: .name
        case .kind: .kind
        case .user: .user
        case .session: .session
        case .team: .team
        case .tokens: .tokens
        case .value: .value
        case .flags: []
        }
    }

    /// Its column; where there are several, the one by which a family has it or not.
    var column: ColumnNumber {
        switch self {
        case .sequence: .sequence
        case .time: .timestamp
        case .identifier: .identifierTime
        case .status: .status
        case .duration: .duration
        case .name: .name
        case .kind: .kind
        case .user: .user
        case .session: .session
        case .team: .team
        case .tokens: .inputTokens
        case .value: .valueBits
        case .flags: .flags
        }
    }

    /// What the parts together cover. The rest, wide byte strings above all, is read past the cache.
    static let selection = PagePart.allCases.reduce(into: ColumnSelection()) { $0.formUnion($1.selection) }

    /// The parts that a batch of this selection has.
    static func parts(of family: Family, _ selection: ColumnSelection) -> [PagePart] {
        let columns = ColumnNumber.columns(of: family)
        return allCases.filter { part in
            part == .flags
                ? selection.needsFlags(of: family)
                : selection.contains(part.selection) && columns.contains(part.column)
        }
    }
}

/// Decoded and checked values. Arrays are shared with whoever asks for a whole unit.
enum PagePiece: Sendable {
    case sequences([UInt64], arrivals: [Int64])
    case times([Int64])
    case identifiers([EventID])
    case statuses([UInt8])
    case durations([UInt64])
    case codes(CodeColumn)
    case tokens(input: [UInt64], output: [UInt64])
    case values([EventNumber], periodStarts: [Int64], periodEnds: [Int64])
    case flags([UInt16])
    /// The dictionary of a code column of a row group.
    case table(StringTable)
    /// One page of a wide column.
    case strings(ByteColumn)
    /// A unit of an attribute.
    case attribute(AttributeColumn)

    /// Memory in use, about. A dictionary is counted where it is kept alone, not with the codes.
    var byteCount: Int {
        let payload =
            switch self {
            case .sequences(let values, let arrivals): 8 * (values.count + arrivals.count)
            case .times(let values): 8 * values.count
            case .identifiers(let values): 16 * values.count
            case .statuses(let values): values.count
            case .durations(let values): 8 * values.count
            case .codes(let column): 4 * column.codes.count
            case .tokens(let input, let output): 8 * (input.count + output.count)
            case .values(let values, let starts, let ends): 16 * values.count + 8 * (starts.count + ends.count)
            case .flags(let values): 2 * values.count
            case .table(let table): table.byteCount
            case .strings(let column): column.byteCount
            case .attribute(let column): column.byteCount
            }
        return payload + Self.overheadByteCount
    }

    /// Of an entry: array headers, slot, position.
    private static let overheadByteCount = 192
}

/// Which rows of a unit are wanted.
enum RowPick {
    case all
    case range(Range<Int>)
    /// Ascending.
    case rows([Int])
}

extension ColumnBatch {
    /// One part of a batch that has it.
    func piece(_ part: PagePart) -> PagePiece? {
        switch part {
        case .sequence: .sequences(sequences, arrivals: arrivals)
        case .time: .times(timestamps)
        case .identifier: .identifiers(identifiers)
        case .status: .statuses(statuses)
        case .duration: .durations(durations)
        case .name: names.map { PagePiece.codes($0) }
        case .kind: kinds.map { PagePiece.codes($0) }
        case .user: users.map { PagePiece.codes($0) }
        case .session: sessions.map { PagePiece.codes($0) }
        case .team: teams.map { PagePiece.codes($0) }
        case .tokens: .tokens(input: inputTokens, output: outputTokens)
        case .value: .values(values, periodStarts: periodStarts, periodEnds: periodEnds)
        case .flags: .flags(flags)
        }
    }

    /// Appends the picked rows of a piece to its columns; a whole unit in an empty batch is shared, not copied.
    mutating func append(_ piece: PagePiece, _ part: PagePart, _ pick: RowPick) {
        switch piece {
        case .sequences(let values, let arrivals):
            sequences.take(values, pick)
            self.arrivals.take(arrivals, pick)
        case .times(let values): timestamps.take(values, pick)
        case .identifiers(let values): identifiers.take(values, pick)
        case .statuses(let values): statuses.take(values, pick)
        case .durations(let values): durations.take(values, pick)
        case .tokens(let input, let output):
            inputTokens.take(input, pick)
            outputTokens.take(output, pick)
        case .values(let values, let starts, let ends):
            self.values.take(values, pick)
            periodStarts.take(starts, pick)
            periodEnds.take(ends, pick)
        case .flags(let values): flags.take(values, pick)
        case .codes(let column): append(column, part, pick)
        case .table, .strings, .attribute: preconditionFailure("not a part of a unit")
        }
    }

    private mutating func append(_ column: CodeColumn, _ part: PagePart, _ pick: RowPick) {
        switch part {
        case .name: Self.append(column, pick, to: &names)
        case .kind: Self.append(column, pick, to: &kinds)
        case .user: Self.append(column, pick, to: &users)
        case .session: Self.append(column, pick, to: &sessions)
        case .team: Self.append(column, pick, to: &teams)
        default: preconditionFailure("not a code column")
        }
    }

    /// All units of a row group have the same dictionary, if not the same object.
    private static func append(_ column: CodeColumn, _ pick: RowPick, to target: inout CodeColumn?) {
        let table = target?.table ?? column.table
        var codes = target.take()?.codes ?? []
        codes.take(column.codes, pick)
        target = CodeColumn(table: table, codes: codes)
    }

    /// Takes over the columns of `other` that the cache does not hold.
    mutating func adoptRest(of other: ColumnBatch) {
        errorMessages = other.errorMessages
        arguments = other.arguments
        objects = other.objects
        commandsExecuted = other.commandsExecuted
        agentsUsed = other.agentsUsed
    }
}

extension Array {
    fileprivate mutating func take(_ values: [Element], _ pick: RowPick) {
        switch pick {
        case .all where isEmpty: self = values
        case .all: append(contentsOf: values)
        case .range(let rows): if !values.isEmpty { append(contentsOf: values[rows]) }
        case .rows(let rows):
            guard !values.isEmpty else { return }
            for row in rows { append(values[row]) }
        }
    }
}
