internal import DaybookFormat

/// Shares the time of an event loop among organizations: in each turn of the loop one of them gets so much of it while
/// others are about, and what it wants beyond that is held until the next turn. So nobody waits for more than a turn of
/// somebody who floods, over however many connections. A value without clock and loop: the caller says what time it is,
/// and when a turn begins, which is after every socket was looked at once.
///
/// An organization alone is never held. Whoever sends little never is either, because it never uses up a turn.
struct TurnShare<Item> {
    /// What the loop is asked to do for an organization, by what it costs about.
    enum Work {
        /// A request with a body of so many bytes, to be parsed.
        case request(byteCount: Int)
        case question
        /// The answer to a commit.
        case outcome
        /// The answer to a commit after which an import parses its next chunk.
        case chunk

        var nanoseconds: UInt64 {
            switch self {
            case .request(let byteCount): 8_000 + UInt64(byteCount) * 5 / 2
            case .question: 20_000
            case .outcome: 8_000
            case .chunk: 500_000
            }
        }

        /// Goes before what came earlier: clients wait for it, and it gives memory back.
        fileprivate var isOutcome: Bool {
            switch self {
            case .outcome, .chunk: true
            case .request, .question: false
            }
        }
    }

    /// Of all organizations together in one turn, as far as work can be divided: one piece of work of each that wants
    /// something is always done.
    static var turnNanoseconds: UInt64 { 200_000 }
    /// A turn in which nobody was held is over after this long, and nobody has to wake the loop for that. It is a hundred
    /// turns long, so that a machine which takes its time does not end turns early; whoever sends little needs less than a
    /// turn of it.
    static var turnNanosecondsMax: UInt64 { 20_000_000 }
    /// After this long an organization that sent nothing is not about any more.
    static var aloneNanoseconds: UInt64 { 60_000_000_000 }

    private struct Account {
        let organization: LogID
        var usedNanoseconds: UInt64 = 0
        var outcomes: [Held] = []
        var requests: [Held] = []
        var isHolding: Bool { !outcomes.isEmpty || !requests.isEmpty }
    }

    private struct Held {
        let item: Item
        let nanoseconds: UInt64
    }

    private struct Seen {
        let organization: LogID
        var at: UInt64
    }

    /// Who used something of this turn, or wants more. Few at a time.
    private var accounts: [Account] = []
    private var turnBegan: UInt64 = 0
    /// The two organizations that were seen last, the last one first.
    private var last: Seen?
    private var other: Seen?
    private(set) var heldCount = 0

    // MARK: Asking

    /// Whether somebody wants more than was done: then another turn must follow.
    var isHolding: Bool { heldCount > 0 }

    /// Whether somebody used something of this turn, or wants more.
    private var isRunning: Bool { !accounts.isEmpty }

    /// Whether this may be done now; if so, it counts. If not, it is to be held.
    /// - Parameter now: nanoseconds of the monotonic clock.
    mutating func admits(_ organization: LogID, _ work: Work, at now: UInt64) -> Bool {
        see(organization, at: now)
        endTurn(at: now)
        guard isRunning || !isAlone(organization, at: now) else { return true }
        guard let index = accounts.firstIndex(where: { $0.organization == organization }) else {
            if accounts.isEmpty { turnBegan = now }
            accounts.append(Account(organization: organization, usedNanoseconds: work.nanoseconds))
            return true
        }
        // What came earlier is done earlier.
        guard accounts[index].outcomes.isEmpty, work.isOutcome || accounts[index].requests.isEmpty,
            fits(accounts[index], work.nanoseconds, Self.turnNanoseconds)
        else { return false }
        accounts[index].usedNanoseconds += work.nanoseconds
        return true
    }

    /// Whether others are about, so that what takes long had better be done elsewhere.
    mutating func isShared(by organization: LogID, at now: UInt64) -> Bool {
        see(organization, at: now)
        endTurn(at: now)
        return isRunning || !isAlone(organization, at: now)
    }

    private mutating func endTurn(at now: UInt64) {
        guard isRunning, !isHolding, now &- turnBegan > Self.turnNanosecondsMax else { return }
        accounts.removeAll(keepingCapacity: true)
    }

    private func fits(_ account: Account, _ nanoseconds: UInt64, _ limit: UInt64) -> Bool {
        account.usedNanoseconds == 0 || account.usedNanoseconds + nanoseconds <= limit
    }

    private mutating func see(_ organization: LogID, at now: UInt64) {
        if last?.organization != organization {
            other = last
            last = Seen(organization: organization, at: now)
        } else {
            last?.at = now
        }
    }

    /// Precondition: the organization was just seen.
    private func isAlone(_ organization: LogID, at now: UInt64) -> Bool {
        other.map { now &- $0.at > Self.aloneNanoseconds } ?? true
    }

    // MARK: Holding

    /// Precondition: `admits` has just refused it.
    mutating func hold(_ item: Item, of organization: LogID, _ work: Work) {
        guard let index = accounts.firstIndex(where: { $0.organization == organization }) else {
            preconditionFailure("what is held was refused, and who was refused has an account")
        }
        let held = Held(item: item, nanoseconds: work.nanoseconds)
        if work.isOutcome { accounts[index].outcomes.append(held) } else { accounts[index].requests.append(held) }
        heldCount += 1
    }

    /// Begins a turn with what was held: of each organization its share, in its order, the organizations taking turns.
    mutating func nextTurn(at now: UInt64) -> [Item] {
        turnBegan = now
        accounts.removeAll { !$0.isHolding }
        guard !accounts.isEmpty else { return [] }
        let share = Self.turnNanoseconds / UInt64(accounts.count)
        var shares = accounts.indices.map { takeShare(of: $0, share)[...] }
        var turn: [Item] = []
        while shares.contains(where: { !$0.isEmpty }) {
            for index in shares.indices { if let item = shares[index].popFirst() { turn.append(item) } }
        }
        heldCount -= turn.count
        // Whoever was served last is not so again.
        accounts.append(accounts.removeFirst())
        return turn
    }

    private mutating func takeShare(of index: Int, _ share: UInt64) -> [Item] {
        accounts[index].usedNanoseconds = 0
        var taken: [Item] = []
        for list in [\Account.outcomes, \Account.requests] {
            let waiting = accounts[index][keyPath: list]
            let fitting = waiting.prefix { held in
                guard fits(accounts[index], held.nanoseconds, share) else { return false }
                accounts[index].usedNanoseconds += held.nanoseconds
                return true
            }
            taken += fitting.map(\.item)
            accounts[index][keyPath: list] = Array(waiting[fitting.endIndex...])
        }
        return taken
    }
}
