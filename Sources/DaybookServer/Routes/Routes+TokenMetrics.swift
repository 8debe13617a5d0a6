internal import DaybookControl

extension Routes {
    func tokenSeries(_ counts: TokenCounters.Snapshot) -> [MetricSeries] {
        [
            MetricSeries(
                "daybook_tokens_issued_total", .counter, "Access tokens made for an API key.", counts.issued),
            MetricSeries(
                "daybook_tokens_refreshed_total", .counter, "Access tokens made for a refresh token.",
                counts.refreshed),
            MetricSeries(
                "daybook_refresh_tokens_used_twice_total", .counter,
                "Refresh tokens that came a second time, which ended their grant.", counts.usedTwice),
            MetricSeries(
                "daybook_token_signatures_total", .counter, "Signatures of tokens that were computed.",
                counts.signatures),
            MetricSeries(
                "daybook_tokens_passed_over_total", .counter,
                "Unknown tokens that were answered 503 because too many came at once.", counts.passedOver),
        ]
    }
}
