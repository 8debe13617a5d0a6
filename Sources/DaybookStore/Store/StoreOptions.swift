internal import DaybookFormat

/// The sizes and times by which a store runs. The defaults are for production; the simulation uses small ones.
package struct StoreOptions: Sendable {
    package var journalFileByteCount = 64 << 20
    package var journalFileCount = Limits.journalFileCountMin
    /// A log file of at least this size takes no more groups and is sealed.
    package var logFileByteCount = 16 << 20
    /// A checkpoint starts when the journal has grown by this much, or
    package var checkpointByteCount = 64 << 20
    /// when this much time has passed with something to do.
    package var checkpointIntervalMicroseconds: Int64 = 30_000_000
    /// Age seals only logs with at least this many events.
    package var sealRowCountMin = 1_024
    package var sealAgeMicroseconds: Int64 = 600_000_000
    /// Unsealed bytes of the whole store from which on the largest logs are sealed early.
    package var unsealedByteCountMax = 512 << 20
    /// Committed groups in memory from which on they are moved to log files before the checkpoint.
    package var pendingByteCountMax = 2 << 20
    /// Committed groups in memory at which the committer waits for them to be moved.
    package var pendingByteCountLimit = 8 << 20
    package var commitByteCountTarget = Limits.commitByteCountTarget
    /// Organizations that stay open although nobody uses them.
    package var openOrganizationCountMax = 512
    /// With more dirty log files than this a checkpoint calls `syncfs` instead of synchronizing each.
    package var individualSyncCountMax = 8
    /// Unsealed events in columns, of all organizations that were asked lately.
    package var tailByteCountMax = 19 << 20
    /// Decoded pages of sealed segments.
    package var pageCacheByteCountMax = 12 << 20
    /// Footers and directories of open segments.
    package var segmentDirectoryByteCountMax = 3 << 20
    /// Rollup files that were asked lately.
    package var rollupByteCountMax = 4 << 20
    /// Tails, rollups and pages together: pages give way. Rollups have no more of it than the largest tails leave.
    package var readCacheByteCountMax = 23 << 20
    /// Segments that stay open: as many descriptors.
    package var openSegmentCountMax = 256
    /// How long a request waits for journal room before it is refused.
    package var fullJournalWaitMicroseconds: Int64 = 3_000_000

    /// A session without a change for so long is abandoned: it takes no further one.
    package var sessionIdleMicroseconds = Limits.sessionIdleMicroseconds

    package var compaction = CompactionOptions()
    /// For organizations for which nothing else was set.
    package var retention = RetentionPolicy.standard
    /// Bytes that an organization may take, unless something else was set, and all of them together; 0 is without a
    /// bound. What counts: `OrganizationStore.usedByteCount`.
    package var organizationByteCountMax: UInt64 = 0
    package var storeByteCountMax: UInt64 = 0
    /// For organizations for which no limits were set. Precondition: well-formed.
    package var rateLimits = RateLimitPolicy.standard
    /// Ingest is refused while less is free than the journal, the largest running rewrite and this.
    package var spaceMarginByteCount: UInt64 = 64 << 20

    package init() {}

    /// What must be free for ingest: all of the journal may have to be written to log files, sealed and merged before
    /// anything comes free.
    var spaceReserveByteCount: UInt64 {
        UInt64(journalFileByteCount * journalFileCount) + compaction.byteCountMax + UInt64(logFileByteCount)
            + spaceMarginByteCount
    }

    /// What cannot hold together, whatever each value is by itself.
    package enum Contradiction: Equatable, Sendable {
        /// Groups wait for room in less than what is moved at once.
        case pendingLimitTooSmall
        /// Tails or pages alone may take more than tails, rollups and pages together.
        case readCacheTooSmall
        /// All that is kept in memory takes so many bytes more than a server may.
        case tooMuchMemory(excessByteCount: Int)
        /// A checkpoint would start when no journal file is free any more.
        case checkpointTooLate(byteCountMax: Int)
        case fanInReversed
        /// Merging takes more of a core beside ingest than without it.
        case busierThanIdle
    }

    /// Empty when a store may run by these options. Precondition: each value is at least 0, and `journalFileCount` at
    /// least 1.
    package func contradictions() -> [Contradiction] {
        var found: [Contradiction] = []
        if pendingByteCountMax > pendingByteCountLimit { found.append(.pendingLimitTooSmall) }
        if max(tailByteCountMax, pageCacheByteCountMax) > readCacheByteCountMax { found.append(.readCacheTooSmall) }
        // What is anonymous memory: bodies, committed groups, one sealing, what is kept for readers, and the rest.
        let memoryByteCount =
            Limits.ingestBudgetByteCount + pendingByteCountLimit + Limits.sealingByteCount + readCacheByteCountMax
            + segmentDirectoryByteCountMax + Limits.processByteCount
        if memoryByteCount > Limits.memoryByteCountMax {
            found.append(.tooMuchMemory(excessByteCount: memoryByteCount - Limits.memoryByteCountMax))
        }
        let checkpointByteCountMax = journalFileByteCount * (journalFileCount - 1)
        if checkpointByteCount > checkpointByteCountMax {
            found.append(.checkpointTooLate(byteCountMax: checkpointByteCountMax))
        }
        if compaction.fanInMin > compaction.fanInMax { found.append(.fanInReversed) }
        if compaction.busyPercent > compaction.idlePercent { found.append(.busierThanIdle) }
        return found
    }

    /// Files that the store has open at once beside segments for readers: the journal, log files of the checkpoint thread,
    /// and what its threads have in hand, which is a new segment of each family, what is merged, a manifest, the
    /// checkpoint log and the lock, several times over.
    package var ownDescriptorCountMax: Int { journalFileCount + Checkpointer.openFileCountMax + 64 }

    func check() {
        precondition(journalFileCount >= Limits.journalFileCountMin)
        precondition(contradictions().isEmpty)
        compaction.check()
    }
}
