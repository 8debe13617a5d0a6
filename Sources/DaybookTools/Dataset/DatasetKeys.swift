internal import DaybookControl
internal import DaybookFormat
package import DaybookSystem

/// The keys of a dataset's organizations, in a file with one key a line, in their order.
package struct DatasetKeys {
    private let path: String
    private let door: StoreDoor?

    /// - Parameter door: the store in which organizations and keys are made when the file is missing.
    package init(path: String, door: StoreDoor?) {
        self.path = path
        self.door = door
    }

    /// The keys in the file; when there is none, those of organizations that are made now, and the file with them.
    package func resolve(organizationCount: Int, clock: any Clock, entropy: any Entropy) throws -> [String] {
        if let known = try read() {
            guard known.count >= organizationCount else {
                throw ToolError(
                    "\(path) holds \(known.count) keys, and \(organizationCount) organizations need one each.",
                    cure: "Give --organizations \(known.count) or fewer, or --keys another file.")
            }
            return Array(known.prefix(organizationCount))
        }
        guard let door else {
            throw ToolError(
                "\(path) is missing.", cure: "Give --data the directory of the server, so that keys can be made.")
        }
        let existing = try organizations(door, clock, entropy)
        var keys: [String] = []
        for index in 0..<organizationCount {
            let name = DatasetGenerator.organizationName(index)
            let request =
                existing.contains(name)
                ? AdministrativeRequest.createKey(
                    organization: name, name: "dataset", scopes: ["ingest", "read"], user: nil, expiresInSeconds: nil)
                : AdministrativeRequest.createOrganization(name)
            let answer = try door.administer(request, clock: clock, entropy: entropy)
            guard let key = try ControlDocument(parsing: answer)["api_key"]?.stringValue else {
                throw ToolError("The answer to a new key holds none.", cure: "Is the server of the same version?")
            }
            keys.append(key)
        }
        let text = Array(keys.map { $0 + "\n" }.joined().utf8)
        try text.withRawSpan { try HostFile.write(path, $0) }
        return keys
    }

    private func read() throws -> [String]? {
        let bytes: [UInt8]
        do {
            bytes = try HostFile.read(path, byteCountMax: 64 << 20)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private func organizations(_ door: StoreDoor, _ clock: any Clock, _ entropy: any Entropy) throws -> Set<String> {
        let answer = try door.administer(AdministrativeRequest.listOrganizations(), clock: clock, entropy: entropy)
        let list = try ControlDocument(parsing: answer)["organizations"]?.arrayValue ?? []
        return Set(list.compactMap { $0["organization"]?.stringValue })
    }
}
