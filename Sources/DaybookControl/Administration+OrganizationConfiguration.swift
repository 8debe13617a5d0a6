internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// What an organization chooses for itself, as one document.
extension Administration {
    private static let windowMilliseconds: Int64 = 60_000
    private static let families: [(field: String, family: Family)] = [
        ("command_executions_days", .commandExecution), ("agent_interactions_days", .agentInteraction),
        ("user_sessions_days", .sessionChange), ("productivity_metrics_days", .productivityMetric),
    ]

    func showOrganizationConfiguration(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        guard let record = store.organization(id) else { throw KeyRegistry.Failure.organizationNotFound }
        let policy = store.rateLimits(of: record.log)
        let retention = try store.retention(of: id)
        let chosen = store.configuration(of: record.log) ?? OrganizationConfiguration()
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.object("rate_limiting") { limits in
            limits.field("window_ms", UInt64(Self.windowMilliseconds))
            limits.number("max_requests", policy.requestsPerMinute)
            limits.number("burst_allowance", policy.burst)
        }
        answer.object("data_retention") { days in
            for (field, family) in Self.families { days.number(field, retention[family]) }
        }
        answer.object("performance") { performance in
            performance.number("batch_size_limit", chosen.batchEventCountMax)
            performance.number("processing_timeout_ms", chosen.processingTimeoutMilliseconds)
            performance.number("concurrent_requests", policy.concurrentBatchCount)
        }
        answer.object("alerts") { alerts in
            alerts.field(
                "high_error_rate_threshold", json: chosen.errorRateThresholdMillipercent.map { Self.decimal($0) })
            alerts.number("slow_response_threshold_ms", chosen.slowResponseThresholdMilliseconds)
            if chosen.webhookURL.isEmpty {
                alerts.field("webhook_url", json: nil)
            } else {
                alerts.field("webhook_url", chosen.webhookURL)
            }
        }
        return answer.finished()
    }

    /// Takes the place of the whole document: what is left out, or null, is no choice. Nothing is changed unless every
    /// field is good.
    func setOrganizationConfiguration(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        guard let record = store.organization(id) else { throw KeyRegistry.Failure.organizationNotFound }
        var reader = FieldReader(request)
        var next = OrganizationConfiguration()
        let (allowed, isSet) = store.allowedRateLimits(of: record.log)
        readLimits(&reader, allowed, into: &next)
        readPerformance(&reader, allowed.ceiling(isSet: isSet).concurrentBatchCount, into: &next)
        readAlerts(&reader, into: &next)
        let known = try store.retention(of: id)
        var retention = defaults.retention
        retention.isHeld = known.isHeld
        reader.section("data_retention", Set(Self.families.map(\.field))) { days in
            for (field, family) in Self.families {
                if let number = days.integer(field, 0...Self.retentionDaysMax) { retention[family] = UInt32(number) }
            }
        }
        try reader.check()
        if next.concurrentBatchCount == allowed.concurrentBatchCount { next.concurrentBatchCount = nil }
        let now = now
        var acts: [ControlEvent] = []
        if retention != known { acts.append(.retentionSet(id, retention, at: now)) }
        if next != store.configuration(of: record.log) ?? OrganizationConfiguration() {
            acts.append(.configurationSet(id, next, at: now))
        }
        if !acts.isEmpty {
            try store.appendControl(acts + [.audited(origin.record("org.set_config", id.text, in: id, at: now))])
        }
        return try showOrganizationConfiguration(request, origin)
    }

    /// An organization takes at most what its operator allows, limit and burst together.
    private func readLimits(
        _ reader: inout FieldReader, _ allowed: RateLimitPolicy, into next: inout OrganizationConfiguration
    ) {
        reader.section("rate_limiting", ["window_ms", "max_requests", "burst_allowance"]) { limits in
            if let window = limits.integer("window_ms", .min ... .max), window != Self.windowMilliseconds {
                limits.fault("window_ms", "must be \(Self.windowMilliseconds): requests are counted in any 60 seconds")
            }
            let most = Int64(allowed.requestsPerMinute ?? RateLimitPolicy.requestsPerMinuteMax)
            let number = limits.integer("max_requests", 1...most)
            let room = allowed.requestsPerMinute.map { Int64($0) + Int64(allowed.burst) - (number ?? 0) } ?? most
            let burst = limits.integer("burst_allowance", 0...min(number ?? Int64(allowed.burst), room))
            guard let number else { return }
            guard number != allowed.requestsPerMinute.map(Int64.init) || burst != Int64(allowed.burst) else { return }
            next.requestsPerMinute = UInt32(number)
            next.burst = UInt32(burst ?? 0)
        }
    }

    private func readPerformance(
        _ reader: inout FieldReader, _ concurrentMax: UInt16, into next: inout OrganizationConfiguration
    ) {
        let names: Set = ["batch_size_limit", "processing_timeout_ms", "concurrent_requests"]
        reader.section("performance", names) { performance in
            next.batchEventCountMax = performance.integer("batch_size_limit", 1...Int64(Limits.batchEventCountMax))
                .map { UInt32($0) }
            let range = OrganizationConfiguration.processingTimeoutMilliseconds
            next.processingTimeoutMilliseconds =
                performance.integer("processing_timeout_ms", Int64(range.lowerBound)...Int64(range.upperBound))
                .map { UInt32($0) }
            next.concurrentBatchCount = performance.integer("concurrent_requests", 1...Int64(concurrentMax))
                .map { UInt16($0) }
        }
    }

    private func readAlerts(_ reader: inout FieldReader, into next: inout OrganizationConfiguration) {
        let names: Set = ["high_error_rate_threshold", "slow_response_threshold_ms", "webhook_url"]
        reader.section("alerts", names) { alerts in
            next.errorRateThresholdMillipercent =
                alerts.thousandths(
                    "high_error_rate_threshold",
                    through: Int64(OrganizationConfiguration.errorRateThresholdMillipercentMax)
                ).map { UInt32($0) }
            next.slowResponseThresholdMilliseconds =
                alerts.integer(
                    "slow_response_threshold_ms",
                    1...Int64(OrganizationConfiguration.slowResponseThresholdMillisecondsMax)
                ).map { UInt32($0) }
            let limit = OrganizationConfiguration.webhookURLByteCountMax
            next.webhookURL = alerts.text("webhook_url", byteCountMax: limit, default: "")
            if !next.webhookURL.isEmpty, !WebhookURL.isAllowed(next.webhookURL) {
                alerts.fault("webhook_url", WebhookURL.rule)
            }
        }
    }

    /// Thousandths as a number with at most three decimals, and one at least: `5.0`.
    private static func decimal(_ thousandths: UInt32) -> [UInt8] {
        var digits = String(thousandths % 1_000 + 1_000).dropFirst()
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return Array("\(thousandths / 1_000).\(digits)".utf8)
    }
}

extension JSONObjectText {
    /// Nil is null.
    fileprivate mutating func number(_ name: String, _ number: (some BinaryInteger)?) {
        field(name, json: number.map { Array(String($0).utf8) })
    }
}
