internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Access tokens and refresh tokens. The verbs do the work, on the query threads: signatures take time, and what lasts has
/// to be durable.
extension Routes {
    /// Seconds for which others may keep the public keys. A new key signs at once: who meets an unknown `kid` asks again.
    private static let keySetSeconds = 300

    func addTokens(to router: Router<RouteContext>) {
        router.post("api/v1/auth/token") { request, context in
            let credential = try authenticate(request, context)
            return try await answer(request, context, by: credential, "token.issue", hasBody: true)
        }
        router.post("api/v1/auth/refresh") { request, context in try await refresh(request, context) }
        router.post("api/v1/auth/revoke") { request, context in
            let credential = try authenticate(request, context)
            return try await answer(request, context, by: credential, "token.revoke", hasBody: true)
        }
        router.get(".well-known/jwks.json") { _, _ in try await keySet() }
    }

    /// The refresh token is the credential: an address that shows many wrong ones is not heard with further ones.
    private func refresh(_ request: Request, _ context: RouteContext) async throws -> Response {
        let start = environment.nanoseconds
        var fields = try await body(of: request)
        guard fields["verb"] == nil else {
            throw ErrorResponse.invalid(
                "validation_failed", [.init(field: "verb", message: "is not a field of the body")])
        }
        fields["verb"] = .string("token.refresh")
        let document = ControlDocument.object(fields)
        let address = ClientAddress(Peer.client(of: request))
        if let address {
            let decision = environment.limits.suspect(address, at: start)
            guard decision.isAdmitted else {
                environment.limits.refusedAddress()
                throw ErrorResponse.rateLimited(
                    RateStanding(decision, at: environment.now), retryAfterSeconds: Int(decision.retrySeconds))
            }
        }
        let origin = RequestOrigin(
            credential: nil, route: RouteTable.name(request.method.rawValue, request.uri.path),
            requestID: requestID(of: request), address: Peer.client(of: request))
        switch try await onPool(of: .strangers, { [administration] in administration.carryOut(document, by: origin) }) {
        case .success(let data):
            if let address { environment.limits.acquit(address, from: start) }
            return success(data, .ok, to: request, since: start)
        case .failure(let refusal):
            let isWrong = refusal.code == "unauthorized"
            if let address, !isWrong { environment.limits.acquit(address, from: start) }
            if isWrong, !refusal.isOfSomebodyKnown { environment.counters.strangerRefused() }
            throw ErrorResponse(refusal)
        }
    }

    private func keySet() async throws -> Response {
        // Strangers may ask as often as they like: only the first time costs a thread.
        let set: [UInt8]
        if let known = environment.tokens.knownKeySet {
            set = known
        } else {
            set = try await onPool(of: .server, { [administration] in administration.publicKeySet() })
                .mapError { ErrorResponse($0) }.get()
        }
        var response = Self.json(set)
        response.headers[.cacheControl] = "public, max-age=\(Self.keySetSeconds)"
        return response
    }
}
