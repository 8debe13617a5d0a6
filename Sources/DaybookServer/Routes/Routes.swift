internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// The routes about the service itself, on the general router. Whatever goes wrong in them becomes the JSON of the contract here.
struct Routes: Sendable {
    let environment: ServerEnvironment
    let pool: QueryPool
    let administration: Administration

    func makeResponder() -> RoutesResponder {
        let router = Router(context: RouteContext.self, options: [.autoGenerateHeadEndpoints])
        addHealth(to: router)
        addAdministration(to: router)
        addDocuments(to: router)
        addMembers(to: router)
        addOrganization(to: router)
        addTokens(to: router)
        return RoutesResponder(router: router.buildResponder())
    }

    /// The credential of a request; nil for every way in which it can be wrong.
    func credential(of request: Request) throws(ErrorResponse) -> Credential? {
        let now = environment.now
        guard let key = authorization(of: request).flatMap(bearerToken),
            let credential = try environment.verify(key, at: now), credential.admits(at: now)
        else { return nil }
        return credential
    }

    private func authorization(of request: Request) -> String? {
        let values = request.headers[values: .authorization]
        return values.count == 1 ? values[0] : nil
    }

    /// The credential of a request; throws 401 when there is none, and notes it.
    func authenticate(_ request: Request, _ context: RouteContext) throws(ErrorResponse) -> Credential {
        if let credential = try credential(of: request) { return credential }
        note(.unauthorized, request, context)
        throw .unauthorized
    }

    /// The credential of a request that has the permission; throws 401 or 403, and notes it.
    func authorize(
        _ request: Request, _ context: RouteContext, _ permission: Permission
    ) throws(ErrorResponse) -> Credential {
        let credential = try authenticate(request, context)
        guard credential.permits(permission) else {
            note(.forbidden(permission), request, context)
            throw .forbidden(permission)
        }
        return credential
    }

    func note(_ failure: ErrorResponse, _ request: Request, _ context: RouteContext, target: String = "") {
        environment.noteDenial(status: failure.status, authorization: authorization(of: request), target: target) {
            origin(of: request, context, $0)
        }
    }

    func origin(of request: Request, _ context: RouteContext, _ credential: Credential) -> RequestOrigin {
        RequestOrigin(
            credential: credential, route: RouteTable.name(request.method.rawValue, request.uri.path),
            requestID: requestID(of: request), address: Peer.client(of: request))
    }

    static func json(_ body: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

/// What the router knows of a request beside the request.
struct RouteContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}

/// As the connection has put it there: the client's, or one of ours.
func requestID(of request: Request) -> String {
    HTTPField.Name("X-Request-Id").flatMap { request.headers[$0] } ?? ""
}

/// The router, and what it says when it has nothing to say.
struct RoutesResponder: Sendable {
    let router: RouterResponder<RouteContext>

    func answer(_ request: Request, context: RouteContext) async -> Response {
        guard let methods = RouteTable.methods(path: request.uri.path) else {
            return Self.response(.notFound, to: request)
        }
        let allow = methods.joined(separator: ", ")
        if request.method == .options {
            var headers = HTTPFields()
            headers[.allow] = allow
            return Response(status: .noContent, headers: headers)
        }
        guard methods.contains(request.method.rawValue) else {
            return Self.response(.methodNotAllowed(allow: allow), to: request)
        }
        do {
            let response = try await router.respond(to: request, context: context)
            // The table above knows every route; what the router itself does not find would have no body.
            return response.status == .notFound ? Self.response(.notFound, to: request) : response
        } catch let failure as ErrorResponse {
            return Self.response(failure, to: request)
        } catch {
            context.logger.error("A route failed.", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Self.response(.storageUnavailable, to: request)
        }
    }

    private static func response(_ failure: ErrorResponse, to request: Request) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        for (name, value) in failure.headerFields {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let body = failure.body(requestID: requestID(of: request), latencyNanoseconds: 0)
        return Response(
            status: HTTPResponse.Status(code: failure.status, reasonPhrase: "\(failure.reason)"), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
