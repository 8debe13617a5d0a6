internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem

/// The file with the keys that sign access tokens. What is in it is its owner's business.
extension Store {
    /// Replaces the file, or makes it with mode 0600. Blocks until it is durable.
    /// - Throws: what the disk says, or that nothing is written any more because a sync has failed.
    package func writeSigningKeys(_ bytes: [UInt8]) throws {
        guard !shared.isPoisoned else { throw StoreError.refused(.storageUnavailable) }
        try bytes.withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(Layout.signingKeys, with: span)
        }
    }

    /// Nil when there is none yet.
    package func readSigningKeys() throws -> [UInt8]? {
        try disk.exists(Layout.signingKeys) ? try disk.readAll(Layout.signingKeys) : nil
    }
}
