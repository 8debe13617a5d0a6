internal import DaybookFormat
internal import DaybookSystem

/// All external issuers, as the file that the setting `tokens.issuers_file` names has them. docs/operations/tokens.md
/// shows its form.
package struct ExternalIssuers: Sendable {
    /// Everything that is wrong with the file and those that it names.
    package struct Faults: Error, Sendable, Equatable, CustomStringConvertible {
        package var list: [String]
        package var description: String { list.joined(separator: "\n") }
    }

    private struct Source: Equatable {
        var path: String
        var bytes: [UInt8]
    }

    private static let fileByteCountMax = 1 << 20
    private static let issuerCountMax = 64

    /// By the claim `iss`.
    let byIssuer: [String: ExternalIssuer]
    private let sources: [Source]

    package static let none = ExternalIssuers()

    private init() { (byIssuer, sources) = ([:], []) }

    /// Reads the file and the key sets that it names; their paths start at its folder.
    /// - Parameter ownIssuer: the name of this store in its own tokens, which nobody else may have.
    package init(reading path: String, ownIssuer: String) throws(Faults) {
        let source = try Self.read(path)
        var reader = ExternalIssuerReader(ownIssuer: ownIssuer, countMax: Self.issuerCountMax)
        let entries = reader.entries(of: source.bytes)
        var sources = [source]
        var issuers: [String: ExternalIssuer] = [:]
        for entry in entries {
            let keys: Source
            do throws(Faults) {
                keys = try Self.read(Self.path(entry.keysFile, besides: path))
            } catch {
                reader.faults += error.list
                continue
            }
            sources.append(keys)
            var issuer = entry.issuer
            issuer.keys = reader.keys(of: keys.bytes, in: keys.path)
            issuers[issuer.issuer] = issuer
        }
        guard reader.faults.isEmpty else { throw Faults(list: reader.faults.map { "\(path): \($0)" }) }
        byIssuer = issuers
        self.sources = sources
    }

    /// Whether one of the files has another content than was read. One that cannot be read has.
    package var hasChanged: Bool {
        sources.contains { source in
            do throws(Faults) {
                return try Self.read(source.path) != source
            } catch {
                return true
            }
        }
    }

    private static func read(_ path: String) throws(Faults) -> Source {
        do throws(DiskError) {
            return Source(path: path, bytes: try HostFile.read(path, byteCountMax: fileByteCountMax))
        } catch {
            let reason =
                error.kind == .noSpace ? "is longer than \(fileByteCountMax) bytes" : "cannot be read: \(error)"
            throw Faults(list: ["\(path) \(reason)"])
        }
    }

    private static func path(_ name: String, besides file: String) -> String {
        if name.hasPrefix("/") { return name }
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        return folder + name
    }
}

/// Reads the two kinds of files, and notes all that is wrong.
struct ExternalIssuerReader {
    struct Entry {
        var issuer: ExternalIssuer
        var keysFile: String
    }

    let ownIssuer: String
    let countMax: Int
    var faults: [String] = []

    init(ownIssuer: String, countMax: Int) {
        self.ownIssuer = ownIssuer
        self.countMax = countMax
    }

    private static let fields: Set<String> = [
        "name", "issuer", "audience", "jwks_file", "organization", "organization_claim", "organizations", "user_claim",
        "role", "role_claim", "types",
    ]
    private static let typesAccepted = ["at+jwt", "jwt"]

    /// `{"issuers": [{…}]}`; entries with a fault are left out.
    mutating func entries(of bytes: [UInt8]) -> [Entry] {
        guard let document = try? ControlDocument(parsing: bytes), document.fieldNames == ["issuers"],
            let items = document["issuers"]?.arrayValue, items.count <= countMax
        else {
            faults.append("must be a JSON object with one field, issuers: a list of at most \(countMax) objects")
            return []
        }
        var found: [Entry] = []
        for (position, item) in items.enumerated() {
            let faultCount = faults.count
            let entry = entry(item, "issuers[\(position)]")
            if found.contains(where: { $0.issuer.issuer == entry.issuer.issuer || $0.issuer.name == entry.issuer.name })
            {
                faults.append("issuers[\(position)] has the name or the issuer of another one")
            }
            if faults.count == faultCount { found.append(entry) }
        }
        return found
    }

    private mutating func entry(_ item: ControlDocument, _ place: String) -> Entry {
        for name in item.fieldNames.sorted() where !Self.fields.contains(name) {
            faults.append("\(place).\(name) is no field of an issuer")
        }
        let name = text("name", of: item, place) ?? ""
        let isName =
            (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
            }
        if !isName { faults.append("\(place).name must be 1 to 32 of a-z, 0-9 and -") }
        let issuer = needed("issuer", of: item, place)
        if issuer == ownIssuer { faults.append("\(place).issuer is what this store calls itself (tokens.issuer)") }
        let organizations = texts("organizations", of: item, place) ?? []
        let types = texts("types", of: item, place)?.map { $0.lowercased() } ?? Self.typesAccepted
        if types.isEmpty { faults.append("\(place).types must name one") }
        if let organization = item["organization"]?.stringValue, OrganizationID(organization) == nil {
            faults.append("\(place).organization must be 1 to 63 of a-z, 0-9 and -, and not start with -")
        }
        if let role = item["role"]?.stringValue, Role(rawValue: role) == nil {
            faults.append("\(place).role must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let found = ExternalIssuer(
            name: name, issuer: issuer, audience: needed("audience", of: item, place),
            organization: source("organization", of: item, place), organizations: Set(organizations),
            user: .claim(text("user_claim", of: item, place) ?? "sub"), role: source("role", of: item, place),
            types: Set(types))
        return Entry(issuer: found, keysFile: needed("jwks_file", of: item, place))
    }

    /// Exactly one of `name` and `name_claim`.
    private mutating func source(_ name: String, of item: ControlDocument, _ place: String) -> ExternalIssuer.Source {
        switch (text(name, of: item, place), text(name + "_claim", of: item, place)) {
        case (let fixed?, nil): return .fixed(fixed)
        case (nil, let claim?): return .claim(claim)
        default:
            faults.append("\(place) must have either \(name) or \(name)_claim")
            return .fixed("")
        }
    }

    private mutating func needed(_ name: String, of item: ControlDocument, _ place: String) -> String {
        if let text = text(name, of: item, place) { return text }
        if item[name] == nil { faults.append("\(place).\(name) is missing") }
        return ""
    }

    /// Nil when it is not there, and when it is none.
    private mutating func text(_ name: String, of item: ControlDocument, _ place: String) -> String? {
        guard let value = item[name] else { return nil }
        guard let text = value.stringValue, (1...1_024).contains(text.utf8.count) else {
            faults.append("\(place).\(name) must be a text of 1 to 1024 bytes")
            return nil
        }
        return text
    }

    private mutating func texts(_ name: String, of item: ControlDocument, _ place: String) -> [String]? {
        guard let value = item[name] else { return nil }
        guard let list = value.arrayValue, list.count <= 1_000, list.allSatisfy({ $0.stringValue != nil }) else {
            faults.append("\(place).\(name) must be a list of at most 1000 texts")
            return nil
        }
        return list.compactMap(\.stringValue)
    }
}
