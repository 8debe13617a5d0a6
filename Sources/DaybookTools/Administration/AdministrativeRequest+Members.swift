internal import DaybookControl

/// Requests about users and teams.
extension AdministrativeRequest {
    /// One field of a record: nil leaves what is there, `.some(nil)` takes it away.
    package typealias Change = String??

    package static func listUsers(organization: String, team: String?) -> [UInt8] {
        var request = request("user.list", organization)
        if let team { request.field("team_id", team) }
        return request.finish()
    }

    /// - Parameter verb: `user.show` or `user.delete`.
    package static func user(_ verb: String, _ user: String, organization: String) -> [UInt8] {
        var request = request(verb, organization)
        request.field("user_id", user)
        return request.finish()
    }

    package static func setUser(
        _ user: String, organization: String, name: Change, role: Change, team: Change, isDisabled: Bool?
    ) -> [UInt8] {
        var request = request("user.set", organization)
        request.field("user_id", user)
        request.change("name", name)
        request.change("role", role)
        request.change("team_id", team)
        if let isDisabled { request.field("disabled", isDisabled) }
        return request.finish()
    }

    package static func listTeams(organization: String) -> [UInt8] { request("team.list", organization).finish() }

    /// - Parameter verb: `team.show` or `team.delete`.
    package static func team(_ verb: String, _ team: String, organization: String) -> [UInt8] {
        var request = request(verb, organization)
        request.field("team_id", team)
        return request.finish()
    }

    package static func setTeam(_ team: String, organization: String, name: Change) -> [UInt8] {
        var request = request("team.set", organization)
        request.field("team_id", team)
        request.change("name", name)
        return request.finish()
    }

    static func request(_ verb: String, _ organization: String) -> JSONObjectWriter {
        var request = JSONObjectWriter()
        request.field("verb", verb)
        request.field("organization", organization)
        return request
    }
}

extension JSONObjectWriter {
    fileprivate mutating func change(_ name: String, _ change: AdministrativeRequest.Change) {
        guard let change else { return }
        if let change { field(name, change) } else { field(name, json: Array("null".utf8)) }
    }
}

/// Requests about an organization's own configuration and its end.
extension AdministrativeRequest {
    package static func showOrganizationConfiguration(_ id: String) -> [UInt8] {
        request("org.show_config", id).finish()
    }

    /// - Parameter document: one JSON object, on as many lines as it likes.
    package static func setOrganizationConfiguration(_ id: String, document: [UInt8]) throws(ToolError) -> [UInt8] {
        guard case .object(let fields)? = try? ControlDocument(parsing: document) else {
            throw ToolError(
                "The configuration is not one JSON object.", cure: "See its form with: daybook org config show \(id)")
        }
        guard fields["organization"] == nil || fields["organization"] == .string(id), fields["verb"] == nil else {
            throw ToolError(
                "The configuration is that of another organization.", cure: "Leave the field organization out of it.")
        }
        var request = request("org.set_config", id)
        for name in fields.keys.sorted() where name != "organization" {
            var value: [UInt8] = []
            fields[name]?.append(to: &value)
            request.field(name, json: value)
        }
        return request.finish()
    }

    package static func deleteOrganization(_ id: String) -> [UInt8] { request("org.delete", id).finish() }
}

extension ControlDocument {
    /// On one line.
    fileprivate func append(to bytes: inout [UInt8]) {
        switch self {
        case .object(let fields):
            var object = JSONObjectWriter()
            for name in fields.keys.sorted() {
                var value: [UInt8] = []
                fields[name]?.append(to: &value)
                object.field(name, json: value)
            }
            bytes += object.finish()
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .string(let text): PlainJSON.append(string: text, to: &bytes)
        case .integer(let number): PlainJSON.append(integer: number, to: &bytes)
        case .decimal(let text): bytes += Array(text.utf8)
        case .boolean(let flag): bytes += Array((flag ? "true" : "false").utf8)
        case .null: bytes += Array("null".utf8)
        }
    }
}
