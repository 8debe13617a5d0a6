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
        var text = CertificateText()
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

    private static func describe(_ file: ErasureProgress.File, _ item: inout CertificateText) {
        item.field("file", file.name)
        item.field("bytes", file.byteCount)
    }
}

/// Writes the fields of one JSON object.
private struct CertificateText {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var isFirst = true

    private mutating func key(_ name: String) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func field(_ name: String, _ text: String) {
        key(name)
        JSONText.append(text, to: &bytes)
    }

    mutating func field(_ name: String, _ number: UInt64) {
        key(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func field(_ name: String, _ time: Timestamp?) {
        key(name)
        guard let time else { return bytes.append(contentsOf: "null".utf8) }
        bytes.append(UInt8(ascii: "\""))
        TimestampText.append(time, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func field(_ name: String, _ texts: [String]) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        for (position, text) in texts.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.append(text, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func object(_ name: String, _ body: (inout CertificateText) -> Void) {
        key(name)
        var object = CertificateText()
        body(&object)
        bytes.append(contentsOf: object.finished())
    }

    mutating func list<Element>(
        _ name: String, _ elements: [Element], _ describe: (Element, inout CertificateText) -> Void
    ) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        for (position, element) in elements.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            var item = CertificateText()
            describe(element, &item)
            bytes.append(contentsOf: item.finished())
        }
        bytes.append(UInt8(ascii: "]"))
    }

    func finished() -> [UInt8] { bytes + [UInt8(ascii: "}")] }
}
