internal import DaybookControl
internal import DaybookCrypto
internal import DaybookFormat
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
import Synchronization

/// The description of the interface, for everybody: they ask before they have a credential.
extension Routes {
    func addDocuments(to router: Router<RouteContext>) {
        let documents = ServedDocuments(environment.options)
        router.get("openapi.json") { request, _ in try answer(request, documents.find("openapi.json")) }
        router.get("schemas/:name") { request, context in
            try answer(request, documents.find("schemas/" + (context.parameters.get("name") ?? "")))
        }
    }

    private func answer(_ request: Request, _ document: ServedDocument?) throws(ErrorResponse) -> Response {
        guard let document else { throw .notFound }
        var headers = HTTPFields()
        headers[.eTag] = document.entityTag
        headers[.cacheControl] = ServedDocument.cacheControl
        if document.isKnown(by: request.headers[values: .ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = RequestFields.jsonType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: document.body))
    }
}

struct ServedDocument: Sendable {
    /// It changes with the version and with settings only, and the tag tells when it has.
    static let cacheControl = "public, max-age=300"

    /// All answers share its storage: anybody may ask for it, over many streams, and then not read it.
    let body: ByteBuffer
    let entityTag: String

    init(_ tree: JSONTree) {
        let bytes = tree.printed
        body = ByteBuffer(bytes: bytes)
        let digits = SHA256.hash(bytes).prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        entityTag = "\"\(digits.joined())\""
    }

    /// RFC 9110, section 13.1.2: tags compare weakly, and a star fits whatever there is.
    func isKnown(by fields: [String]) -> Bool {
        fields.flatMap { $0.split(separator: ",") }.contains { tag in
            let text = tag.filter { $0 != " " && $0 != "\t" }
            return text == "*" || text == entityTag || text == "W/" + entityTag
        }
    }
}

/// All documents, made when somebody first asks for one.
final class ServedDocuments: Sendable {
    private let options: ServerOptions
    private let byPath = Mutex<[String: ServedDocument]>([:])

    init(_ options: ServerOptions) { self.options = options }

    func find(_ path: String) -> ServedDocument? {
        byPath.withLock { documents in
            if documents.isEmpty { documents = make() }
            return documents[path]
        }
    }

    private func make() -> [String: ServedDocument] {
        let document = OpenAPIDocument(version: options.version, batchEventCountMax: options.batchEventCountMax)
        var documents = ["openapi.json": ServedDocument(document.tree)]
        for schema in document.schemas {
            documents["schemas/\(schema.name).json"] = ServedDocument(OpenAPIDocument.standalone(schema))
        }
        return documents
    }
}
