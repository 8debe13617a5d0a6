internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookQuery

/// The routes that ask.
extension OperationTable {
    static let queries: [OperationDescriptor] =
        [
            query(
                "aggregated", "aggregate", "Counts, sums and percentiles by time and group.", needs: [.readAggregates],
                aggregateParameters,
                items: [
                    "anyOf": .array(
                        ["CommandAggregate", "AgentAggregate", "SessionAggregate", "MetricAggregate"]
                            .map(Schema.reference))
                ])
        ]
        + [
            (
                "commands", "listCommands", "Lists command executions.", Family.commandExecution,
                "StoredCommandExecution"
            ),
            ("agents", "listAgents", "Lists interactions with agents.", .agentInteraction, "StoredAgentInteraction"),
            ("sessions", "listSessions", "Lists sessions in their present state.", .sessionChange, "Session"),
            (
                "productivity", "listProductivity", "Lists measures of productivity.", .productivityMetric,
                "StoredProductivityMetric"
            ),
        ].map { name, id, summary, family, item in
            query(
                name, id, summary, needs: [.readOwnEvents, .readEvents], listParameters(of: family),
                items: Schema.reference(item))
        }

    private static func query(
        _ name: String, _ id: String, _ summary: String, needs: [Permission], _ parameters: [ParameterDescriptor],
        items: JSONTree
    ) -> OperationDescriptor {
        OperationDescriptor(
            method: "GET", paths: ["/api/v1/metrics/\(name)", "/api/metrics/\(name)"], id: id, summary: summary,
            tag: .queries, needs: needs, parameters: parameters.map(openToNothing) + marks,
            answers: [
                AnswerDescriptor(
                    status: 200, meaning: "One page of the answer.",
                    schema: Schema.answer(Schema.page(of: items, [.init("meta", Schema.reference("QueryMeta"))])))
            ],
            errors: [ErrorTable.invalidQuery, ErrorTable.queryTimeout, ErrorTable.storageUnavailable])
    }

    // MARK: Parameters

    /// Questions take a parameter that comes once and is empty for one that does not come; other routes do not.
    private static func openToNothing(_ parameter: ParameterDescriptor) -> ParameterDescriptor {
        guard !parameter.isRepeated, parameter.name != "group_by" else { return parameter }
        var open = parameter
        open.mayBeEmpty = true
        if paging.contains(where: { $0.name == parameter.name }) { open.component += ".query" }
        return open
    }

    private static let moment: JSONTree = [
        "anyOf": [
            ["type": "string", "format": "date-time"],
            Schema.integer(
                TimestampText.printable.lowerBound.microseconds / 1_000,
                TimestampText.printable.upperBound.microseconds / 1_000),
        ]
    ]
    private static let range: [ParameterDescriptor] = [
        ParameterDescriptor(
            .query, "start_date", moment,
            "Begin of the range, RFC 3339 or epoch milliseconds; 24 hours before its end when it is missing."),
        ParameterDescriptor(
            .query, "end_date", moment, "End of the range, which is not part of it; now when it is missing."),
    ]

    private static let search = ParameterDescriptor(
        .query, "search", Schema.text,
        "1 to 16 words, all of which stand in the error message or in some text of the free-form objects.")

    /// More digits would not fit 64 bits of nanoseconds.
    private static let milliseconds: JSONTree = ["type": "string", "pattern": #"^[0-9]{1,13}(\.[0-9]{1,6})?$"#]

    private static func durations(_ families: [Family]) -> [ParameterDescriptor] {
        guard families != [.productivityMetric] else { return [] }
        return [
            ParameterDescriptor(.query, "min_ms", milliseconds, "Took at least so many milliseconds."),
            ParameterDescriptor(.query, "max_ms", milliseconds, "Took at most so many milliseconds."),
        ]
    }

    /// Filters by what a family is grouped by, and by whether an event was a success.
    private static func filters(_ families: [Family]) -> [ParameterDescriptor] {
        var filters: [ParameterDescriptor] = []
        var names: [String] = []
        for name in families.flatMap(QueryDimension.names) where !names.contains(name) { names.append(name) }
        for name in names {
            if name == "status" {
                filters.append(status(families))
            } else {
                filters.append(
                    ParameterDescriptor(.query, name, Schema.text, "Any of these values.", isRepeated: true))
            }
        }
        if families.contains(.commandExecution) || families.contains(.agentInteraction) {
            filters.append(
                ParameterDescriptor(.query, "success", Schema.flag, "Only successes, or everything else."))
        }
        return filters + durations(families) + [search]
    }

    private static func status(_ families: [Family]) -> ParameterDescriptor {
        let ofEvents = families == [.sessionChange] ? [] : EventStatus.allCases.map(\.name)
        let ofSessions = families.contains(.sessionChange) ? SessionStatus.allCases.map(\.name) : []
        let component = ofEvents.isEmpty ? "status.sessions" : ofSessions.isEmpty ? "status" : "status.any"
        return ParameterDescriptor(
            .query, "status", Schema.words(ofEvents + ofSessions), "Any of these.", component: component,
            isRepeated: true)
    }

    private static func listParameters(of family: Family) -> [ParameterDescriptor] {
        let order = ParameterDescriptor(
            .query, "order", Schema.words(["desc", "asc"]).with(["default": "desc"]),
            "By time, then by sequence: newest first, or oldest first.")
        return range + filters([family]) + [order] + paging
    }

    private static let aggregateParameters: [ParameterDescriptor] =
        [
            ParameterDescriptor(
                .query, "metric", Schema.words(QueryParameters.metricNames).with(["default": "command_executions"]),
                "Which events are counted."),
            ParameterDescriptor(
                .query, "aggregation_window",
                Schema.words(AggregationWindow.allCases.map(\.rawValue)).with(["default": "1h"]),
                "How long a bucket is; `total` is the whole range. Buckets are aligned to UTC."),
            ParameterDescriptor(
                .query, "group_by", Schema.text,
                """
                Up to \(QueryLimits.groupDimensionCountMax), parted by commas: what can be filtered by, and paths into \
                free-form objects such as `context.project`. Such paths are filters, too: `context.branch=main`.
                """),
            ParameterDescriptor(
                .query, "percentiles", ["type": "string", "pattern": .text(percentilesPattern), "default": "50,95,99"],
                "Up to \(QueryLimits.percentileCountMax), parted by commas, each above 0 and at most 100; or `none`."),
            ParameterDescriptor(
                .query, "source", Schema.words(QuerySource.allCases.map(\.rawValue)).with(["default": "auto"]),
                "Where the answer may come from; what it is does not depend on it."),
        ] + range + filters(Family.ofOrganizations) + paging

    private static let percentilesPattern: String = {
        let fraction = #"(\.[0-9]{1,6})?"#
        let one = #"(?!0+(\.0+)?(,|$))(0?[0-9]{1,2}\#(fraction)|100(\.0{1,6})?)"#
        return "^(none|\(one)(,\(one)){0,\(QueryLimits.percentileCountMax - 1)})$"
    }()
}
