/// Times, cursors and parameters of questions.
extension BadInputs {
    private static func time(_ name: String, _ value: String) -> BadInput {
        .command(name, "\"timestamp\":\(value)", "timestamp")
    }

    static let times: [BadInput] = [
        time("a time that is a word", "\"now\""),
        time("an empty time", "\"\""),
        time("a date without a time", "\"2026-01-05\""),
        time("a time without an offset", "\"2026-01-05T09:30:00\""),
        time("a time with a space for the T", "\"2026-01-05 09:30:00Z\""),
        time("a time with a short offset", "\"2026-01-05T09:30:00+02\""),
        time("a time with an offset without a colon", "\"2026-01-05T09:30:00+0200\""),
        time("an offset of a whole day", "\"2026-01-05T09:30:00+24:00\""),
        time("the month 13", "\"2026-13-05T09:30:00Z\""),
        time("the month 0", "\"2026-00-05T09:30:00Z\""),
        time("the 30th of February", "\"2026-02-30T09:30:00Z\""),
        time("the 29th of February of a common year", "\"2026-02-29T09:30:00Z\""),
        time("the hour 24", "\"2026-01-05T24:00:00Z\""),
        time("the minute 60", "\"2026-01-05T09:60:00Z\""),
        time("the second 61", "\"2026-01-05T09:30:61Z\""),
        time("a leap second at noon", "\"2026-01-05T12:00:60Z\""),
        time("a fraction without digits", "\"2026-01-05T09:30:00.Z\""),
        time("a comma for a point", "\"2026-01-05T09:30:00,5Z\""),
        time("the year 0", "\"0000-01-01T00:00:00Z\""),
        time("a year of five digits", "\"12026-01-05T09:30:00Z\""),
        time("a negative year", "\"-2026-01-05T09:30:00Z\""),
        time("a time with a zone's name", "\"2026-01-05T09:30:00[Europe/Berlin]\""),
        time("a time with a space behind it", "\"2026-01-05T09:30:00Z \""),
        time("a time of HTTP", "\"Mon, 05 Jan 2026 09:30:00 GMT\""),
        time("a time far in the future", "\"9999-01-01T00:00:00Z\""),
        time("milliseconds far in the future", "253370764800000"),
        time("milliseconds beyond year 9999", "253402300800000"),
        time("milliseconds before year 1", "-62135596800001"),
        time("milliseconds beyond 64 bits", "99999999999999999999999"),
        time("milliseconds in quotes", "\"1767605400250\""),
        time("a time that is true", "true"),
        time("a time that is an object", "{\"seconds\":1}"),
        .wrong(
            "a period that ends before it begins",
            #"{"metric_type":"a","value":1,"period_start":"2026-01-02T00:00:00Z","period_end":"2026-01-01T00:00:00Z"}"#,
            "period_start", BadInput.productivity),
        .wrong(
            "a session that ends before it begins",
            #"{"user_sessions":[{"session_start":"2026-01-02T00:00:00Z","session_end":"2026-01-01T00:00:00Z"}]}"#,
            "user_sessions[0].session_end", BadInput.batch),
        .question("a start that is a word", "start_date=yesterday", "start_date"),
        .question("a start that is a date", "start_date=2026-01-05", "start_date"),
        .question("a start with a bare plus, which is a space", "start_date=2026-01-05T09:30:00+02:00", "start_date"),
        .question("an end on the 31st of June", "end_date=2026-06-31T00:00:00Z", "end_date"),
        .question("an end with a fraction of a millisecond", "end_date=1767605400250.5", "end_date"),
        .question("an end beyond 64 bits", "end_date=99999999999999999999", "end_date"),
        .question("an end beyond year 9999", "end_date=253402300800000", "end_date"),
        .question(
            "a start behind the end", "start_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z", "start_date"),
        .question("a start in the future", "start_date=9999-01-01T00:00:00Z", "start_date", "aggregated"),
    ]

    /// A cursor of a real question, of 62 bytes, and what can be wrong with it.
    private static let forged = String(repeating: "A", count: 83)

    static let cursors: [BadInput] = [
        .question("a word for a cursor", "cursor=next", "cursor"),
        .question("a number for a cursor", "cursor=100", "cursor"),
        .question("a cursor of zeros", "cursor=\(forged)", "cursor"),
        .question("a cursor of zeros for a sum", "cursor=\(forged)", "cursor", "aggregated"),
        .question("a cursor of zeros for sessions", "cursor=\(forged)", "cursor", "sessions"),
        .question(
            "a cursor of the first version and of no kind", "cursor=AQ\(String(repeating: "A", count: 81))", "cursor"),
        .question("a cursor in plain base 64", "cursor=\(String(repeating: "%2B", count: 83))", "cursor"),
        .question("a cursor with padding", "cursor=\(forged)=", "cursor"),
        .question("a cursor with a NUL", "cursor=%00", "cursor"),
        .question("a cursor that is JSON", "cursor=%7B%22offset%22:100%7D", "cursor"),
        .question("a cursor of two thousand letters", "cursor=\(String(repeating: "A", count: 2_000))", "cursor"),
        .question("two cursors", "cursor=a&cursor=b", "cursor"),
        BadInput(
            "a cursor of keys that nobody has", .target("/api/v1/keys?cursor=key_00000000000000ff"), 400,
            "invalid_query", "cursor"),
        BadInput(
            "a cursor of the trail that is a word", .target("/api/v1/audit?cursor=next"), 400, "invalid_query", "cursor"
        ),
        BadInput(
            "a cursor of the trail that is zero", .target("/api/v1/audit?cursor=0"), 400, "invalid_query", "cursor"),
        BadInput(
            "a cursor of the trail that is negative", .target("/api/v1/audit?cursor=-1"), 400, "invalid_query", "cursor"
        ),
    ]

    private static func sum(_ name: String, _ query: String, _ field: String) -> BadInput {
        .question(name, query, field, "aggregated")
    }

    static let parameters: [BadInput] = [
        .question("a limit of zero", "limit=0", "limit"),
        .question("a negative limit", "limit=-1", "limit"),
        .question("a limit of 1,001", "limit=1001", "limit"),
        .question("a limit with a point", "limit=10.0", "limit"),
        .question("a limit with an exponent", "limit=1e2", "limit"),
        .question("a limit in hexadecimal", "limit=0x10", "limit"),
        .question("a limit beyond 64 bits", "limit=99999999999999999999", "limit"),
        .question("a limit that is a word", "limit=all", "limit"),
        .question("a limit with a space", "limit=10%20", "limit"),
        .question("two limits", "limit=1&limit=2", "limit"),
        .question("a limit in full-width digits", "limit=%EF%BC%91", "limit"),
        .question("an order that nobody knows", "order=random", "order"),
        .question("an order with a capital", "order=ASC", "order"),
        .question("a status of sessions", "status=active", "status"),
        .question("a status of events", "status=error", "status", "sessions"),
        .question("a success that is a number", "success=1", "success"),
        .question("a success that is a word", "success=yes", "success", "agents"),
        .question("a success of sessions", "success=true", "success", "sessions"),
        .question("a duration of measures", "min_ms=1", "min_ms", "productivity"),
        .question("a negative duration", "min_ms=-1", "min_ms"),
        .question("a duration with an exponent", "max_ms=1e3", "max_ms"),
        .question("a duration with seven decimals", "max_ms=1.0000001", "max_ms"),
        .question("a duration of twenty digits", "max_ms=99999999999999999999", "max_ms"),
        .question("a duration with a point at the end", "min_ms=1.", "min_ms"),
        .question("a search without a word", "search=%21%3F", "search"),
        .question(
            "a search of seventeen words", "search=\((0..<17).map { "w\($0)" }.joined(separator: "%20"))", "search"),
        .question("a parameter that nobody knows", "colour=red", "colour"),
        .question("a parameter with a capital", "Limit=1", "Limit"),
        .question("an agent's parameter", "agent_name=a", "agent_name"),
        .question("a free-form object of another family", "metadata.model=a", "metadata.model"),
        .question("a path that ends with a point", "context.=a", "context."),
        .question("a path with an empty step", "context..a=b", "context..a"),
        .question("a bad escape in a value", "user_id=%zz", "user_id"),
        .question("a bad escape in a name", "%zz=1", "%zz"),
        .question("an escape cut short", "user_id=a%2", "user_id"),
        .question("a value that is not UTF-8", "user_id=%ff", "user_id"),
        .question("a value with an overlong NUL", "user_id=%c0%80", "user_id"),
        sum("a metric that nobody knows", "metric=events", "metric"),
        sum("a window of two hours", "aggregation_window=2h", "aggregation_window"),
        sum("a window in seconds", "aggregation_window=3600", "aggregation_window"),
        sum("a grouping that nobody knows", "group_by=colour", "group_by"),
        sum("a grouping of another family", "group_by=agent_name", "group_by"),
        sum("five groupings", "group_by=command_name,user_id,team_id,status,context.a", "group_by"),
        sum("a grouping by time", "group_by=timestamp", "group_by"),
        sum("percentiles of words", "percentiles=median", "percentiles"),
        sum("the percentile 0", "percentiles=0", "percentiles"),
        sum("a percentile beyond 100", "percentiles=100.5", "percentiles"),
        sum("a negative percentile", "percentiles=-50", "percentiles"),
        sum("an empty percentile", "percentiles=50,,99", "percentiles"),
        sum("a percentile with seven decimals", "percentiles=99.9999999", "percentiles"),
        sum("twenty-one percentiles", "percentiles=\((1...21).map(String.init).joined(separator: ","))", "percentiles"),
        sum("a source that nobody knows", "source=cache", "source"),
        sum("rollups for what they do not tell apart", "source=rollup&group_by=team_id", "source"),
        sum("an order of sums", "order=asc", "order"),
    ]
}
