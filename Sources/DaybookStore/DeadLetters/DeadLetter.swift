package import DaybookFormat

/// Work on accepted events that has failed as often as it is tried by itself. It is told, waits for somebody to look, and
/// can be tried again. Never an event: what was acknowledged is in the log.
package struct DeadLetter: Sendable, Equatable {
    /// The raw values are on disk: never renumber.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// A full log file becomes segments with their indexes and rollups.
        case sealing = 1
        /// Segments are merged, or written anew because much of them has expired.
        case compaction = 2

        package var name: String {
            switch self {
            case .sealing: "sealing"
            case .compaction: "compaction"
            }
        }
    }

    /// With more of them the oldest are dropped.
    package static let countMax = 10_000
    /// Of the subject, and of the error.
    package static let textByteCountMax = 512

    package var id: UInt64
    package var organization: OrganizationID
    package var kind: Kind
    /// What the work is about.
    package var sequences: ClosedRange<UInt64>
    /// The file that the work is about; empty where the sequences say all.
    package var subject: String
    package var attemptCount: UInt32
    package var firstAttemptAt: Timestamp
    package var lastAttemptAt: Timestamp
    /// Of the last attempt.
    package var error: String

    package init(
        organization: OrganizationID, kind: Kind, sequences: ClosedRange<UInt64>, subject: String,
        attemptCount: UInt32, firstAttemptAt: Timestamp, lastAttemptAt: Timestamp, error: String
    ) {
        self.organization = organization
        self.kind = kind
        self.sequences = sequences
        self.subject = Self.shortened(subject)
        self.attemptCount = attemptCount
        self.firstAttemptAt = firstAttemptAt
        self.lastAttemptAt = lastAttemptAt
        self.error = Self.shortened(error)
        id = 0
        id = Self.id(of: self)
    }

    /// As a record says, texts and all.
    init(
        id: UInt64, organization: OrganizationID, kind: Kind, sequences: ClosedRange<UInt64>, subject: String,
        attemptCount: UInt32, firstAttemptAt: Timestamp, lastAttemptAt: Timestamp, error: String
    ) {
        self.id = id
        self.organization = organization
        self.kind = kind
        self.sequences = sequences
        self.subject = subject
        self.attemptCount = attemptCount
        self.firstAttemptAt = firstAttemptAt
        self.lastAttemptAt = lastAttemptAt
        self.error = error
    }

    /// Made of what it is about and when it was tried, so that it tells nothing of how many there are, of others either.
    private static func id(of letter: DeadLetter) -> UInt64 {
        var bytes = Array(letter.organization.text.utf8)
        bytes.append(letter.kind.rawValue)
        for number in [letter.sequences.lowerBound, letter.sequences.upperBound] { bytes.append(littleEndian: number) }
        bytes.append(littleEndian: letter.firstAttemptAt.microseconds)
        bytes.append(littleEndian: letter.lastAttemptAt.microseconds)
        return bytes.withRawSpan { FieldHash.ofIndex($0) }
    }

    /// Cut at a whole character.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > textByteCountMax else { return text }
        var short = text
        while short.utf8.count > textByteCountMax { short.removeLast() }
        return short
    }
}
