internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookQuery
internal import DaybookStore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// The routes that ask: aggregates and lists, under both spellings of their paths. The scan runs on the query threads.
extension Routes {
    /// Answers one query from a snapshot, taken at the given time.
    private typealias Query = @Sendable (OrganizationSnapshot, Timestamp, Cancellation) throws -> QueryBody

    /// The varying parts of an answer.
    private struct QueryBody {
        var items: [UInt8] = []
        var pagination: [UInt8] = []
        var source = "raw"
        var scannedRowCount = 0
        var asOfSequence: UInt64 = 0
        /// Damage that the answer was made without: a JSON array, and how much of it there is.
        var warnings: [UInt8] = []
        var warningCount = 0
    }

    func addQueries(to router: Router<BasicRequestContext>) {
        let lists: [(name: RouterPath, family: Family)] = [
            ("commands", .commandExecution), ("agents", .agentInteraction), ("sessions", .sessionChange),
            ("productivity", .productivityMetric),
        ]
        for base in ["api/v1/metrics", "api/metrics"] {
            let group = router.group(RouterPath(base))
            group.get("aggregated") { request, context in try await aggregated(request, context) }
            for (name, family) in lists {
                group.get(name) { request, context in try await list(family, request, context) }
            }
        }
    }

    private func aggregated(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let credential = try authorize(request, .read)
        let query = try read(request) { $0.aggregateQuery() }
        let options = pool.queryOptions
        return try await answer(credential, context) { snapshot, now, cancellation in
            let answer = try query.answer(from: snapshot, now: now, cancellation: cancellation, options: options)
            var body = QueryBody()
            answer.appendItems(to: &body.items)
            answer.appendPagination(to: &body.pagination)
            body.source = answer.source
            body.scannedRowCount = answer.scannedRowCount
            body.asOfSequence = answer.asOfSequence
            body.warningCount = answer.warningCount
            if answer.warningCount > 0 { answer.appendWarnings(to: &body.warnings) }
            return body
        }
    }

    private func list(_ family: Family, _ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let credential = try authorize(request, .read)
        let query = try read(request) { $0.listQuery(of: family) }
        let options = pool.queryOptions
        return try await answer(credential, context) { snapshot, now, cancellation in
            let answer = try query.answer(from: snapshot, now: now, cancellation: cancellation, options: options)
            var body = QueryBody()
            try answer.appendItems(organization: credential.organization.id, to: &body.items)
            answer.appendPagination(to: &body.pagination)
            body.scannedRowCount = answer.scannedRowCount
            body.asOfSequence = answer.asOfSequence
            body.warningCount = answer.warningCount
            if answer.warningCount > 0 { answer.appendWarnings(to: &body.warnings) }
            return body
        }
    }

    /// Makes a query of the parameters, or throws all that is wrong with them.
    private func read<Value>(
        _ request: Request, _ make: (inout QueryParameters) -> Value
    ) throws(ErrorResponse) -> Value {
        let text = QueryString(request.uri.query ?? "")
        var parameters = QueryParameters(text.pairs, now: environment.now)
        let query = make(&parameters)
        let faults = (text.faults + parameters.faults).prefix(Limits.listedFieldErrorCountMax)
        guard faults.isEmpty else {
            throw .invalid("invalid_query", faults.map { .init(field: $0.parameter, message: $0.message) })
        }
        return query
    }

    /// Runs a query against the credential's own organization and wraps what it found.
    private func answer(
        _ credential: Credential, _ context: BasicRequestContext, _ query: @escaping Query
    ) async throws -> Response {
        let environment = environment
        environment.counters.queried()
        let started = environment.nanoseconds
        do {
            let body = try await pool.run { deadline in
                let now = environment.now
                let snapshot = try environment.store.snapshot(of: credential.organization.log)
                let body = try query(snapshot, now, deadline.cancellation)
                return Self.text(body, at: now, latencyNanoseconds: environment.nanoseconds &- started)
            }
            return Self.json(body)
        } catch QueryError.invalidCursor {
            throw ErrorResponse.invalid(
                "invalid_query", [.init(field: "cursor", message: "does not belong to this query")])
        } catch QueryError.tooLarge(let limit) {
            throw ErrorResponse.invalid(
                "invalid_query",
                [.init(field: "group_by", message: "gives more than \(limit) groups; narrow the range or add a filter")]
            )
        } catch QueryError.outOfMemory(let limit) {
            throw ErrorResponse.invalid(
                "invalid_query",
                [
                    .init(
                        field: "group_by",
                        message: "takes more than \(limit >> 20) MiB; narrow the range, group by less, or add a filter")
                ])
        } catch QueryError.cancelled {
            throw ErrorResponse.queryTimeout
        } catch let failure as ErrorResponse {
            throw failure
        } catch StoreError.organizationClosed(let corruption) {
            context.logger.error(
                "The organization is closed: its manifest is damaged.",
                metadata: ["organization": "\(credential.organization.id)", "damage": "\(corruption)"])
            throw ErrorResponse.organizationClosed
        } catch {
            context.logger.error(
                "A query failed.",
                metadata: ["organization": "\(credential.organization.id)", "error": "\(error)"])
            throw ErrorResponse.storageUnavailable
        }
    }

    private static func text(_ body: QueryBody, at now: Timestamp, latencyNanoseconds: UInt64) -> [UInt8] {
        var bytes = Array(#"{"success":true,"data":{"items":"#.utf8)
        bytes.reserveCapacity(body.items.count + 512)
        bytes.append(contentsOf: body.items)
        bytes.append(contentsOf: #","pagination":"#.utf8)
        bytes.append(contentsOf: body.pagination)
        bytes.append(contentsOf: #","meta":{"source":"#.utf8)
        JSONText.append(body.source, to: &bytes)
        bytes.append(contentsOf: #","scanned_rows":"#.utf8)
        bytes.append(decimal: UInt64(body.scannedRowCount))
        bytes.append(contentsOf: #","cache":"miss","took_ms":"#.utf8)
        bytes.append(millisecondsOf: latencyNanoseconds)
        bytes.append(contentsOf: #","as_of_sequence":"#.utf8)
        bytes.append(decimal: body.asOfSequence)
        if body.warningCount > 0 {
            bytes.append(contentsOf: #","warning_count":"#.utf8)
            bytes.append(decimal: UInt64(body.warningCount))
            bytes.append(contentsOf: #","warnings":"#.utf8)
            bytes.append(contentsOf: body.warnings)
        }
        bytes.append(UInt8(ascii: "}"))
        bytes.append(contentsOf: AnswerPattern.rateLimit)
        TimestampText.append(now, to: &bytes)
        bytes.append(contentsOf: AnswerPattern.performance)
        bytes.append(millisecondsOf: latencyNanoseconds)
        bytes.append(contentsOf: AnswerPattern.end)
        return bytes
    }
}
