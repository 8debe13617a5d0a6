package import DaybookFormat
package import DaybookSegment

/// How long an organization keeps its events. Age goes by the time of an event; but nothing expires within a day of its
/// arrival, so that an import of old data can be seen, and undone.
package struct RetentionPolicy: Sendable, Equatable {
    /// By family; 0 keeps for ever.
    private var days: [Family: UInt32]
    /// A legal hold: nothing expires while it lasts.
    package var isHeld = false

    package static let standard = RetentionPolicy(
        commands: 90, agents: 90, sessions: 365, productivity: 365)

    package static let forEver = RetentionPolicy(commands: 0, agents: 0, sessions: 0, productivity: 0)

    /// In days; 0 keeps for ever.
    package init(commands: UInt32, agents: UInt32, sessions: UInt32, productivity: UInt32, isHeld: Bool = false) {
        days = [
            .commandExecution: commands, .agentInteraction: agents, .sessionChange: sessions,
            .productivityMetric: productivity,
        ]
        self.isHeld = isHeld
    }

    /// Days that events of this family are kept; 0 for ever.
    package subscript(family: Family) -> UInt32 {
        get { days[family] ?? 0 }
        set { days[family] = newValue }
    }

    /// Sums over hours and days are kept for so many days, or as long as the events when that is longer.
    package var historyDays: UInt32 = 365

    /// Which events of the family have expired at this moment.
    package func visibility(of family: Family, at now: Timestamp) -> RowVisibility {
        visibility(days: days[family] ?? 0, at: now)
    }

    /// Which events of the family are not even counted in sums any more.
    package func historyVisibility(of family: Family, at now: Timestamp) -> RowVisibility {
        let days = days[family] ?? 0
        return visibility(days: days == 0 ? 0 : max(days, historyDays), at: now)
    }

    private func visibility(days: UInt32, at now: Timestamp) -> RowVisibility {
        guard !isHeld, days > 0 else { return .everything }
        let (age, overflow) = Int64(days).multipliedReportingOverflow(by: Limits.dayMicroseconds)
        guard !overflow else { return .everything }
        return RowVisibility(
            timestampCutoff: now.adding(microseconds: -age),
            arrivalCutoff: now.adding(microseconds: -Limits.retentionGraceMicroseconds))
    }
}

extension RowVisibility {
    package func hides(timestamp: Timestamp, arrival: Timestamp) -> Bool {
        !shows(timestamp: timestamp.microseconds, arrival: arrival.microseconds)
    }

    /// Every row of the segment has expired. Users who are to be forgotten do not matter here.
    package func hidesAll(of segment: SegmentReference) -> Bool {
        hides(timestamp: segment.timestampMax, arrival: segment.arrivalMax)
    }

    /// No row of the segment has expired: it can be read without a look at each.
    package func hidesNone(of segment: SegmentReference) -> Bool { segment.timestampMin >= timestampCutoff }
}

/// The visibility of every family at one moment.
package struct VisibilityTable: Sendable, Equatable {
    private var families: [Family: RowVisibility] = [:]
    private var histories: [Family: RowVisibility] = [:]
    private var erased: ErasedUsers?

    package static let everything = VisibilityTable()

    package static func == (left: VisibilityTable, right: VisibilityTable) -> Bool {
        left.families == right.families && left.erased?.users == right.erased?.users
    }

    private init() {}

    package init(_ policy: RetentionPolicy, at now: Timestamp) {
        for family in Family.ofOrganizations {
            let visibility = policy.visibility(of: family, at: now)
            if visibility != .everything { families[family] = visibility }
            let history = policy.historyVisibility(of: family, at: now)
            if history != .everything { histories[family] = history }
        }
    }

    package subscript(family: Family) -> RowVisibility {
        var visibility = families[family] ?? .everything
        visibility.erased = erased
        return visibility
    }

    /// Which events count where only sums over whole hours are wanted: those that have expired, too.
    package func historyVisibility(of family: Family) -> RowVisibility {
        var visibility = histories[family] ?? .everything
        visibility.erased = erased
        return visibility
    }

    /// The same without the events of users who are to be forgotten.
    func hiding(_ users: ErasedUsers?) -> VisibilityTable {
        var table = self
        table.erased = users
        return table
    }

    /// Nothing has expired, and nothing can. Users who are to be forgotten do not matter here.
    package var hidesNothing: Bool { families.isEmpty }
}
