internal import DaybookFormat
internal import Synchronization

/// When a request is answered. The raw values are on disk: never renumber.
package enum Durability: UInt8, Sendable, CaseIterable {
    /// When its events are on stable storage.
    case durable = 0
    /// When they were taken: the answer has no sequence, and a crash may lose them.
    case relaxed = 1

    /// As requests and administrators write it.
    package var name: String {
        switch self {
        case .durable: "durable"
        case .relaxed: "relaxed"
        }
    }
}

/// What the control log says of an organization beside its name. Nil is what the store's options say.
package struct OrganizationSettings: Sendable, Equatable {
    package var retention: RetentionPolicy?
    /// Bytes that its segments and log files may take; 0 is without a bound.
    package var quotaByteCount: UInt64?
    /// What the operator allows.
    package private(set) var rateLimits: RateLimitPolicy?
    /// What the organization has chosen.
    package var configuration: OrganizationConfiguration?
    /// Of requests that do not say.
    package var durability: Durability?

    package init() {}

    /// The operator has spoken: what the organization had chosen of its limits before holds no more.
    mutating func set(_ policy: RateLimitPolicy) {
        rateLimits = policy
        configuration?.requestsPerMinute = nil
        configuration?.burst = 0
        configuration?.concurrentBatchCount = nil
    }
}

/// The settings in force, for threads that do not know the control log.
final class SettingsTable: Sendable {
    private struct State {
        var settings: [LogID: OrganizationSettings] = [:]
        /// Made of the settings once, because they are asked for with every request.
        var rateLimits: [LogID: RateLimitPolicy] = [:]
    }

    private let state = Mutex(State())
    private let standard: RetentionPolicy
    private let quotaByteCount: UInt64
    private let rateLimits: RateLimitPolicy
    /// Held while expired events are taken out of a manifest, and while the policy changes: when a legal hold was
    /// acknowledged, nothing expires any more.
    let expiring = Mutex<Void>(())

    init(standard: RetentionPolicy, quotaByteCount: UInt64, rateLimits: RateLimitPolicy = .standard) {
        self.standard = standard
        self.quotaByteCount = quotaByteCount
        self.rateLimits = rateLimits
    }

    /// Takes over what the control log says now, and returns the logs whose settings are others than before.
    func adopt(_ control: ControlState) -> [LogID] {
        var settings: [LogID: OrganizationSettings] = [:]
        for (organization, known) in control.settings {
            if let log = control.organizations[organization]?.log { settings[log] = known }
        }
        let limits = settings.compactMapValues { known -> RateLimitPolicy? in
            let policy = known.rateLimits
            guard let configuration = known.configuration else { return policy }
            return (policy ?? rateLimits).narrowed(to: configuration, isSet: policy != nil)
        }
        return expiring.withLock { _ in
            state.withLock { state in
                let before = state.settings
                state.settings = settings
                state.rateLimits = limits
                return settings.filter { before[$0.key] != $0.value }.keys.sorted()
            }
        }
    }

    func retention(of log: LogID) -> RetentionPolicy {
        state.withLock { $0.settings[log]?.retention } ?? standard
    }

    func quotaByteCount(of log: LogID) -> UInt64 {
        state.withLock { $0.settings[log]?.quotaByteCount } ?? quotaByteCount
    }

    /// What holds. Complexity: O(1).
    func rateLimits(of log: LogID) -> RateLimitPolicy {
        state.withLock { $0.rateLimits[log] } ?? rateLimits
    }

    /// What the operator allows, whatever the organization has chosen.
    func allowedRateLimits(of log: LogID) -> (policy: RateLimitPolicy, isSet: Bool) {
        let set = state.withLock { $0.settings[log]?.rateLimits }
        return (set ?? rateLimits, set != nil)
    }

    func configuration(of log: LogID) -> OrganizationConfiguration? {
        state.withLock { $0.settings[log]?.configuration }
    }

    func durability(of log: LogID) -> Durability { state.withLock { $0.settings[log]?.durability } ?? .durable }

    /// What has expired at this moment.
    func visibility(of log: LogID, at now: Timestamp) -> VisibilityTable {
        guard log != .control else { return .everything }
        return VisibilityTable(retention(of: log), at: now)
    }
}
