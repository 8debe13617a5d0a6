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

    func makeResponder() -> RoutesResponder {
        let router = Router(context: BasicRequestContext.self, options: [.autoGenerateHeadEndpoints])
        addHealth(to: router)
        return RoutesResponder(router: router.buildResponder())
    }

    /// The credential of a request that has the scope; throws 401 or 403.
    func authorize(_ request: Request, _ scope: ScopeSet) throws(ErrorResponse) -> Credential {
        let values = request.headers[values: .authorization]
        guard values.count == 1, let key = bearerToken(of: values[0]),
            let credential = environment.registry.verify(key, at: environment.now)
        else { throw .unauthorized }
        guard credential.scopes.isSuperset(of: scope) else {
            throw .forbidden(scope: scope.names.joined(separator: ", "))
        }
        return credential
    }

    static func json(_ body: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

/// The router, and what it says when it has nothing to say.
struct RoutesResponder: Sendable {
    let router: RouterResponder<BasicRequestContext>

    func answer(_ request: Request, context: BasicRequestContext) async -> Response {
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
        let requestID = HTTPField.Name("X-Request-Id").flatMap { request.headers[$0] } ?? ""
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        for (name, value) in failure.headerFields {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let body = failure.body(requestID: requestID, latencyNanoseconds: 0)
        return Response(
            status: HTTPResponse.Status(code: failure.status, reasonPhrase: "\(failure.reason)"), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
