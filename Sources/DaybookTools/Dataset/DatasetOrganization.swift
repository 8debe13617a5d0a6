internal import DaybookFormat

/// The people of one organization of the dataset, and what each of them is in the middle of.
struct DatasetOrganization: Sendable {
    /// One login: a project, a branch, a model and a directory that stay the same for some twenty-five events.
    struct Sitting: Sendable {
        /// `ses_` and 16 hexadecimal digits.
        var session: [UInt8] = []
        var project: Int = 0
        var model: Int = 0
        /// The members of `context` that stay the same, without the brace at the end.
        var context: [UInt8] = []
        /// The same for `metadata`.
        var metadata: [UInt8] = []
        var startedAt = Timestamp(microseconds: 0)
        var eventCount = 0
        /// Events until the next sitting begins.
        var remaining = 0
    }

    struct User: Sendable {
        var id: [UInt8]
        var home: [UInt8]
        var sitting = Sitting()
    }

    let projects: [[UInt8]]
    /// What the files of this organization's projects are called.
    let files: [[UInt8]]
    let userWeights: [Int]
    private(set) var users: [User]

    private static let projectCount = 24
    private static let fileCount = 6_000

    /// - Parameter weight: events of this organization in 1,000; the number of its people follows from it.
    init(index: Int, weight: Int) {
        // People and projects depend on the organization alone, so that datasets of different seeds speak of the same.
        var random = GeneratorRandom(seed: 0x6f72_6761_6e69_7a65 &+ UInt64(index))
        let userCount = max(20, 2 * weight)
        users = (0..<userCount).map { position in
            let given = random.pick(GeneratorVocabulary.givenNames)
            let family = random.pick(GeneratorVocabulary.familyNames)
            return User(
                id: Array("\(given).\(family)\(position)".utf8), home: Array("/home/\(given)\(position)/src/".utf8))
        }
        userWeights = Self.softZipf(count: userCount)
        projects = (0..<Self.projectCount).map { number in
            Array("\(DatasetVocabulary.projects[number % DatasetVocabulary.projects.count])-\(number + 1)".utf8)
        }
        files = (0..<Self.fileCount).map { number in
            let folder = random.pick(DatasetVocabulary.folders)
            let stem = random.pick(DatasetVocabulary.stems)
            return Array("\(folder)/\(stem)\(number)".utf8)
        }
    }

    /// Weights that fall slower than those of a Zipf law: the busiest of 500 people does twenty times what the laziest
    /// does.
    private static func softZipf(count: Int) -> [Int] {
        var total = 0
        return (0..<count).map { rank in
            total += max(50, 1_000 * 25 / (25 + rank))
            return total
        }
    }

    /// Counts an event of a user, who begins a new sitting when the last one is used up.
    mutating func takePlace(_ user: Int, at moment: Timestamp, random: inout GeneratorRandom) {
        if users[user].sitting.remaining == 0 { sitDown(user, at: moment, random: &random) }
        users[user].sitting.remaining -= 1
        users[user].sitting.eventCount += 1
    }

    private mutating func sitDown(_ user: Int, at moment: Timestamp, random: inout GeneratorRandom) {
        var sitting = Sitting()
        sitting.session = Array(("ses_" + hexText(random.next())).utf8)
        // Everybody has a project of their own to which they return, and sometimes helps out elsewhere.
        sitting.project =
            random.chance(perThousand: 800) ? user % projects.count : random.below(projects.count)
        sitting.model = random.below(random.below(GeneratorVocabulary.models.count) + 1)
        sitting.startedAt = moment
        sitting.remaining = random.within(10...40)
        let project = String(decoding: projects[sitting.project], as: UTF8.self)
        let branch =
            random.chance(perThousand: 300)
            ? "main" : "feature/\(random.pick(DatasetVocabulary.stems).lowercased())-\(random.below(400))"
        let model = GeneratorVocabulary.models[sitting.model]
        let session = String(decoding: sitting.session, as: UTF8.self)
        let home = String(decoding: users[user].home, as: UTF8.self)
        sitting.context = Array(
            #"{"project":"\#(project)","branch":"\#(branch)","model":"\#(model)","cwd":"\#(home)\#(project)","session_id":"\#(session)""#
                .utf8)
        sitting.metadata = Array(
            #"{"project":"\#(project)","model":"\#(model)","session_id":"\#(session)""#
                .utf8)
        users[user].sitting = sitting
    }
}

/// Words of the dataset beyond those of the days that `EventGenerator` makes up.
enum DatasetVocabulary {
    static let projects = [
        "web-app", "billing-service", "mobile-client", "data-platform", "infrastructure", "design-system",
        "search-index", "identity-provider",
    ]

    static let folders = [
        "Sources/Server/Routes", "Sources/Core/Model", "Tests/CoreTests", "src/components/forms", "src/lib/http",
        "packages/api/handlers", "internal/storage", "docs/reference",
    ]

    static let stems = [
        "Invoice", "Account", "Session", "Upload", "Report", "Search", "Payment", "Profile", "Calendar", "Webhook",
        "Queue", "Cache", "Token", "Export",
    ]

    static let endings = [".swift", ".ts", ".py", ".rs", ".go", ".kt", ".sql", ".md"]
}
