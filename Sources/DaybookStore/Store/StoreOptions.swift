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
    package var tailByteCountMax = 13 << 20
    /// Decoded pages of sealed segments.
    package var pageCacheByteCountMax = 12 << 20
    /// Footers and directories of open segments.
    package var segmentDirectoryByteCountMax = 3 << 20
    /// Tails and pages together: pages give way to tails.
    package var readCacheByteCountMax = 15 << 20
    /// Segments that stay open: as many descriptors.
    package var openSegmentCountMax = 256
    /// How long a request waits for journal room before it is refused.
    package var fullJournalWaitMicroseconds: Int64 = 3_000_000

    package init() {}

    func check() {
        precondition(journalFileCount >= Limits.journalFileCountMin)
        precondition(pendingByteCountMax <= pendingByteCountLimit)
        precondition(max(tailByteCountMax, pageCacheByteCountMax) <= readCacheByteCountMax)
        // What is anonymous memory: bodies, committed groups, one sealing, what is kept for readers, and the rest.
        precondition(
            Limits.ingestBudgetByteCount + pendingByteCountLimit + Limits.sealingByteCount + readCacheByteCountMax
                + segmentDirectoryByteCountMax + Limits.processByteCount <= Limits.memoryByteCountMax)
        precondition(checkpointByteCount <= journalFileByteCount * (journalFileCount - 1))
    }
}
