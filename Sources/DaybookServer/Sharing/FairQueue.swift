internal import DaybookFormat

/// Whose work something is.
struct WorkOwner: Hashable, Sendable {
    enum Kind {
        case questions
        /// Large bodies to be parsed: nobody's events wait for questions.
        case bodies
        /// What administrators do waits for no questions, not even for those of their own organization: a flood is ended
        /// by an administrator.
        case administration
    }

    let organization: LogID
    let kind: Kind

    var isAdministration: Bool { kind == .administration }

    static func questions(of organization: LogID) -> WorkOwner {
        WorkOwner(organization: organization, kind: .questions)
    }

    static func bodies(of organization: LogID) -> WorkOwner { WorkOwner(organization: organization, kind: .bodies) }

    static func administration(of organization: LogID) -> WorkOwner {
        WorkOwner(organization: organization, kind: .administration)
    }

    /// Whoever may open the data directory, and the server itself.
    static let server = administration(of: .control)
    /// Whoever shows no credential.
    static let strangers = administration(of: LogID(0))
}

/// Decides which job runs next, and whether one more may wait. A value without threads and clock: whoever runs the jobs
/// says when one begins and ends.
///
/// Jobs cannot be interrupted and nobody knows beforehand what they cost, so they are charged when they are over; until
/// then an owner is charged what its jobs cost lately. Whoever holds the fewest threads is next, and among those whoever
/// has used the least time. (Start-time fair queueing: Goyal, Vin and Cheng, 1996.)
///
/// An owner alone has all threads. So that somebody else does not wait until one of its long jobs is over, there are spare
/// threads, which are for owners that hold none.
struct FairQueue<Job> {
    struct Limits {
        /// Jobs that run at once.
        var threadCount: Int
        /// Further ones, each of an owner of which no other job runs.
        var spareThreadCount: Int
        var waitingCountMaxOfOwner = 64
        /// Of all questions; administrative jobs have as many places of their own.
        var waitingCountMax = 256
        /// What would wait longer than this even if all threads were its owner's is refused at once.
        var waitNanosecondsMax: UInt64 = 4_000_000_000
    }

    struct Ticket: Hashable, Sendable {
        let owner: WorkOwner
        fileprivate let number: UInt64
    }

    /// A job that was taken out to be run.
    struct Work {
        let ticket: Ticket
        let job: Job
        let isHelper: Bool
        fileprivate let chargedNanoseconds: UInt64

        /// Whether it had better not keep others from a processor: a large body, or a question of somebody whose questions
        /// took long lately. What an administrator does is waited for.
        let isProbablyLong: Bool
    }

    /// Of a processor. Small questions take a third of it.
    static var longNanoseconds: UInt64 { 1_000_000 }

    enum Admission {
        /// - Parameter displaced: another owner's newest job that had to make room, to be refused.
        case accepted(Ticket, displaced: Job?)
        case refused
    }

    private struct Entry {
        let number: UInt64
        let job: Job
    }

    private struct Flow {
        /// Oldest first.
        var waiting: [Entry] = []
        /// Parts of jobs that run, for threads that nobody else wants.
        var helpers: [Entry] = []
        var runningCount = 0
        /// The time that was used, from a beginning that all owners share.
        var usedNanoseconds: UInt64
        /// What a job cost lately.
        var usualNanoseconds: UInt64 = 0
        /// Of that, on a processor: on a busy machine small jobs take long, too.
        var usualProcessorNanoseconds: UInt64 = 0

        var isActive: Bool { runningCount > 0 || !waiting.isEmpty || !helpers.isEmpty }
    }

    private let limits: Limits
    private var flows: [WorkOwner: Flow] = [:]
    /// Where owners begin that come new: what the last job's owner had used when it began.
    private var startNanoseconds: UInt64 = 0
    private var nextNumber: UInt64 = 0
    private(set) var runningCount = 0
    /// Without helpers.
    private(set) var waitingQuestionCount = 0
    private(set) var waitingAdministrationCount = 0

    /// Precondition: at least one thread.
    init(_ limits: Limits) {
        precondition(limits.threadCount >= 1 && limits.spareThreadCount >= 0)
        self.limits = limits
    }

    /// Owners that want something, or have used more than others.
    var ownerCount: Int { flows.count }

    var waitingCount: Int { waitingQuestionCount + waitingAdministrationCount }

    // MARK: Coming

    /// - Complexity: O(owners) when no place is left, else O(1).
    mutating func add(_ job: Job, of owner: WorkOwner) -> Admission {
        let flow = flows[owner] ?? Flow(usedNanoseconds: startNanoseconds)
        guard flow.waiting.count < limits.waitingCountMaxOfOwner, !wouldBeLate(flow) else { return .refused }
        var displaced: Job?
        if owner.isAdministration {
            guard waitingAdministrationCount < limits.waitingCountMax else { return .refused }
            waitingAdministrationCount += 1
        } else {
            if waitingQuestionCount == limits.waitingCountMax {
                displaced = displace(for: flow)
                if displaced == nil { return .refused }
            }
            waitingQuestionCount += 1
        }
        let ticket = makeTicket(of: owner)
        flows[owner]!.waiting.append(Entry(number: ticket.number, job: job))
        return .accepted(ticket, displaced: displaced)
    }

    /// A part of a running job, which that job finishes itself if no thread is found for it.
    mutating func addHelper(_ job: Job, of owner: WorkOwner) -> Ticket {
        let ticket = makeTicket(of: owner)
        flows[owner]!.helpers.append(Entry(number: ticket.number, job: job))
        return ticket
    }

    /// For a job of an owner who is known from then on.
    private mutating func makeTicket(of owner: WorkOwner) -> Ticket {
        // Time in which nothing was wanted is not saved up.
        if !(flows[owner]?.isActive ?? false) {
            let start = startNanoseconds
            flows[owner, default: Flow(usedNanoseconds: start)].usedNanoseconds = max(
                flows[owner]?.usedNanoseconds ?? start, start)
        }
        defer { nextNumber += 1 }
        return Ticket(owner: owner, number: nextNumber)
    }

    private func wouldBeLate(_ flow: Flow) -> Bool {
        flow.usualNanoseconds * UInt64(flow.waiting.count) / UInt64(limits.threadCount) > limits.waitNanosecondsMax
    }

    /// Takes the newest job of the owner with the most waiting ones, if these are more than the new one's owner will have.
    private mutating func displace(for flow: Flow) -> Job? {
        var longest: (owner: WorkOwner, rank: (Int, UInt64))?
        for (owner, flow) in flows where !owner.isAdministration {
            guard let newest = flow.waiting.last else { continue }
            let rank = (flow.waiting.count, newest.number)
            if longest.map({ $0.rank < rank }) ?? true { longest = (owner, rank) }
        }
        guard let longest, longest.rank.0 > flow.waiting.count + 1 else { return nil }
        waitingQuestionCount -= 1
        return flows[longest.owner]!.waiting.removeLast().job
    }

    // MARK: Leaving

    /// Takes a job back that has not begun. Nil when it has begun, is over, or was displaced.
    mutating func remove(_ ticket: Ticket) -> Job? {
        guard var flow = flows[ticket.owner] else { return nil }
        let removed: Entry
        if let index = flow.waiting.firstIndex(where: { $0.number == ticket.number }) {
            removed = flow.waiting.remove(at: index)
            left(ticket.owner)
        } else if let index = flow.helpers.firstIndex(where: { $0.number == ticket.number }) {
            removed = flow.helpers.remove(at: index)
        } else {
            return nil
        }
        flows[ticket.owner] = flow
        forgetIfIdle(ticket.owner)
        return removed.job
    }

    private mutating func left(_ owner: WorkOwner) {
        if owner.isAdministration { waitingAdministrationCount -= 1 } else { waitingQuestionCount -= 1 }
    }

    // MARK: Running

    /// The next job; nil when none may begin now.
    /// - Complexity: O(owners).
    mutating func take() -> Work? {
        if let owner = next({ $0.waiting.first?.number }) {
            left(owner)
            return begin(owner, flows[owner]!.waiting.removeFirst(), isHelper: false)
        }
        guard runningCount < limits.threadCount, let owner = next({ $0.helpers.first?.number }) else { return nil }
        return begin(owner, flows[owner]!.helpers.removeFirst(), isHelper: true)
    }

    /// - Parameter first: the number of an owner's job that could begin.
    private func next(_ first: (Flow) -> UInt64?) -> WorkOwner? {
        var best: (owner: WorkOwner, rank: (Int, UInt64, UInt64))?
        for (owner, flow) in flows {
            guard let number = first(flow), mayBegin(flow) else { continue }
            let rank = (flow.runningCount, flow.usedNanoseconds, number)
            if best.map({ rank < $0.rank }) ?? true { best = (owner, rank) }
        }
        return best?.owner
    }

    private func mayBegin(_ flow: Flow) -> Bool {
        runningCount < limits.threadCount
            || flow.runningCount == 0 && runningCount < limits.threadCount + limits.spareThreadCount
    }

    private mutating func begin(_ owner: WorkOwner, _ entry: Entry, isHelper: Bool) -> Work {
        let charged = isHelper ? 0 : flows[owner]!.usualNanoseconds
        let isLong =
            switch owner.kind {
            case .bodies: true
            case .administration: false
            case .questions: isHelper || flows[owner]!.usualProcessorNanoseconds >= Self.longNanoseconds
            }
        startNanoseconds = max(startNanoseconds, flows[owner]!.usedNanoseconds)
        flows[owner]!.usedNanoseconds += charged
        flows[owner]!.runningCount += 1
        runningCount += 1
        return Work(
            ticket: Ticket(owner: owner, number: entry.number), job: entry.job, isHelper: isHelper,
            chargedNanoseconds: charged, isProbablyLong: isLong)
    }

    /// A job that was taken is over.
    /// - Parameter processorNanoseconds: how much of the time it had a processor.
    mutating func finish(_ work: Work, afterNanoseconds nanoseconds: UInt64, processorNanoseconds: UInt64 = 0) {
        guard var flow = flows[work.ticket.owner], flow.runningCount > 0 else {
            preconditionFailure("a job ended that had not begun")
        }
        runningCount -= 1
        flow.runningCount -= 1
        flow.usedNanoseconds = flow.usedNanoseconds - work.chargedNanoseconds + nanoseconds
        if !work.isHelper {
            flow.usualNanoseconds = Self.average(flow.usualNanoseconds, nanoseconds)
            flow.usualProcessorNanoseconds = Self.average(flow.usualProcessorNanoseconds, processorNanoseconds)
        }
        flows[work.ticket.owner] = flow
        forgetIfIdle(work.ticket.owner)
    }

    private static func average(_ usual: UInt64, _ latest: UInt64) -> UInt64 {
        usual == 0 ? latest : (3 * usual + latest) / 4
    }

    /// Owners that want nothing are remembered only while they have used more than others.
    private mutating func forgetIfIdle(_ owner: WorkOwner) {
        guard let flow = flows[owner], !flow.isActive else { return }
        guard runningCount > 0 || waitingCount > 0 else {
            flows.removeAll()
            return
        }
        if flow.usedNanoseconds <= startNanoseconds { flows[owner] = nil }
        guard flows.count > 2 * (limits.waitingCountMax + runningCount) else { return }
        flows = flows.filter { $0.value.isActive || $0.value.usedNanoseconds > startNanoseconds }
    }
}

extension FairQueue.Work: Sendable where Job: Sendable {}
