package import DaybookFormat

/// What the events of `bench generate` depend on, all of it: equal options give equal bytes.
package struct GeneratorOptions: Sendable, Equatable {
    package var seed: UInt64 = 1
    package var eventCount = 10_000
    package var organizationCount = 3
    /// The span in which the events arrive. Late ones have an earlier timestamp.
    package var start: Timestamp
    package var end: Timestamp
    /// Whether some sessions come finished and in one piece, which only batches can carry.
    package var wholeSessions = true

    /// - Parameter start: the span is one day from here unless `end` says otherwise.
    package init(start: Timestamp, end: Timestamp? = nil) {
        self.start = start
        self.end = end ?? start.adding(microseconds: 86_400_000_000)
    }
}

/// One made-up event as its JSON body, before anyone decides in which request it travels.
package struct GeneratedEvent: Sendable, Equatable {
    package enum Kind: Sendable, Equatable, CaseIterable {
        case commandExecution, agentInteraction, productivityMetric
        case sessionStart, sessionUpdate, sessionEnd
        /// A finished session in one piece, as batches and imports carry it.
        case userSession
    }

    package var kind: Kind
    /// Index of the organization, from 0.
    package var organization: Int
    /// When the client would have sent it.
    package var sentAt: Timestamp
    /// The session that a session event is about; empty for the other kinds.
    package var sessionID: String
    /// A JSON object, valid as the body of the kind's own route.
    package var body: [UInt8]
}

extension GeneratedEvent {
    /// How many events the store makes of it: a whole session is its start and its end.
    package var storedEventCount: Int { kind == .userSession ? 2 : 1 }

    /// The event as a line of an import, with its line feed. Precondition: no whole session, which has no such line.
    package func importLine() -> [UInt8] {
        var line = Array("{\"type\":\"\(kind.family.typeName)\",".utf8)
        switch kind {
        case .sessionStart: line.append(contentsOf: "\"change\":\"started\",".utf8)
        case .sessionUpdate: line.append(contentsOf: "\"change\":\"updated\",".utf8)
        case .sessionEnd: line.append(contentsOf: "\"change\":\"ended\",".utf8)
        case .userSession: preconditionFailure("a whole session has no import line")
        case .commandExecution, .agentInteraction, .productivityMetric: break
        }
        line.append(contentsOf: body.dropFirst())
        line.append(UInt8(ascii: "\n"))
        return line
    }
}

extension GeneratedEvent.Kind {
    package var family: Family {
        switch self {
        case .commandExecution: .commandExecution
        case .agentInteraction: .agentInteraction
        case .productivityMetric: .productivityMetric
        case .sessionStart, .sessionUpdate, .sessionEnd, .userSession: .sessionChange
        }
    }
}
