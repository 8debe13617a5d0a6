internal import DaybookControl
internal import DaybookFormat

/// Every operation of the document. Tests hold it against `RouteTable`: what stands in one of them only fails them.
enum OperationTable {
    static let all: [OperationDescriptor] =
        collection + sessions + queries + keys + tokens + users + teams + settings + organizations + deadLetters
        + service

    static let requestID = ParameterDescriptor(
        .header, "X-Request-Id", ["type": "string", "examples": ["build-7-try-2"]],
        "1 to \(FrontLimits.requestIDByteCountMax) visible ASCII characters, given back with the answer; anything else is passed over."
    )

    static let traceParent = ParameterDescriptor(
        .header, "traceparent",
        ["type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]],
        "W3C Trace Context: the trace stands in the log lines of the request. What is not well-formed is passed over.")

    /// Of every request.
    static let marks = [requestID, traceParent]

    /// What an id-bearing path has in its braces.
    static func identifier(_ name: String, _ schema: JSONTree, _ meaning: String) -> ParameterDescriptor {
        ParameterDescriptor(.path, name, schema, meaning)
    }

    /// An administrative verb over HTTP. What its body and parameters are called must be what the verb knows.
    /// - Parameter isWrapped: whether the answer has the form of all answers, or is the fields alone.
    static func administration(
        _ method: String, _ path: String, _ id: String, _ summary: String, tag: OperationDescriptor.Tag,
        needs: [Permission], verb: String, parameters: [ParameterDescriptor] = [], body: BodyDescriptor? = nil,
        status: Int = 200, answer: JSONTree, isWrapped: Bool = true, links: [AnswerDescriptor.Link] = [],
        errors: [ErrorTable.Row] = []
    ) -> OperationDescriptor {
        var every = [
            ErrorTable.invalidQuery, ErrorTable.validationFailed, ErrorTable.storageUnavailable,
            ErrorTable.durabilityUnknown,
        ]
        if body != nil { every += [ErrorTable.invalidJSON, ErrorTable.unsupportedMediaType] }
        return OperationDescriptor(
            method: method, paths: [path], id: id, summary: summary, tag: tag, needs: needs,
            parameters: parameters + marks, body: body,
            answers: [
                AnswerDescriptor(
                    status: status, meaning: status == 201 ? "It was made." : "Done.",
                    schema: isWrapped ? Schema.answer(answer) : answer, links: links)
            ],
            errors: every + errors, verb: verb)
    }

    /// `limit` and `cursor` of a list.
    static let paging: [ParameterDescriptor] = [
        ParameterDescriptor(
            .query, "limit", Schema.integer(1, 1_000).with(["default": 100]),
            "Items of one page, at most: `has_more` says whether more follow."),
        ParameterDescriptor(
            .query, "cursor", Schema.text,
            "From `pagination.next_cursor` of the page before; the other parameters stay as they were."
        ),
    ]
}
