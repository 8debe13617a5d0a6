package import DaybookFormat

/// What a load run is to do.
package struct LoadOptions: Sendable {
    package var host = "127.0.0.1"
    package var port = 8080
    /// Request k goes to the organization of key k modulo their number.
    package var keys: [String] = []
    package var connectionCount = 64
    package var eventsPerRequest = 1
    package var eventCount: UInt64?
    package var durationSeconds: Double?
    /// Requests a second in the open loop; nil sends as soon as a connection is free.
    package var requestsPerSecond: Double?
    package var seed: UInt64 = 1
    /// Timestamps of the events that are sent lie in between.
    package var eventsFrom = Timestamp(microseconds: 0)
    package var eventsUntil = Timestamp(microseconds: 86_400_000_000)
    /// Told apart from other runs by the ids of its events; only used with a ledger.
    package var run: UInt32 = 0
    package var serverProcessID: Int?
    /// Wait until the server has nothing left to do, and say how long that took.
    package var waitsUntilIdle = false
    package var ledgerPath: String?

    package init() {}
}
