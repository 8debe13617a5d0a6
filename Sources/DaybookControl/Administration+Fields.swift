internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// Reads fields of a request and notes all that are wrong.
struct FieldReader {
    private let request: ControlDocument
    /// What stands before the names of its fields, `alerts.` for example.
    private let path: String
    private var faults: [Administration.Refusal.Fault] = []

    init(_ request: ControlDocument, path: String = "") {
        self.request = request
        self.path = path
    }

    mutating func fault(_ field: String, _ message: String) {
        faults.append(.init(field: path + field, message: message))
    }

    /// Reads an object inside the request, which may have these fields; nothing is read of one that is not there.
    mutating func section(_ name: String, _ fields: Set<String>, _ read: (inout FieldReader) -> Void) {
        guard let value = request[name] else { return }
        guard case .object = value else { return fault(name, "must be an object") }
        var reader = FieldReader(value, path: path + name + ".")
        for field in value.fieldNames.sorted() where !fields.contains(field) {
            reader.fault(field, "is not a known field")
        }
        read(&reader)
        faults += reader.faults
    }

    func check() throws(Administration.Refusal) {
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    /// A text that must be there, unless there is a default.
    mutating func text(_ name: String, byteCountMax: Int = 255, default fallback: String? = nil) -> String {
        if request[name] == nil, let fallback { return fallback }
        guard let text = request[name]?.stringValue, text.utf8.count <= byteCountMax else {
            fault(name, "must be a string of at most \(byteCountMax) bytes")
            return ""
        }
        return text
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = request[name] else { return nil }
        guard let number = value.integerValue, range.contains(number) else {
            fault(name, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A number with at most three decimals, in thousandths.
    mutating func thousandths(_ name: String, through most: Int64) -> Int64? {
        guard let value = request[name] else { return nil }
        guard let number = value.thousandths, (0...most).contains(number) else {
            fault(name, "must be a number from 0 to \(most / 1_000) with at most three decimals")
            return nil
        }
        return number
    }

    mutating func flag(_ name: String) -> Bool {
        guard let value = request[name] else { return false }
        guard case .boolean(let flag) = value else {
            fault(name, "must be true or false")
            return false
        }
        return flag
    }

    /// Whom a key is for; empty when it is left out.
    mutating func user() -> String { request["user"] == nil ? "" : identifier("user") }

    /// The id of a user or a team, as events name them.
    mutating func identifier(_ name: String) -> String {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-".utf8)
        guard let text = request[name]?.stringValue, (1...Limits.userByteCountMax).contains(text.utf8.count),
            text.utf8.allSatisfy(allowed.contains)
        else {
            fault(name, "must be 1 to \(Limits.userByteCountMax) of A-Z, a-z, 0-9 and _.@-")
            return ""
        }
        return text
    }

    /// A text that stays when it is not named, and is taken away by null.
    mutating func change(_ name: String, of known: inout String, byteCountMax: Int = 255) {
        if request.isNull(name) {
            known = ""
        } else if request[name] != nil {
            known = text(name, byteCountMax: byteCountMax)
        }
    }
}

extension Administration {
    /// The organization that a request names.
    func organization(of request: ControlDocument) throws(Refusal) -> OrganizationID {
        guard let text = request["organization"]?.stringValue, let id = OrganizationID(text) else {
            throw .invalid("organization", "must be 1 to 63 of a-z, 0-9 and -, and not start with -")
        }
        return id
    }

    /// The organization that a request is about: with a credential its own, which need not be named; the operator may
    /// name any.
    func organization(of request: ControlDocument, _ origin: RequestOrigin) throws -> OrganizationID {
        guard let credential = origin.credential else { return try organization(of: request) }
        guard request["organization"] != nil else { return credential.organization.id }
        let id = try organization(of: request)
        guard id == credential.organization.id || credential.permits(.manageOrganizations) else {
            throw KeyRegistry.Failure.organizationNotFound
        }
        return id
    }

    /// The same, and it is there.
    func existingOrganization(of request: ControlDocument, _ origin: RequestOrigin) throws -> OrganizationID {
        let id = try organization(of: request, origin)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        return id
    }

    /// Where a key has to be; nil when anywhere will do.
    func scope(of request: ControlDocument, _ origin: RequestOrigin) throws -> OrganizationID? {
        if origin.credential == nil, request["organization"] == nil { return nil }
        return try organization(of: request, origin)
    }

    func flag(_ name: String, of request: ControlDocument) throws(Refusal) -> Bool {
        var reader = FieldReader(request)
        let flag = reader.flag(name)
        try reader.check()
        return flag
    }
}

/// Which part of a list is wanted.
struct Page {
    static let countDefault = 100
    private static let countMax: Int64 = 1_000
    static let badCursor = Administration.Refusal.invalid(
        [.init(field: "cursor", message: "does not belong to this list")], code: "invalid_query")

    /// Nil: as many as there are, or the default.
    let limit: Int?
    let cursor: String?

    init(_ request: ControlDocument) throws(Administration.Refusal) {
        var reader = FieldReader(request)
        limit = reader.integer("limit", 1...Self.countMax).map { Int($0) }
        cursor = request["cursor"] == nil ? nil : reader.text("cursor")
        do {
            try reader.check()
        } catch {
            throw .invalid(error.faults, code: "invalid_query")
        }
    }

    /// Part of a list whose elements never leave it. Verbs get all of it under its name unless they ask for a part; over
    /// HTTP a list has the form of all lists.
    func answer<Element>(
        _ origin: RequestOrigin, _ name: String, _ all: [Element], id: (Element) -> String,
        _ describe: (Element, inout JSONObjectText) -> Void
    ) throws(Administration.Refusal) -> [UInt8] {
        var start = 0
        if let cursor {
            guard let position = all.firstIndex(where: { id($0) == cursor }) else { throw Self.badCursor }
            start = position + 1
        }
        let isWhole = origin.credential == nil && limit == nil
        let end = isWhole ? all.count : min(all.count, start + (limit ?? Self.countDefault))
        var answer = JSONObjectText()
        answer.list(origin.credential == nil ? name : "items", Array(all[start..<end]), describe)
        if !isWhole { answer.pagination(next: end < all.count ? id(all[end - 1]) : nil) }
        return answer.finished()
    }
}
