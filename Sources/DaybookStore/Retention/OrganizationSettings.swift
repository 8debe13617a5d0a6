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
    package var rateLimits: RateLimitPolicy?
    /// Of requests that do not say.
    package var durability: Durability?

    package init() {}
}

/// The settings in force, for threads that do not know the control log.
final class SettingsTable: Sendable {
    private struct State {
        var settings: [LogID: OrganizationSettings] = [:]
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
        return expiring.withLock { _ in
            state.withLock { state in
                let before = state.settings
                state.settings = settings
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

    func rateLimits(of log: LogID) -> RateLimitPolicy {
        state.withLock { $0.settings[log]?.rateLimits } ?? rateLimits
    }

    /// Whether limits were set for it, whatever they are.
    func hasOwnRateLimits(_ log: LogID) -> Bool {
        state.withLock { $0.settings[log]?.rateLimits != nil }
    }

    func durability(of log: LogID) -> Durability { state.withLock { $0.settings[log]?.durability } ?? .durable }

    /// What has expired at this moment.
    func visibility(of log: LogID, at now: Timestamp) -> VisibilityTable {
        guard log != .control else { return .everything }
        return VisibilityTable(retention(of: log), at: now)
    }
}
