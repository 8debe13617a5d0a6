/// How much an organization may send and ask.
extension AdministrativeRequest {
    package static func showLimits(_ id: String) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "limits.show")
        request.field("organization", id)
        return request.finish()
    }

    /// Nil leaves what is set.
    package static func setLimits(
        _ id: String, tier: String?, requestsPerMinute: Int?, burst: Int?, isAdaptive: Bool?,
        concurrentBatchCount: Int?
    ) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", "limits.set")
        request.field("organization", id)
        if let tier { request.field("tier", tier) }
        if let requestsPerMinute { request.field("requests_per_minute", requestsPerMinute) }
        if let burst { request.field("burst", burst) }
        if let isAdaptive { request.field("adaptive", isAdaptive) }
        if let concurrentBatchCount { request.field("concurrent_batches", concurrentBatchCount) }
        return request.finish()
    }
}
