internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// How much an organization may send and ask.
extension Administration {
    func showLimits(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let record = try limitedOrganization(of: request, origin)
        let policy = store.rateLimits(of: record.log)
        var answer = JSONObjectText()
        answer.field("organization", record.id.text)
        answer.field("tier", policy.tier.name)
        for (name, kind) in [
            ("single_per_minute", RequestKind.single), ("batch_per_minute", .batch), ("query_per_minute", .query),
        ] {
            answer.field(name, json: policy.limit(of: kind).map { Array(String($0.requestsPerMinute).utf8) })
        }
        answer.field("burst", UInt64(policy.burst))
        answer.field("adaptive", policy.isAdaptive)
        answer.field("concurrent_batches", UInt64(policy.concurrentBatchCount))
        return answer.finished()
    }

    /// What is not named stays as it was set here; but another tier, or another number, begins without a burst. What the
    /// organization has chosen of its limits holds no more. Nothing is changed unless every field is good. What was set
    /// once stays set when it is what the server gives to those for whom nothing was.
    func setLimits(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let record = try limitedOrganization(of: request, origin)
        let (known, isSet) = store.allowedRateLimits(of: record.log)
        var policy = known
        try readTier(of: request, into: &policy)
        if let adaptive = request["adaptive"] {
            guard case .boolean(let isAdaptive) = adaptive else {
                throw Refusal(code: "validation_failed", message: "adaptive must be true or false.")
            }
            policy.isAdaptive = isAdaptive
        }
        if let number = try Self.number("concurrent_batches", of: request, 1, RateLimitPolicy.concurrentBatchCountMax) {
            policy.concurrentBatchCount = number
        }
        if request["burst"] != nil {
            guard let limit = policy.requestsPerMinute else {
                throw Refusal(code: "validation_failed", message: "burst needs a limit, and this tier has none.")
            }
            policy.burst = try Self.number("burst", of: request, 0, limit) ?? 0
        }
        let isAsked = request.fieldNames.contains { $0 != "verb" && $0 != "organization" }
        if isAsked, !isSet || policy != known || policy != store.rateLimits(of: record.log) {
            try store.appendControl([
                .rateLimitsSet(record.id, policy, at: now),
                .audited(origin.record("limits.set", record.id.text, in: record.id, at: now)),
            ])
        }
        return try showLimits(request, origin)
    }

    private func limitedOrganization(
        of request: ControlDocument, _ origin: RequestOrigin
    ) throws -> OrganizationRecord {
        let id = try organization(of: request, origin)
        guard let record = store.organization(id) else { throw KeyRegistry.Failure.organizationNotFound }
        return record
    }

    private func readTier(of request: ControlDocument, into policy: inout RateLimitPolicy) throws(Refusal) {
        if let tier = request["tier"] {
            guard request["requests_per_minute"] == nil else {
                throw Refusal(
                    code: "validation_failed", message: "tier and requests_per_minute exclude each other.")
            }
            let named = RateLimitPolicy.Tier.allCases.first { $0.name == tier.stringValue }
            guard let named, named != .own else {
                throw Refusal(
                    code: "validation_failed",
                    message: "tier must be unlimited, free, professional or enterprise; or give requests_per_minute.")
            }
            (policy.tier, policy.ownRequestsPerMinute, policy.burst) = (named, 0, 0)
        } else if let number = try Self.number(
            "requests_per_minute", of: request, 1, RateLimitPolicy.requestsPerMinuteMax)
        {
            (policy.tier, policy.ownRequestsPerMinute, policy.burst) = (.own, number, 0)
        }
    }

    /// A whole number within bounds, or nil when there is none of that name.
    private static func number<Number: FixedWidthInteger>(
        _ name: String, of request: ControlDocument, _ least: Number, _ most: Number
    ) throws(Refusal) -> Number? {
        guard let value = request[name] else { return nil }
        guard let number = value.integerValue, let number = Number(exactly: number), (least...most).contains(number)
        else {
            throw Refusal(
                code: "validation_failed", message: "\(name) must be an integer from \(least) to \(most).")
        }
        return number
    }
}

extension RateLimitPolicy.Tier {
    /// As administrators write it.
    package var name: String {
        switch self {
        case .unlimited: "unlimited"
        case .free: "free"
        case .professional: "professional"
        case .enterprise: "enterprise"
        case .own: "own"
        }
    }
}
