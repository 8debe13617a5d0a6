package import DaybookFormat

/// One entry of the ledger of erasures: a user of an organization who is to be forgotten, known by a keyed hash alone.
package struct ErasureRecord: Sendable, Equatable {
    package static let secretByteCount = 32
    /// Bytes of `userHash`.
    package static let hashByteCount = 32

    package struct Done: Sendable, Equatable {
        package var at: Timestamp
        /// Of the organization's manifest. A manifest of a lower one is a copy from before the erasure.
        package var generation: UInt64

        package init(at: Timestamp, generation: UInt64) {
            self.at = at
            self.generation = generation
        }
    }

    package var id: UInt64
    package var organization: OrganizationID
    /// HMAC-SHA-256 of the user's name under the organization's secret.
    package var userHash: [UInt8]
    /// Events behind this sequence are those of a user who came back.
    package var through: UInt64
    package var begunAt: Timestamp
    /// Nil while anything of it may be left.
    package var done: Done?

    package init(
        id: UInt64, organization: OrganizationID, userHash: [UInt8], through: UInt64, begunAt: Timestamp,
        done: Done? = nil
    ) {
        self.id = id
        self.organization = organization
        self.userHash = userHash
        self.through = through
        self.begunAt = begunAt
        self.done = done
    }

    /// Whether both state the same erasure, whenever it was begun.
    func isSame(as other: ErasureRecord) -> Bool {
        id == other.id && organization == other.organization && userHash == other.userHash && through == other.through
    }
}
