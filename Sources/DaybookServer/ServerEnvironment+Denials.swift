internal import DaybookControl
internal import DaybookStore
internal import Logging

/// Denied accesses, on every route and in the connections themselves.
extension ServerEnvironment {
    /// Notes that a request was refused: in the audit trail when the credential is known, else as a number.
    /// - Parameters:
    ///   - authorization: what the request showed; nil when there was none, or more than one.
    ///   - credential: when it is known already.
    func noteDenial(
        status: Int, authorization: String?, credential: Credential? = nil, target: String = "",
        _ origin: (Credential) -> RequestOrigin
    ) {
        guard let outcome = AuditRecord.Outcome(status: status) else { return }
        guard let credential = credential ?? authorization.flatMap(bearerToken).flatMap(identify) else {
            if status == 401 { counters.strangerRefused() }
            return
        }
        trail.noteDenial(origin(credential), outcome, target: target)
    }

    /// Blocks until what the audit trail has gathered is durable.
    func writeTrail(isLast: Bool) {
        do {
            try trail.flush(isLast: isLast)
        } catch {
            logger.warning("The audit trail could not be written; it is tried again.", metadata: ["error": "\(error)"])
        }
    }
}

extension AuditRecord.Outcome {
    /// Nil for answers that deny nothing.
    fileprivate init?(status: Int) {
        switch status {
        case 401: self = .unauthorized
        case 403: self = .forbidden
        case 404: self = .notFound
        default: return nil
        }
    }
}
