internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookQuery
internal import DaybookStore
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// Keys, organizations and the audit trail. The verbs do the work, on the query threads, because they wait for the disk.
extension Routes {
    private static let bodyByteCountMax = 64 << 10

    func addAdministration(to router: Router<RouteContext>) {
        router.get("api/v1/keys") { request, context in
            try await answer(request, context, .manageKeys, "key.list", query: ["limit", "cursor", "organization"])
        }
        router.post("api/v1/keys") { request, context in
            try await answer(request, context, .manageKeys, "key.create", status: .created, hasBody: true)
        }
        router.post("api/v1/keys/:id/rotate") { request, context in
            try await answer(
                request, context, .manageKeys, "key.rotate", status: .created, hasBody: true, id: "key_id")
        }
        router.delete("api/v1/keys/:id") { request, context in
            try await answer(request, context, .manageKeys, "key.revoke", query: ["organization"], id: "key_id")
        }
        router.get("api/v1/organizations") { request, context in
            try await answer(request, context, .manageOrganizations, "org.list", query: ["limit", "cursor"])
        }
        router.post("api/v1/organizations") { request, context in
            try await answer(request, context, .manageOrganizations, "org.create", status: .created, hasBody: true)
        }
        router.get("api/v1/organizations/:id") { request, context in
            try await answer(request, context, .manageOrganizations, "org.show", id: "organization")
        }
        router.get("api/v1/audit") { request, context in
            try await answer(request, context, .readAudit, "audit.list", query: ["limit", "cursor", "organization"])
        }
        addDeadLetters(to: router)
    }

    private func addDeadLetters(to router: Router<RouteContext>) {
        let permission = Permission.manageDeadLetters
        router.get("api/v1/dead-letters") { request, context in
            try await answer(request, context, permission, "dlq.list", query: ["limit", "cursor", "organization"])
        }
        router.delete("api/v1/dead-letters") { request, context in
            try await answer(request, context, permission, "dlq.purge", query: ["organization"])
        }
        router.get("api/v1/dead-letters/:id") { request, context in
            try await answer(
                request, context, permission, "dlq.show", query: ["organization"], id: "dead_letter_id")
        }
        router.delete("api/v1/dead-letters/:id") { request, context in
            try await answer(
                request, context, permission, "dlq.purge", query: ["organization"], id: "dead_letter_id")
        }
        router.post("api/v1/dead-letters/:id/replay") { request, context in
            try await answer(
                request, context, permission, "dlq.replay", query: ["organization"], id: "dead_letter_id")
        }
    }

    /// One verb over HTTP: its fields come from the body, the parameters behind the question mark and the path.
    /// - Parameters:
    ///   - query: parameters that are fields of the verb.
    ///   - id: the field that the path's id is.
    ///   - isWrapped: whether the answer has the form of all answers, or is the fields alone.
    func answer(
        _ request: Request, _ context: RouteContext, _ permission: Permission, _ verb: String,
        status: HTTPResponse.Status = .ok, query: Set<String> = [], hasBody: Bool = false, id: String? = nil,
        isWrapped: Bool = true
    ) async throws -> Response {
        let credential = try authorize(request, context, permission)
        return try await answer(
            request, context, by: credential, verb, status: status, query: query, hasBody: hasBody, id: id,
            isWrapped: isWrapped)
    }

    /// The same for whoever the credential is of.
    func answer(
        _ request: Request, _ context: RouteContext, by credential: Credential, _ verb: String,
        status: HTTPResponse.Status = .ok, query: Set<String> = [], hasBody: Bool = false, id: String? = nil,
        isWrapped: Bool = true
    ) async throws -> Response {
        let start = environment.nanoseconds
        var fields = hasBody ? try await body(of: request) : [:]
        fields.merge(try parameters(of: request, query)) { _, parameter in parameter }
        let identifier = id == nil ? nil : context.parameters.get("id").map(Self.decoded)
        for name in ["verb", id ?? "verb"] where fields[name] != nil {
            throw ErrorResponse.invalid(
                "validation_failed", [.init(field: name, message: "is not a field of the body")])
        }
        if let id, let identifier { fields[id] = .string(identifier) }
        fields["verb"] = .string(verb)
        let document = ControlDocument.object(fields)
        let origin = origin(of: request, context, credential)
        let owner = WorkOwner.administration(of: credential.organization.log)
        switch try await onPool(of: owner, { [administration] in administration.carryOut(document, by: origin) }) {
        case .success(let data) where !isWrapped: return Self.json(data)
        case .success(let data): return success(data, status, to: request, since: start)
        case .failure(let refusal):
            let failure = ErrorResponse(refusal)
            note(failure, request, context, target: identifier.flatMap(Self.keyID) ?? "")
            throw failure
        }
    }

    /// A component of the path; text that says nothing stays what it is, and no id has a percent sign.
    private static func decoded(_ component: String) -> String {
        PercentEncoding.decode(component.utf8).flatMap { String(validating: $0, as: UTF8.self) } ?? component
    }

    /// Runs what waits for the disk on a query thread.
    func onPool<Value: Sendable>(
        of owner: WorkOwner, _ work: @escaping @Sendable () -> Value
    ) async throws(ErrorResponse) -> Value {
        let value: Value? = await withCheckedContinuation { continuation in
            pool.submit(of: owner) {
                continuation.resume(returning: nil)
            } _: {
                continuation.resume(returning: work())
            }
        }
        guard let value else { throw .overloaded }
        return value
    }

    /// Other text of a client's has no business in the audit trail.
    private static func keyID(_ text: String) -> String? {
        text.hasPrefix("key_") && hexNumber(text.dropFirst(4)) != nil ? text : nil
    }

    func body(of request: Request) async throws -> [String: ControlDocument] {
        let bytes: ByteBuffer
        do {
            bytes = try await request.body.collect(upTo: Self.bodyByteCountMax)
        } catch is NIOTooManyBytesError {
            throw ErrorResponse(413, "payload_too_large", "The body is larger than 64 KiB.")
        }
        // Where every field may be left out, so may the body; but not of what may take the place of a whole document.
        guard bytes.readableBytes > 0 || request.method == .put else { return [:] }
        guard let type = request.headers[.contentType], RequestFields.isJSON(type) else {
            throw ErrorResponse.unsupportedMediaType("The body must be application/json in UTF-8.")
        }
        guard case .object(let fields)? = try? ControlDocument(parsing: Array(bytes.readableBytesView)) else {
            throw ErrorResponse(400, "invalid_json", "The body is not one well-formed JSON object.")
        }
        return fields
    }

    private func parameters(
        of request: Request, _ known: Set<String>
    ) throws(ErrorResponse) -> [String: ControlDocument] {
        let text = QueryString(request.uri.query ?? "")
        var failures = text.faults.map { ErrorResponse.FieldFailure(field: $0.parameter, message: $0.message) }
        var fields: [String: ControlDocument] = [:]
        for (name, value) in text.pairs {
            guard known.contains(name) else {
                failures.append(.init(field: name, message: "is not a parameter of this request"))
                continue
            }
            // What is no number is refused where the field is read.
            let field = name == "limit" ? Int64(value).map(ControlDocument.integer) ?? .string(value) : .string(value)
            if fields.updateValue(field, forKey: name) != nil {
                failures.append(.init(field: name, message: "must not be repeated"))
            }
        }
        guard failures.isEmpty else {
            throw .invalid("invalid_query", Array(failures.prefix(Limits.listedFieldErrorCountMax)))
        }
        return fields
    }

    func success(
        _ data: [UInt8], _ status: HTTPResponse.Status, to request: Request, since start: UInt64
    ) -> Response {
        // The pattern of the limits closes the object that stands before it.
        var body = Array(#"{"success":true,"data":"#.utf8) + data.dropLast()
        let rate = HTTPField.Name(RateStanding.innerField).flatMap { request.headers[$0] }
            .flatMap(RateStanding.init(innerValue:))
        AnswerPattern.append(rate, at: environment.now, to: &body)
        body.append(contentsOf: AnswerPattern.performance)
        body.append(millisecondsOf: environment.nanoseconds &- start)
        body.append(contentsOf: AnswerPattern.end)
        return Self.json(body, status: status)
    }
}
