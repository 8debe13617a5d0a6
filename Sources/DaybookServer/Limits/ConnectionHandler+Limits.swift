internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import NIOCore

/// Who is asking, and whether they may go on asking.
extension ConnectionHandler {
    /// The refusal of a request from an address that sends too much.
    func refusalOfAddress() -> ErrorResponse? {
        guard let clientAddress,
            let decision = environment.limits.admit(clientAddress, at: environment.nanoseconds), !decision.isAdmitted
        else { return nil }
        environment.limits.refusedAddress()
        return refusal(decision).closing()
    }

    /// The credential of a request, nil for every way in which it can be wrong. Addresses that show many wrong ones get
    /// no answer to further ones: then only credentials are taken that this event loop knows already.
    func credential(_ fields: RequestFields, at now: Timestamp) throws(ErrorResponse) -> Credential? {
        guard fields.authorizationCount == 1, let value = fields.authorization else { return nil }
        return try credential(authorization: value, at: now)
    }

    /// - Parameter countsWrong: whether the address has to answer for a wrong one.
    func credential(
        authorization value: String, at now: Timestamp, countsWrong: Bool = true
    ) throws(ErrorResponse) -> Credential? {
        guard let clientAddress, !loop.knows(authorization: value) else {
            return try loop.credential(authorization: value, at: now)
        }
        let moment = environment.nanoseconds
        let decision = environment.limits.suspect(clientAddress, at: moment)
        guard decision.isAdmitted else {
            if countsWrong { environment.limits.refusedAddress() }
            throw refusal(decision)
        }
        let credential = try loop.credential(authorization: value, at: now)
        if credential != nil || !countsWrong { environment.limits.acquit(clientAddress, from: moment) }
        return credential
    }

    /// Counts the request against the limits of its organization; returns why it is refused. While the event loop is
    /// behind everything is, uncounted: what is refused here costs the least of what can be refused. What is counted here comes
    /// with the answer, whatever that is.
    func refusal(of kind: RequestKind, _ credential: Credential) -> ErrorResponse? {
        guard !loop.isOverloaded else {
            environment.counters.shed()
            return .overloaded
        }
        let organization = credential.organization.log
        let policy = environment.store.rateLimits(of: organization)
        if kind == .batch {
            guard environment.limits.enterBatch(of: organization, policy) else {
                let standing = RateStanding(concurrent: UInt64(policy.concurrentBatchCount), at: environment.now)
                request.rate = standing
                request.refusedOrganization = organization
                return .tooManyConcurrent(standing)
            }
            request.heldBatch = organization
        }
        guard
            let decision = environment.limits.admit(kind, of: organization, policy, at: environment.nanoseconds)
        else {
            request.isUnlimited = true
            return nil
        }
        guard decision.isAdmitted else {
            request.refusedOrganization = organization
            return refusal(decision)
        }
        request.rate = RateStanding(decision, at: environment.now)
        return nil
    }

    private func refusal(_ decision: RateDecision) -> ErrorResponse {
        let standing = RateStanding(decision, at: environment.now)
        request.rate = standing
        return .rateLimited(standing, retryAfterSeconds: Int(decision.retrySeconds))
    }

    /// The batch of this request is no longer under way.
    func leaveBatch() {
        guard let organization = request.heldBatch else { return }
        request.heldBatch = nil
        environment.limits.leaveBatch(of: organization)
    }
}

extension ErrorResponse {
    static func rateLimited(_ standing: RateStanding, retryAfterSeconds: Int) -> ErrorResponse {
        var response = ErrorResponse(429, "rate_limited", "Rate limit exceeded")
            .retryable(afterSeconds: retryAfterSeconds)
        response.rate = standing
        return response
    }

    static func tooManyConcurrent(_ standing: RateStanding) -> ErrorResponse {
        var response = ErrorResponse(
            429, "too_many_concurrent", "At most \(standing.limit) batches of an organization are taken at a time."
        ).retryable(afterSeconds: 1)
        response.rate = standing
        return response
    }
}
