internal import DaybookControl
internal import DaybookFormat

/// What organizations are set to, and the background work that waits for somebody to look.
extension OperationTable {
    static let settings: [OperationDescriptor] =
        [
            administration(
                "GET", "/api/v1/organization/config", "showConfiguration",
                "Shows what the organization has chosen for itself.", tag: .settings, needs: [.configureOrganization],
                verb: "org.show_config", parameters: [organization], answer: Schema.reference("Configuration"),
                errors: [ErrorTable.notFound]),
            administration(
                "PUT", "/api/v1/organization/config", "setConfiguration",
                "Replaces what the organization has chosen: what is left out is no choice.", tag: .settings,
                needs: [.configureOrganization], verb: "org.set_config", parameters: [organization],
                body: BodyDescriptor("SetConfiguration", [.init("configuration", configuration)]),
                answer: Schema.reference("Configuration"), errors: [ErrorTable.notFound]),
        ] + limits("/api/v1/organization/limits", "Limits", isWrapped: true)
        + limits("/admin/rate-limits", "RateLimits", isWrapped: false)

    private static let configuration: JSONTree = [
        "rate_limiting": ["window_ms": 60_000], "data_retention": ["command_executions_days": 36_500],
        "performance": ["batch_size_limit": 1_000],
        "alerts": ["high_error_rate_threshold": .number("5.5"), "webhook_url": "https://alerts.example/daybook"],
    ]

    private static func limits(_ path: String, _ name: String, isWrapped: Bool) -> [OperationDescriptor] {
        [
            administration(
                "GET", path, "show\(name)", "Shows how much the organization may send and ask.", tag: .settings,
                needs: [.readLimits], verb: "limits.show", parameters: [organization],
                answer: Schema.reference("Limits"), isWrapped: isWrapped, errors: [ErrorTable.notFound]),
            administration(
                "PUT", path, "set\(name)", "Sets how much an organization may send and ask.", tag: .settings,
                needs: [.manageOrganizations], verb: "limits.set", parameters: [organization],
                body: BodyDescriptor(
                    "SetLimits", [.init("limits", ["requests_per_minute": 600_000, "adaptive": false])]),
                answer: Schema.reference("Limits"), isWrapped: isWrapped, errors: [ErrorTable.notFound]),
        ]
    }

    // MARK: Dead letters

    private static let letterID = identifier(
        "dead_letter_id", ["type": "string", "minLength": 1], "Names the dead letter.")

    static let deadLetters: [OperationDescriptor] = [
        administration(
            "GET", "/api/v1/dead-letters", "listDeadLetters",
            "Lists background work that is not tried any more, oldest first.", tag: .deadLetters,
            needs: [.manageDeadLetters], verb: "dlq.list", parameters: [organization] + paging,
            answer: Schema.page(of: Schema.reference("DeadLetter")), errors: [ErrorTable.notFound]),
        administration(
            "DELETE", "/api/v1/dead-letters", "purgeDeadLetters", "Drops all of them.", tag: .deadLetters,
            needs: [.manageDeadLetters], verb: "dlq.purge", parameters: [organization],
            answer: Schema.reference("PurgedDeadLetters"), errors: [ErrorTable.notFound]),
        administration(
            "GET", "/api/v1/dead-letters/{}", "showDeadLetter", "Shows one of them.", tag: .deadLetters,
            needs: [.manageDeadLetters], verb: "dlq.show", parameters: [letterID, organization],
            answer: Schema.reference("DeadLetter"), errors: [ErrorTable.notFound]),
        administration(
            "DELETE", "/api/v1/dead-letters/{}", "purgeDeadLetter", "Drops one of them.", tag: .deadLetters,
            needs: [.manageDeadLetters], verb: "dlq.purge", parameters: [letterID, organization],
            answer: Schema.reference("PurgedDeadLetters"), errors: [ErrorTable.notFound]),
        administration(
            "POST", "/api/v1/dead-letters/{}/replay", "replayDeadLetter", "Tries the work again now.",
            tag: .deadLetters, needs: [.manageDeadLetters], verb: "dlq.replay", parameters: [letterID, organization],
            answer: Schema.reference("ReplayedDeadLetters"), errors: [ErrorTable.notFound]),
    ]
}
