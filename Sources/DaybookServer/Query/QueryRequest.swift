internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookQuery
internal import DaybookStore
internal import Logging
internal import NIOCore

/// One question with its parameters read: ready to be answered on any thread, from the credential's own organization.
struct QueryRequest: Sendable {
    private enum Question: Sendable {
        case aggregate(AggregateQuery)
        case list(ListQuery)
    }

    /// What the part of an answer that stands behind its items tells.
    private struct Facts {
        var source = "raw"
        var scannedRowCount = 0
        var asOfSequence: UInt64 = 0
        /// Damage that the answer was made without.
        var warningCount = 0
    }

    /// Most answers fit, the long ones grow a few times.
    private static let answerByteCapacity = 16 << 10

    private let question: Question
    private let credential: Credential
    private let environment: ServerEnvironment
    private let options: QueryOptions
    private let rate: RateStanding?
    private let startedNanoseconds: UInt64

    var organization: LogID { credential.organization.log }

    /// Throws all that is wrong with the parameters.
    /// - Parameters:
    ///   - target: of the request; the parameters stand behind its question mark.
    ///   - rate: told in the answer; nil where nothing is limited.
    init(
        _ route: QueryRoute, target: String, credential: Credential, environment: ServerEnvironment,
        options: QueryOptions, rate: RateStanding?
    ) throws(ErrorResponse) {
        let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let text = QueryString(parts.count > 1 ? String(Substring(parts[1])) : "")
        var parameters = QueryParameters(text.pairs, now: environment.now)
        switch route {
        case .aggregated: question = .aggregate(parameters.aggregateQuery())
        case .list(let family):
            var query = parameters.listQuery(of: family)
            guard Self.narrow(&query.filter, for: credential, in: environment.store) else { throw Self.foreignUser }
            question = .list(query)
        }
        let faults = (text.faults + parameters.faults).prefix(Limits.listedFieldErrorCountMax)
        guard faults.isEmpty else {
            throw .invalid("invalid_query", faults.map { .init(field: $0.parameter, message: $0.message) })
        }
        self.credential = credential
        self.environment = environment
        self.options = options
        self.rate = rate
        startedNanoseconds = environment.nanoseconds
    }

    private static let foreignUser = ErrorResponse(
        403, "forbidden", "This credential lists the events of its own user only.")

    /// Leaves of a list what the credential may see. False when it asks for other users and sees the own one only.
    private static func narrow(
        _ filter: inout EventFilter, for credential: Credential, in store: Store
    ) -> Bool {
        guard !credential.permits(.readEvents) else { return true }
        let own = credential.defaultUser
        let mayReadTeam = credential.permits(.readTeamEvents)
        let team = mayReadTeam ? store.teams(of: credential.organization.log)?.team(of: own) : nil
        filter.rows = EventFilter.Rows(user: own, teams: team.map { [$0] } ?? [])
        // Who was in a team and when is not to be told by what is refused: a manager may ask for anybody.
        guard !mayReadTeam, let asked = filter.conditions.first(where: { $0.dimension == .user }) else { return true }
        return asked.values.allSatisfy { $0 == own }
    }

    /// The parts of the answer's body, from a snapshot of this moment. Blocks.
    func answer(_ cancellation: Cancellation) -> Result<QueryAnswer, ErrorResponse> {
        do {
            return .success(
                try QueryAnswer(try parts(cancellation), of: organization, from: environment.questions))
        } catch {
            return .failure(failure(error))
        }
    }

    private func parts(_ cancellation: Cancellation) throws -> [ByteBuffer] {
        let now = environment.now
        let snapshot = try environment.store.snapshot(of: credential.organization.log)
        var writer = JSONWriter(byteCapacity: Self.answerByteCapacity)
        writer.raw(#"{"success":true,"data":{"items":"#)
        switch question {
        case .aggregate(let query):
            let items = try append(query, snapshot, now, cancellation, to: &writer)
            return items + [writer.withBytes(Self.buffer)]
        case .list(let query):
            try append(query, snapshot, now, cancellation, to: &writer)
            return [writer.withBytes(Self.buffer)]
        }
    }

    private static func buffer(_ bytes: RawSpan) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: bytes.byteCount)
        buffer.writeBytes(bytes)
        return buffer
    }

    /// Returns what comes before the rest of the text, which stays in the writer.
    private func append(
        _ query: AggregateQuery, _ snapshot: OrganizationSnapshot, _ now: Timestamp, _ cancellation: Cancellation,
        to writer: inout JSONWriter
    ) throws -> [ByteBuffer] {
        let answer = try query.answer(from: snapshot, now: now, cancellation: cancellation, options: options)
        writer.raw("[")
        let begin = writer.withBytes(Self.buffer)
        let items = answer.printItems(options.executor, Self.buffer)
        writer.removeAll()
        writer.raw(#"],"pagination":"#)
        answer.appendPagination(to: &writer)
        let facts = Facts(
            source: answer.source, scannedRowCount: answer.scannedRowCount, asOfSequence: answer.asOfSequence,
            warningCount: answer.warningCount)
        append(facts, now, to: &writer) { answer.appendWarnings(to: &$0) }
        return [begin] + items
    }

    private func append(
        _ query: ListQuery, _ snapshot: OrganizationSnapshot, _ now: Timestamp, _ cancellation: Cancellation,
        to writer: inout JSONWriter
    ) throws {
        let answer = try query.answer(from: snapshot, now: now, cancellation: cancellation, options: options)
        try answer.appendItems(organization: credential.organization.id, to: &writer)
        writer.raw(#","pagination":"#)
        answer.appendPagination(to: &writer)
        let facts = Facts(
            scannedRowCount: answer.scannedRowCount, asOfSequence: answer.asOfSequence,
            warningCount: answer.warningCount)
        append(facts, now, to: &writer) { answer.appendWarnings(to: &$0) }
    }

    private func append(
        _ facts: Facts, _ now: Timestamp, to writer: inout JSONWriter, warnings: (inout JSONWriter) -> Void
    ) {
        var milliseconds: [UInt8] = []
        milliseconds.append(millisecondsOf: environment.nanoseconds &- startedNanoseconds)
        writer.raw(#","meta":{"#)
        writer.key("source")
        writer.string(facts.source)
        writer.key("scanned_rows")
        writer.integer(UInt64(facts.scannedRowCount))
        writer.key("cache")
        writer.word("miss")
        writer.key("took_ms")
        writer.json(milliseconds)
        writer.key("as_of_sequence")
        writer.integer(facts.asOfSequence)
        if facts.warningCount > 0 {
            writer.key("warning_count")
            writer.integer(UInt64(facts.warningCount))
            writer.key("warnings")
            warnings(&writer)
        }
        writer.closeObject()
        var end: [UInt8] = []
        AnswerPattern.append(rate, at: now, to: &end)
        end += AnswerPattern.performance + milliseconds + AnswerPattern.end
        end.withRawSpan { writer.raw($0) }
    }

    private func failure(_ error: any Error) -> ErrorResponse {
        switch error {
        case QueryError.invalidCursor:
            return Self.invalid("cursor", "does not belong to this query")
        case QueryError.tooLarge(let limit):
            return Self.invalid("group_by", "gives more than \(limit) groups; narrow the range or add a filter")
        case QueryError.outOfMemory(let limit):
            if case .list = question {
                return Self.invalid(
                    "start_date", "takes in more than \(limit >> 20) MiB; narrow the range or add a filter")
            }
            return Self.invalid(
                "group_by",
                "takes more than \(limit >> 20) MiB; narrow the range, group by less, or add a filter")
        case QueryError.overloaded: return .overloaded
        case QueryError.cancelled: return .queryTimeout
        case StoreError.organizationClosed(let corruption):
            environment.logger.error(
                "The organization is closed: its manifest is damaged.",
                metadata: ["organization": "\(credential.organization.id)", "damage": "\(corruption)"])
            return .organizationClosed
        default:
            environment.logger.error(
                "A query failed.",
                metadata: ["organization": "\(credential.organization.id)", "error": "\(error)"])
            return .storageUnavailable
        }
    }

    private static func invalid(_ field: String, _ message: String) -> ErrorResponse {
        .invalid("invalid_query", [.init(field: field, message: message)])
    }
}
