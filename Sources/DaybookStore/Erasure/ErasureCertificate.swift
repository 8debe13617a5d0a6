internal import DaybookEvent
package import DaybookFormat

/// What an erasure did and what still waits, as one JSON object for people and their records. Never names the user.
/// Spec: docs/format/erasure.md, "Certificate".
package struct ErasureCertificate: Sendable {
    /// What no erasure can reach, in words.
    package static let outside =
        "Backups, copies and exports made before, and answers that clients have kept, are outside this store."
    package static let textSearch =
        "Events whose user_id is the user were erased. The texts of other people's events were not searched."

    package var record: ErasureRecord
    package var progress: ErasureProgress
    /// Nil while the erasure goes on.
    package var finishedAt: Timestamp?
    /// Files that somebody still reads.
    package var awaited: [String] = []

    package init(
        record: ErasureRecord, progress: ErasureProgress, finishedAt: Timestamp? = nil, awaited: [String] = []
    ) {
        self.record = record
        self.progress = progress
        self.finishedAt = finishedAt
        self.awaited = awaited
    }

    /// One line with a line end.
    package var json: [UInt8] {
        var text = JSONObjectText()
        text.field("erasure_id", hexText(record.id))
        text.field("organization", record.organization.text)
        text.field("user_hash", record.userHash.map { hexText(UInt64($0), width: 2) }.joined())
        text.field("through_sequence", record.through)
        text.field("begun_at", record.begunAt)
        text.field("finished_at", finishedAt)
        text.field("state", finishedAt == nil ? "begun" : "done")
        text.object("events_erased") { counts in
            for family in Family.ofOrganizations {
                counts.field(family.typeName, progress.erasedCount(of: family))
            }
        }
        text.field("events_unreadable", progress.lostCount)
        text.list("files_rewritten", progress.rewrites) { rewrite, item in
            item.field("first_sequence", rewrite.range.lowerBound)
            item.field("last_sequence", rewrite.range.upperBound)
            item.list("old", rewrite.old, Self.describe)
            item.list("new", rewrite.new, Self.describe)
        }
        text.list("files_removed", progress.removed, Self.describe)
        text.list("control_log_rewritten", progress.redacted, Self.describe)
        text.list("journal_zeroed", progress.zeroed, Self.describe)
        text.object("carried_state_dropped") { counts in
            counts.field("idempotency_keys", progress.droppedRequestCount)
            counts.field("sessions", progress.droppedSessionCount)
        }
        text.field("awaited", awaited)
        text.field("notes", [Self.textSearch, Self.outside])
        return text.finished() + [UInt8(ascii: "\n")]
    }

    private static func describe(_ file: ErasureProgress.File, _ item: inout JSONObjectText) {
        item.field("file", file.name)
        item.field("bytes", file.byteCount)
    }
}
