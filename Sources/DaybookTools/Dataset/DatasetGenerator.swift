internal import DaybookFormat

/// Makes up the events that queries are measured on: organizations of very different sizes, thousands of users, and
/// objects as agents send them, about 445 bytes of JSON an event. A pure function of its options: no clock, no other
/// source of chance. Bodies are written as bytes, because a million of them have to be made while a server waits.
package struct DatasetGenerator: Sendable {
    package let options: DatasetOptions
    private let hours: WorkingHours
    private let organizationWeights: [Int]
    var organizations: [DatasetOrganization]
    var random: GeneratorRandom
    /// Events that the store will have made of what was drawn so far.
    package private(set) var storedEventCount = 0

    /// Precondition: at least one organization, and the span is not empty.
    package init(_ options: DatasetOptions) {
        precondition(options.organizationCount >= 1)
        self.options = options
        hours = WorkingHours(start: options.start, end: options.end)
        let weights = DatasetOptions.organizationWeights(options.organizationCount)
        var total = 0
        organizationWeights = weights.map { weight in
            total += weight
            return total
        }
        organizations = weights.enumerated().map { DatasetOrganization(index: $0, weight: $1) }
        random = GeneratorRandom(seed: options.seed)
    }

    /// The public ids of the organizations, by index; the first is the largest.
    package static func organizationName(_ index: Int) -> String { GeneratorVocabulary.organization(index) }

    /// Draws the next event, nil after the last. The caller writes it with `appendBody` before it draws another one.
    package mutating func next() -> DatasetEvent? {
        guard storedEventCount < options.eventCount else { return nil }
        let moment = hours.moment(ofEvent: storedEventCount, of: options.eventCount, random: &random)
        let organization = random.index(in: organizationWeights)
        let user = random.index(in: organizations[organization].userWeights)
        organizations[organization].takePlace(user, at: moment, random: &random)
        let event = DatasetEvent(
            kind: kind(), organization: organization, user: user, timestamp: moved(moment))
        storedEventCount += event.storedEventCount
        return event
    }

    /// Of 1,000 stored events 600 are commands, 350 agent interactions, 40 metrics and 10 changes of sessions.
    private mutating func kind() -> DatasetEvent.Kind {
        // A session counts twice, so that 995 draws make 1,000 stored events.
        switch random.below(995) {
        case 0..<600: .commandExecution
        case 600..<950: .agentInteraction
        case 950..<990: .productivityMetric
        default: storedEventCount + 2 <= options.eventCount ? .userSession : .productivityMetric
        }
    }

    /// Most events arrive at once. Some come seconds late, a few minutes, and one in a thousand hours.
    private mutating func moved(_ moment: Timestamp) -> Timestamp {
        var microseconds = moment.microseconds
        switch random.below(1_000) {
        case 0: microseconds -= Int64(random.below(6 * 3_600_000)) * 1_000
        case 1..<11: microseconds -= Int64(random.below(600_000)) * 1_000
        case 11..<250: microseconds -= Int64(random.below(2_000)) * 1_000
        default: break
        }
        return Timestamp(microseconds: microseconds / 1_000 * 1_000)
    }
}
