package import DaybookFormat

/// One reason why a body was refused. `field` is a path such as `command_executions[3].context.model`, or `body`.
package struct FieldError: Equatable, Sendable {
    package var field: String
    package var message: String

    package init(field: String, message: String) {
        self.field = field
        self.message = message
    }
}

/// Two random words for the ids of one request; asked at most once in a parse.
package typealias EventIDSource = @Sendable () -> (UInt64, UInt64)

/// Request bodies to canonical events: one pass over the bytes, validation included, straight into the group record.
package enum EventParser {
    /// Who sends, when, and what they may do.
    package struct Context: Sendable {
        package var arrival: Timestamp
        package var organization: OrganizationID
        /// Whom an event is for when the body names nobody.
        package var defaultUser: [UInt8]
        /// Scope `ingest:any_user`; without it only `defaultUser` may be named.
        package var mayNameAnyUser: Bool
        package var randomness: EventIDSource
        /// The time of events that have none of their own; nil means arrival.
        package var defaultTimestamp: Timestamp?
        /// At most `Limits.batchEventCountMax`.
        package var batchEventCountMax: Int
        /// To which team an event belongs because of its user; nil: to none.
        package var teams: TeamIndex?

        package init(
            arrival: Timestamp, organization: OrganizationID, defaultUser: [UInt8], mayNameAnyUser: Bool,
            randomness: @escaping EventIDSource, defaultTimestamp: Timestamp? = nil,
            batchEventCountMax: Int = Limits.batchEventCountMax, teams: TeamIndex? = nil
        ) {
            self.arrival = arrival
            self.organization = organization
            self.defaultUser = defaultUser
            self.mayNameAnyUser = mayNameAnyUser
            self.randomness = randomness
            self.defaultTimestamp = defaultTimestamp
            self.batchEventCountMax = batchEventCountMax
            self.teams = teams
        }
    }

    /// Which body it is.
    package enum Kind: Sendable, Equatable {
        case commandExecution
        case agentInteraction
        case sessionStart
        /// The session id is that of the path.
        case sessionUpdate(sessionID: [UInt8])
        /// The session id is that of the path, or nil where only the body names it.
        case sessionEnd(sessionID: [UInt8]?)
        case productivityMetric
        case batch
        /// One line of NDJSON as `EventPrinter` prints it, without the line feed.
        case importLine
    }

    package enum RejectionCode: String, Sendable {
        case invalidJSON = "invalid_json"
        case validationFailed = "validation_failed"
        case forbidden = "forbidden"
        case payloadTooLarge = "payload_too_large"
    }

    /// What a body held.
    package struct Summary: Equatable, Sendable {
        package var commandExecutions = 0
        package var agentInteractions = 0
        /// Items of `user_sessions`, or changes sent one by one; an item may make up to three events.
        package var userSessions = 0
        package var productivityMetrics = 0
        /// The id of the first event stored.
        package var firstID = EventID(high: 0, low: 0)
        /// The session that a single session body is about.
        package var sessionID: String?
        /// Paths of dropped keys such as `context.__proto__`, at most 100.
        package var droppedKeys: [String] = []
    }

    package enum Result: Equatable, Sendable {
        case accepted(Summary)
        case rejected([FieldError], code: RejectionCode)
    }

    /// Appends the events of `body` to `group`, in the order of the body. After a rejection the group is of no use.
    ///
    /// Complexity: one pass; a member's value is looked at once, objects are sorted when their keys are not in order.
    package static func parse(
        _ body: RawSpan, kind: Kind, context: Context, into group: inout GroupBuilder
    ) -> Result {
        guard body.byteCount <= Limits.bodyByteCountMax else {
            return .rejected([FieldError(field: "body", message: "is longer than 10 MiB")], code: .payloadTooLarge)
        }
        return unsafe body.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, buffer.count > 0 else {
                return .rejected([FieldError(field: "body", message: "is empty")], code: .invalidJSON)
            }
            let start = unsafe base.assumingMemoryBound(to: UInt8.self)
            if let position = unsafe UTF8Text.firstInvalidByte(start, buffer.count) {
                let message = "is not UTF-8 at byte \(position)"
                return .rejected([FieldError(field: "body", message: message)], code: .invalidJSON)
            }
            var state = ParserState(cursor: unsafe JSONCursor(start, count: buffer.count), context: context)
            return state.run(kind, into: &group)
        }
    }
}
