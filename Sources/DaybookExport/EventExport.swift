package import DaybookEvent
package import DaybookFormat
package import DaybookQuery

/// Stored events as lines of text.
package struct EventExport {
    package enum Format: String, Sendable, CaseIterable {
        case ndjson, csv
    }

    private let format: Format
    private let organization: OrganizationID
    private let selection: EventSelection

    /// Precondition: CSV has exactly one family, because each has columns of its own.
    package init(_ format: Format, organization: OrganizationID, selection: EventSelection) {
        precondition(format != .csv || selection.families.count == 1)
        self.format = format
        self.organization = organization
        self.selection = selection
    }

    /// Hands every line with its line end to `emit`, the header of CSV included, in pieces of about 64 KiB; returns the
    /// number of events.
    package func run(_ source: any EventSource, emit: ([UInt8], UInt64) throws -> Void) throws -> UInt64 {
        let csv =
            format == .csv ? selection.families.first.map { CSVWriter(family: $0, organization: organization) } : nil
        var count: UInt64 = 0
        var pending: [UInt8] = []
        var lines = JSONWriter(byteCapacity: Self.pieceByteCount + 16 << 10)
        csv?.appendHeader(to: &pending)
        try EventReplay(source, selection).forEachEvent { event, encoding in
            count += 1
            if let csv {
                try csv.append(
                    schemaVersion: event.schemaVersion, encoding: encoding, sequence: event.sequence,
                    arrival: event.arrival, to: &pending)
            } else {
                try Self.appendLine(event, encoding, organization, to: &lines)
            }
            if pending.count + lines.byteCount >= Self.pieceByteCount {
                try emit(pending + lines.toArray(), count)
                pending.removeAll(keepingCapacity: true)
                lines.removeAll()
            }
            return true
        }
        if !pending.isEmpty || lines.byteCount > 0 { try emit(pending + lines.toArray(), count) }
        return count
    }

    private static let pieceByteCount = 64 << 10

    /// One event as NDJSON, with its line feed.
    package static func appendLine(
        _ event: ListedEvent, _ encoding: RawSpan, _ organization: OrganizationID, to writer: inout JSONWriter
    ) throws {
        try EventPrinter.append(
            family: event.family, schemaVersion: event.schemaVersion, encoding: encoding, sequence: event.sequence,
            arrival: event.arrival, organization: organization, to: &writer)
        writer.raw("\n")
    }
}
