package import DaybookFormat
package import DaybookLog
package import DaybookSegment
package import DaybookSystem

// Signatures first, bodies to follow: the floors above compile against this file.

package struct StoreOptions: Sendable {
    package var journalFileByteCount = 64 << 20
    package var journalFileCount = 4
    package var logFileByteCount = 16 << 20
    package var checkpointByteCount = 64 << 20
    package var checkpointIntervalMicroseconds: Int64 = 30_000_000
    package var sealRowCountMin = 1_024
    package var sealAgeMicroseconds: Int64 = 600_000_000
    package init() {}
}

/// One data directory: all organizations and the control log. One process at a time.
package final class Store: Sendable {
    private init() {}
    /// Lays out an empty data directory.
    package static func create(
        disk: any Disk, clock: any Clock, entropy: any Entropy, options: StoreOptions = StoreOptions()
    ) throws { fatalError("stub") }
    /// Recovers and returns a store without threads; `start` brings them.
    package static func open(
        disk: any Disk, clock: any Clock, entropy: any Entropy, options: StoreOptions = StoreOptions()
    ) throws -> Store { fatalError("stub") }
    package func start() { fatalError("stub") }
    /// Commits what was submitted, answers it, and ends the threads.
    package func shutdown() { fatalError("stub") }

    /// Never blocks. The sink hears of the outcome exactly once.
    package func submit(_ submission: Submission) { fatalError("stub") }
    /// False once a sync has failed or the store is shutting down: ingest answers 503.
    package var acceptsIngest: Bool { fatalError("stub") }

    package func organization(_ id: OrganizationID) -> OrganizationRecord? { fatalError("stub") }
    package func organizations() -> [OrganizationRecord] { fatalError("stub") }
    /// Blocks until durable.
    package func createOrganization(_ id: OrganizationID) throws -> OrganizationRecord { fatalError("stub") }
    /// Appends acts to the control log as one atomic group; blocks until durable.
    package func appendControl(_ events: [ControlEvent]) throws { fatalError("stub") }
    /// All acts so far, oldest first.
    package func controlEvents() -> [ControlEvent] { fatalError("stub") }

    /// An immutable view of one organization up to its durable sequence.
    package func snapshot(of log: LogID) throws -> OrganizationSnapshot { fatalError("stub") }
}

/// Opens a data directory without a lock and without writing: for export, replay and inspect.
package final class ReadOnlyStore: Sendable {
    private init() {}
    package static func open(disk: any Disk) throws -> ReadOnlyStore { fatalError("stub") }
    package func organization(_ id: OrganizationID) -> OrganizationRecord? { fatalError("stub") }
    package func organizations() -> [OrganizationRecord] { fatalError("stub") }
    package func controlEvents() -> [ControlEvent] { fatalError("stub") }
    package func snapshot(of log: LogID) throws -> OrganizationSnapshot { fatalError("stub") }
}

/// What one reader sees of one organization: nothing that a crash could lose, and nothing that comes later.
package final class OrganizationSnapshot: Sendable {
    package let log: LogID = LogID(0)
    /// Last visible sequence; 0 when there is none.
    package let lastSequence: UInt64 = 0
    /// Sealed segments in sequence order, families interleaved.
    package let segments: [SegmentReference] = []
    private init() {}

    package func open(_ segment: SegmentReference) throws -> SegmentReader { fatalError("stub") }

    /// Calls `body` with every unsealed group record that holds a sequence of at least `first`, in sequence order,
    /// until it returns false. The header is already verified against its checksum.
    package func forEachTailGroup(
        from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool
    ) throws { fatalError("stub") }
}
