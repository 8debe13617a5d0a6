internal import DaybookFormat

/// Something that a check of a data directory has to tell.
package struct StoreFinding: Sendable, Equatable {
    package enum Severity: String, Sendable, CaseIterable {
        /// Bytes that hold truth are not what they should be: events may be missing from answers.
        case damage
        /// A file that carries no truth is not what it should be: it is left out or made again.
        case disposable
        /// Worth knowing, and nothing is wrong.
        case note
    }

    /// What kind of file it is about.
    package enum Subject: String, Sendable, CaseIterable {
        case identity, checkpoint, journal, control, manifest, segment, index, rollup, history, carry, erasure, log,
            folder, limits, tokens
    }

    package var severity: Severity
    package var subject: Subject
    /// Path relative to the data directory.
    package var file: String
    package var offset: UInt64
    package var reason: String

    package init(_ severity: Severity, _ subject: Subject, _ file: String, at offset: UInt64 = 0, _ reason: String) {
        self.severity = severity
        self.subject = subject
        self.file = file
        self.offset = offset
        self.reason = reason
    }

    init(_ severity: Severity, _ subject: Subject, _ corruption: Corruption) {
        self.init(severity, subject, corruption.file, at: corruption.offset, "\(corruption.reason)")
    }
}

/// How much a check has looked at.
package struct StoreCheckCounts: Sendable, Equatable {
    /// Folders with a log: organizations and the control log.
    package var logs = 0
    package var manifests = 0
    package var segments = 0
    package var pages = 0
    package var rows = 0
    package var indexes = 0
    package var rollups = 0
    package var carryFiles = 0
    /// Notes of erasures, done or under way.
    package var erasures = 0
    package var logFiles = 0
    /// Group records in log files.
    package var logGroups = 0
    /// Group records that only the journal holds.
    package var journalGroups = 0

    package init() {}
}

/// What a check of a data directory found.
package struct StoreCheckReport: Sendable, Equatable {
    package var findings: [StoreFinding] = []
    package var counts = StoreCheckCounts()

    package init() {}

    /// No file that holds truth is damaged.
    package var isSound: Bool { !findings.contains { $0.severity == .damage } }
}
