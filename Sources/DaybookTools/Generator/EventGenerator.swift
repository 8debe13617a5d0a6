internal import DaybookFormat

/// Makes up events as a day of AI-assisted development gives them: commands about 60 %, agents about 35 %, the rest
/// sessions and productivity metrics; few organizations and users that do much and many that do little; errors with
/// messages, late events, other scripts. A pure function of its options: no clock, no other source of chance.
package struct EventGenerator: Sendable {
    package let options: GeneratorOptions
    private let hours: WorkingHours
    private let organizationWeights: [Int]
    private var organizations: [GeneratedOrganization]
    private var random: GeneratorRandom
    private var nextIndex = 0

    /// Precondition: at least one organization, and the span is not empty.
    package init(_ options: GeneratorOptions) {
        precondition(options.organizationCount >= 1)
        self.options = options
        hours = WorkingHours(start: options.start, end: options.end)
        organizationWeights = zipfCumulative(count: options.organizationCount)
        random = GeneratorRandom(seed: options.seed)
        var seeding = random
        organizations = (0..<options.organizationCount).map { index in
            GeneratedOrganization(index: index, wholeSessions: options.wholeSessions, random: &seeding)
        }
        random = GeneratorRandom(seed: seeding.next())
    }

    /// The public ids of the organizations, by index.
    package static func organizationName(_ index: Int) -> String { GeneratorVocabulary.organization(index) }

    /// The next event, or nil after the last. `sentAt` never goes back.
    package mutating func next() -> GeneratedEvent? {
        guard nextIndex < options.eventCount else { return nil }
        let moment = hours.moment(ofEvent: nextIndex, of: options.eventCount, random: &random)
        nextIndex += 1
        let organization = random.index(in: organizationWeights)
        return organizations[organization].event(at: moment, random: &random)
    }
}

/// The people of one organization and what they are in the middle of.
struct GeneratedOrganization: Sendable {
    let index: Int
    private let wholeSessions: Bool
    private let users: [GeneratedUser]
    private let userWeights: [Int]
    private var sessions: [OpenSession?]

    struct GeneratedUser: Sendable {
        var id: String
        /// Index into the vocabulary, so that a user keeps to a project and a model for a while.
        var project: Int
        var model: Int
        var host: String
    }

    struct OpenSession: Sendable {
        var id: String
        var startedAt: Timestamp
        var commandCount = 0
        var agents: [String] = []
    }

    init(index: Int, wholeSessions: Bool, random: inout GeneratorRandom) {
        self.index = index
        self.wholeSessions = wholeSessions
        let userCount = max(3, random.within(24...60) / (index + 1))
        users = (0..<userCount).map { position in
            GeneratedUser(
                id: Self.userID(position, organization: index, random: &random),
                project: random.below(GeneratorVocabulary.projects.count),
                model: random.below(GeneratorVocabulary.models.count), host: random.pick(GeneratorVocabulary.hosts))
        }
        userWeights = zipfCumulative(count: userCount)
        sessions = Array(repeating: nil, count: userCount)
    }

    /// Most people have a login name, some a mail address, some are only a UUID.
    private static func userID(_ position: Int, organization: Int, random: inout GeneratorRandom) -> String {
        let given = random.pick(GeneratorVocabulary.givenNames)
        let family = random.pick(GeneratorVocabulary.familyNames)
        switch random.below(10) {
        case 0..<6: return "\(given).\(family)\(position)"
        case 6..<9: return "\(given).\(family)\(position)@\(GeneratorVocabulary.organization(organization)).example"
        default: return EventID(high: random.next(), low: random.next()).description
        }
    }

    mutating func event(at moment: Timestamp, random: inout GeneratorRandom) -> GeneratedEvent {
        let userIndex = random.index(in: userWeights)
        let user = users[userIndex]
        var writer = EventBodyWriter(user: user, sentAt: moment, sessionID: sessions[userIndex]?.id)
        let kind: GeneratedEvent.Kind
        switch random.below(1_000) {
        case 0..<600:
            writer.commandExecution(random: &random)
            kind = .commandExecution
            sessions[userIndex]?.commandCount += 1
        case 600..<950:
            let agent = writer.agentInteraction(random: &random)
            kind = .agentInteraction
            sessions[userIndex]?.note(agent: agent)
        case 950..<980:
            return sessionEvent(userIndex, at: moment, random: &random)
        default:
            writer.productivityMetric(random: &random)
            kind = .productivityMetric
        }
        return GeneratedEvent(kind: kind, organization: index, sentAt: moment, sessionID: "", body: writer.finish())
    }

    private mutating func sessionEvent(
        _ userIndex: Int, at moment: Timestamp, random: inout GeneratorRandom
    ) -> GeneratedEvent {
        var writer = EventBodyWriter(user: users[userIndex], sentAt: moment, sessionID: nil)
        guard let session = sessions[userIndex] else {
            let id = "ses_" + hexText(random.next())
            let kind: GeneratedEvent.Kind
            if wholeSessions, random.chance(perThousand: 250) {
                writer.userSession(id: id, random: &random)
                kind = .userSession
            } else {
                writer.sessionStart(id: id, random: &random)
                kind = .sessionStart
                sessions[userIndex] = OpenSession(id: id, startedAt: moment)
            }
            return GeneratedEvent(kind: kind, organization: index, sentAt: moment, sessionID: id, body: writer.finish())
        }
        let ends = random.chance(perThousand: 500)
        if ends {
            writer.sessionEnd(session, random: &random)
            sessions[userIndex] = nil
        } else {
            writer.sessionUpdate(session, random: &random)
        }
        return GeneratedEvent(
            kind: ends ? .sessionEnd : .sessionUpdate, organization: index, sentAt: moment, sessionID: session.id,
            body: writer.finish())
    }
}

extension GeneratedOrganization.OpenSession {
    mutating func note(agent: String) {
        if !agents.contains(agent) { agents.append(agent) }
    }
}
