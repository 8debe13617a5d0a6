internal import DaybookControl
internal import DaybookFormat

/// Keys, organizations, the audit trail, and the service itself.
extension OperationTable {
    private static let keyID = identifier("key_id", ["type": "string", "minLength": 1], "Names the key.")
    private static let organizationID = identifier("organization", Schema.organization, "Names the organization.")
    static let organization = ParameterDescriptor(
        .query, "organization", Schema.organization, "Another organization than the own one, for the operator.")

    static let keys: [OperationDescriptor] = [
        administration(
            "GET", "/api/v1/keys", "listKeys", "Lists the keys of the organization.", tag: .keys, needs: [.manageKeys],
            verb: "key.list", parameters: [organization] + paging,
            answer: Schema.page(of: Schema.reference("ListedKey")), errors: [ErrorTable.notFound]),
        administration(
            "POST", "/api/v1/keys", "createKey", "Makes a key that may do no more than the one that makes it.",
            tag: .keys, needs: [.manageKeys], verb: "key.create",
            body: BodyDescriptor(
                "CreateKey", isRequired: false,
                [
                    .init("role", ["name": "build server", "role": "developer", "user": "ci"]),
                    .init("scopes", ["scopes": ["ingest", "read"], "expires_in_seconds": 86_400]),
                ]),
            status: 201, answer: Schema.reference("NewKey"), links: ofKey, errors: [ErrorTable.notFound]),
        administration(
            "POST", "/api/v1/keys/{}/rotate", "rotateKey",
            "Makes a successor with the same rights; the old key goes on working for a while.", tag: .keys,
            needs: [.manageKeys], verb: "key.rotate", parameters: [keyID],
            body: BodyDescriptor("RotateKey", isRequired: false, [.init("rotation", ["grace_seconds": 3_600])]),
            status: 201, answer: Schema.reference("RotatedKey"), links: ofKey,
            errors: [ErrorTable.notFound, ErrorTable.conflict]),
        administration(
            "DELETE", "/api/v1/keys/{}", "revokeKey", "Ends a key at once.", tag: .keys, needs: [.manageKeys],
            verb: "key.revoke", parameters: [keyID, organization], answer: Schema.reference("RevokedKey"),
            errors: [ErrorTable.notFound, ErrorTable.conflict]),
    ]

    private static let ofKey: [AnswerDescriptor.Link] = ["rotateKey", "revokeKey"].map {
        .init(operation: $0, parameter: "key_id", pointer: "/data/key_id")
    }

    static let organizations: [OperationDescriptor] = [
        administration(
            "GET", "/api/v1/organizations", "listOrganizations", "Lists the organizations of the instance.",
            tag: .organizations, needs: [.manageOrganizations], verb: "org.list", parameters: paging,
            answer: Schema.page(of: Schema.reference("ListedOrganization"))),
        administration(
            "POST", "/api/v1/organizations", "createOrganization", "Makes an organization with its first key.",
            tag: .organizations, needs: [.manageOrganizations], verb: "org.create",
            body: BodyDescriptor("CreateOrganization", [.init("organization", ["organization": "example"])]),
            status: 201, answer: Schema.reference("NewKey"),
            links: [.init(operation: "showOrganization", parameter: "organization", pointer: "/data/organization")],
            errors: [ErrorTable.conflict]),
        administration(
            "GET", "/api/v1/organizations/{}", "showOrganization", "Shows one organization.", tag: .organizations,
            needs: [.manageOrganizations], verb: "org.show", parameters: [organizationID],
            answer: Schema.reference("Organization"), errors: [ErrorTable.notFound]),
        administration(
            "PUT", "/api/v1/organizations/{}", "setOrganization",
            "Sets how long an organization keeps what, and how much; what is left out stays.", tag: .organizations,
            needs: [.manageOrganizations], verb: "org.set", parameters: [organizationID],
            body: BodyDescriptor(
                "SetOrganization", [.init("settings", ["retention_days": ["commands": 36_500], "quota_bytes": 0])]),
            answer: Schema.reference("Organization"), errors: [ErrorTable.notFound]),
        administration(
            "DELETE", "/api/v1/organizations/{}", "deleteOrganization",
            "Deletes an organization and everything in it; asked again, it says how far that is.",
            tag: .organizations, needs: [.manageOrganizations], verb: "org.delete", parameters: [organizationID],
            answer: Schema.reference("DeletedOrganization"), errors: [ErrorTable.notFound, ErrorTable.conflict]),
        administration(
            "GET", "/api/v1/audit", "listAuditTrail", "Lists the audit trail, newest first.", tag: .audit,
            needs: [.readAudit], verb: "audit.list", parameters: [organization] + paging,
            answer: Schema.page(of: Schema.reference("AuditEntry")), errors: [ErrorTable.notFound]),
    ]

    // MARK: The service

    static let service: [OperationDescriptor] =
        [
            ("/health", "health", "Whether the service takes events and requests."),
            ("/health/live", "healthLive", "Whether the process is there."),
            ("/health/ready", "healthReady", "Whether the service takes events and requests."),
            ("/health/storage", "healthStorage", "Whether the store takes events."),
            ("/health/database", "healthDatabase", "Whether the store takes events."),
        ].map { path, id, summary in
            let isAlways = path == "/health/live"
            let unhealthy = AnswerDescriptor(
                status: 503, meaning: "Something is not.", schema: Schema.reference("Health"))
            return open(
                path, id, summary, knowsCredentials: !isAlways, Schema.reference("Health"), isAlways ? [] : [unhealthy])
        } + [
            open("/version", "version", "What runs here.", Schema.reference("Version")),
            OperationDescriptor(
                method: "GET", paths: ["/metrics"], id: "metrics", summary: "Counters of the process, for Prometheus.",
                tag: .service, needs: [.readInstanceMetrics], parameters: marks,
                answers: [
                    AnswerDescriptor(
                        status: 200, meaning: "The text format of Prometheus.", mediaType: Self.metricsType,
                        schema: Schema.text)
                ]),
            kept("/openapi.json", "openAPI", "This document.", ["type": "object"]),
            kept(
                "/schemas/{}", "schema", "One schema of this document, as a JSON Schema of its own.",
                ["type": "object"],
                [
                    identifier(
                        "schema", ["type": "string", "minLength": 1, "examples": ["CommandExecution.json"]],
                        "The name of the schema in the document, and `.json`.")
                ], errors: [ErrorTable.notFound]),
        ]

    static let metricsType = "text/plain"

    private static func open(
        _ path: String, _ id: String, _ summary: String, knowsCredentials: Bool = false, _ schema: JSONTree,
        _ more: [AnswerDescriptor] = []
    ) -> OperationDescriptor {
        OperationDescriptor(
            method: "GET", paths: [path], id: id, summary: summary, tag: .service, knowsCredentials: knowsCredentials,
            parameters: marks,
            answers: [AnswerDescriptor(status: 200, meaning: "The answer.", schema: schema)]
                + more)
    }

    /// What clients may keep, and ask for again with `If-None-Match`.
    private static func kept(
        _ path: String, _ id: String, _ summary: String, _ schema: JSONTree, _ parameters: [ParameterDescriptor] = [],
        errors: [ErrorTable.Row] = []
    ) -> OperationDescriptor {
        let condition = ParameterDescriptor(
            .header, "If-None-Match", Schema.text, "The `ETag` of what the client has.")
        return OperationDescriptor(
            method: "GET", paths: [path], id: id, summary: summary, tag: .service,
            parameters: parameters + [condition] + marks,
            answers: [
                AnswerDescriptor(
                    status: 200, meaning: "The document.", schema: schema, headers: [.entityTag]),
                AnswerDescriptor(
                    status: 304, meaning: "The client has it already.", headers: [.entityTag]),
            ], errors: errors)
    }
}
