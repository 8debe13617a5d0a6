import DaybookEvent
import DaybookFormat
import DaybookRollup
import Testing

@testable import DaybookQuery

@Suite struct QueryParametersTests {
    private let now = Timestamp(microseconds: 1_780_000_000_000_000)

    private func aggregate(_ pairs: [(String, String)]) -> (AggregateQuery, [QueryFault]) {
        var parameters = QueryParameters(pairs.map { (name: $0.0, value: $0.1) }, now: now)
        let query = parameters.aggregateQuery()
        return (query, parameters.faults)
    }

    private func list(_ family: Family, _ pairs: [(String, String)]) -> (ListQuery, [QueryFault]) {
        var parameters = QueryParameters(pairs.map { (name: $0.0, value: $0.1) }, now: now)
        let query = parameters.listQuery(of: family)
        return (query, parameters.faults)
    }

    @Test func withoutParametersTheLastDayOfCommandsIsAskedForByHours() {
        let (query, faults) = aggregate([])
        #expect(faults.isEmpty)
        #expect(query.family == .commandExecution)
        #expect(query.range == TimeRange(start: now.adding(microseconds: -86_400_000_000), end: now))
        #expect(query.isStartImplied && query.isEndImplied)
        #expect(query.window == .oneHour)
        #expect(query.percentiles == [.p50, .p95, .p99])
        #expect(query.limit == 100)
    }

    @Test func everyParameterOfAnAggregateIsTaken() throws {
        let (query, faults) = aggregate([
            ("metric", "agent_interactions"), ("start_date", "2026-01-01T00:00:00+01:00"),
            ("end_date", "1767400000000"), ("aggregation_window", "15m"),
            ("group_by", "agent_name,metadata.git.branch"),
            ("group_by", "status"), ("percentiles", "50,99.9"), ("limit", "1000"), ("cursor", "abc"), ("source", "raw"),
            ("user_id", "ann"), ("user_id", "bob"), ("metadata.model", "x"), ("min_ms", "1.5"), ("success", "false"),
        ])
        #expect(faults.isEmpty)
        #expect(query.family == .agentInteraction)
        #expect(query.range.start.microseconds == 1_767_222_000_000_000)
        #expect(query.range.end.microseconds == 1_767_400_000_000_000)
        #expect(!query.isStartImplied && !query.isEndImplied)
        #expect(query.groupBy.map(\.name) == ["agent_name", "metadata.git.branch", "status"])
        #expect(query.percentiles.map(\.key) == ["p50", "p99.9"])
        #expect(query.filter.conditions.first?.values == [Array("ann".utf8), Array("bob".utf8)])
        #expect(query.filter.durationMin == 1_500_000)
        #expect(query.filter.isSuccess == false)
    }

    @Test(arguments: [
        ("start_date", "yesterday"), ("end_date", ""), ("aggregation_window", "2h"), ("metric", "all"),
        ("group_by", "agent_name"), ("group_by", "metadata.x"), ("percentiles", "0"), ("percentiles", "50,"),
        ("limit", "0"), ("limit", "1001"), ("limit", "ten"), ("nonsense", "1"), ("status", "ok"), ("min_ms", "-1"),
        ("max_ms", "1.0000001"), ("max_ms", "99999999999999999999"), ("success", "yes"), ("source", "cache"),
        ("context.", "x"),
    ])
    func aBadParameterIsAFaultOfThatName(name: String, value: String) {
        let (_, faults) = aggregate([(name, value)])
        // An empty parameter is one that is not there.
        #expect(faults.map(\.parameter) == (value.isEmpty ? [] : [name]))
    }

    @Test func aStartAfterTheEndIsAFault() {
        let (_, faults) = aggregate([("start_date", "1000"), ("end_date", "999")])
        #expect(faults.map(\.parameter) == ["start_date"])
    }

    @Test func aSingleParameterMustNotBeRepeated() {
        let (_, faults) = aggregate([("limit", "5"), ("limit", "6")])
        #expect(faults.map(\.parameter) == ["limit"])
    }

    @Test func moreThanFourDimensionsAreAFault() {
        let (query, faults) = aggregate([("group_by", "command_name,user_id,team_id,status,context.a")])
        #expect(faults.map(\.parameter) == ["group_by"])
        #expect(query.groupBy.count == 4)
    }

    @Test func listsTakeTheirFamilysFiltersOnly() {
        let (query, faults) = list(.productivityMetric, [("order", "asc"), ("metric_type", "error_rate")])
        #expect(faults.isEmpty)
        #expect(query.order == .oldestFirst)
        #expect(list(.productivityMetric, [("status", "error")]).1.map(\.parameter) == ["status"])
        #expect(list(.sessionChange, [("status", "error")]).1.map(\.parameter) == ["status"])
        #expect(list(.sessionChange, [("status", "abandoned"), ("context.a.b", "1")]).1.isEmpty)
        #expect(list(.commandExecution, [("session_id", "s"), ("order", "up")]).1.map(\.parameter) == ["order"])
    }
}
