internal import DaybookFormat

extension ColumnBatch {
    /// A copy of some rows, in arrays that are no larger than they must be. Dictionaries are shared.
    /// Precondition: the rows exist.
    package func extracting(_ rows: Range<Int>) -> ColumnBatch {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount)
        var part = ColumnBatch(
            family: family, schemaVersion: schemaVersion, rowCount: rows.count, selection: selection)
        part.flags = flags.part(rows)
        part.sequences = sequences.part(rows)
        part.arrivals = arrivals.part(rows)
        part.timestamps = timestamps.part(rows)
        part.identifiers = identifiers.part(rows)
        part.statuses = statuses.part(rows)
        part.durations = durations.part(rows)
        part.names = names?.extracting(rows)
        part.kinds = kinds?.extracting(rows)
        part.users = users?.extracting(rows)
        part.sessions = sessions?.extracting(rows)
        part.teams = teams?.extracting(rows)
        part.inputTokens = inputTokens.part(rows)
        part.outputTokens = outputTokens.part(rows)
        part.values = values.part(rows)
        part.commandsExecuted = commandsExecuted.part(rows)
        part.periodStarts = periodStarts.part(rows)
        part.periodEnds = periodEnds.part(rows)
        part.errorMessages = errorMessages?.extracting(rows)
        part.arguments = arguments?.extracting(rows)
        part.objects = objects?.extracting(rows)
        part.agentsUsed = agentsUsed?.extracting(rows)
        return part
    }

    /// Memory that the arrays hold, about; a dictionary that several batches share is counted with each.
    package var byteCount: Int {
        let fixed =
            2 * flags.count + 8 * (sequences.count + arrivals.count + timestamps.count + durations.count)
            + 16 * identifiers.count + statuses.count
        let optional =
            8
            * (inputTokens.count + outputTokens.count + commandsExecuted.count + periodStarts.count
                + periodEnds.count) + 16 * values.count
        var sum = fixed + optional
        for column in [names, kinds, users, sessions, teams] { sum += column?.byteCount ?? 0 }
        for column in [errorMessages, arguments, objects, agentsUsed] { sum += column?.byteCount ?? 0 }
        return sum
    }
}

extension Array {
    /// A copy of some elements; nothing of an array that is empty because its column was not selected.
    fileprivate func part(_ rows: Range<Int>) -> [Element] { isEmpty ? [] : Array(self[rows]) }
}

extension StringTable {
    /// Memory in use, about; the hashes are counted before they are there.
    package var byteCount: Int { bytes.count + 8 * offsets.count }
}

extension CodeColumn {
    func extracting(_ rows: Range<Int>) -> CodeColumn { CodeColumn(table: table, codes: Array(codes[rows])) }

    var byteCount: Int { 4 * codes.count + table.byteCount }
}

extension ByteColumn {
    func extracting(_ rows: Range<Int>) -> ByteColumn {
        let start = offsets[rows.lowerBound]
        let end = offsets[rows.upperBound]
        return ByteColumn(
            bytes: Array(bytes[Int(start)..<Int(end)]),
            offsets: offsets[rows.lowerBound...rows.upperBound].map { $0 - start },
            present: present.map { Array($0[rows]) })
    }

    var byteCount: Int { bytes.count + 4 * offsets.count + (present?.count ?? 0) }
}

extension Zone {
    /// What the rows of a batch hold. A column that was not selected gets the widest zone, one that the family does not
    /// have 0. Precondition: at least one row.
    package init(_ batch: ColumnBatch) {
        precondition(batch.rowCount > 0)
        self.init(
            rowCount: batch.rowCount, sequenceMin: batch.sequences.first ?? 0,
            sequenceMax: batch.sequences.last ?? .max, timestampMin: .min, timestampMax: .max, arrivalMin: .min,
            arrivalMax: .max, durationMin: 0, durationMax: .max, statusMin: 0, statusMax: .max)
        if let found = bounds(batch.timestamps) { (timestampMin, timestampMax) = found }
        if let found = bounds(batch.arrivals) { (arrivalMin, arrivalMax) = found }
        if batch.family == .productivityMetric {
            durationMax = 0
        } else if let found = bounds(batch.durations) {
            (durationMin, durationMax) = found
        }
        if let found = bounds(batch.statuses) { (statusMin, statusMax) = found }
    }
}

/// Smallest and largest value; nil when there is none.
@inline(__always)
private func bounds<Value: Comparable>(_ values: [Value]) -> (Value, Value)? {
    guard var low = values.first else { return nil }
    var high = low
    for value in values {
        low = min(low, value)
        high = max(high, value)
    }
    return (low, high)
}

extension ColumnSelection {
    /// Flags say which optional values exist; reading columns that every row has does without.
    func needsFlags(of family: Family) -> Bool {
        var always: ColumnSelection = [.sequence, .time, .identifier, .name, .user, .tokens]
        if family != .sessionChange { always.formUnion([.status, .duration]) }
        if family == .agentInteraction { always.insert(.kind) }
        return !isSubset(of: always)
    }
}
