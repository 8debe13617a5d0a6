package import DaybookFormat
package import DaybookSystem

/// What a finished segment holds: what the manifest says of it.
package struct SegmentSummary: Sendable, Equatable {
    package var family: Family
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    package var rowCount: Int
    package var timestampMin: Timestamp
    package var timestampMax: Timestamp
    package var arrivalMax: Timestamp
    package var byteCount: UInt64
    /// The CRC-32C of the footer's page: names the content of the file.
    package var footerChecksum: UInt32
}

/// Writes one segment, a row group at a time; rows come in sequence order. Holds the rows of one row group, at most
/// about `SegmentLimits.rowGroupByteCountTarget`, and half a MiB of scratch memory.
package struct SegmentWriter {
    private let path: String
    private let log: LogID
    private let family: Family
    private let schemaVersion: UInt8
    private let firstSequence: UInt64
    private let lastSequence: UInt64
    private let attributes: AttributePolicy
    private var output: PageOutput
    private var builder: ColumnBatchBuilder
    private var groupWriter = RowGroupWriter()
    private var groups: [RowGroupEntry] = []
    private var zones: [NumberedZone] = []
    private var rowCount = 0

    /// Creates the file, which must not exist.
    /// - Parameters:
    ///   - firstSequence: first sequence for which the file speaks.
    ///   - lastSequence: last one; no row lies outside.
    ///   - attributes: which values of the free-form objects get columns.
    package init(
        disk: any Disk, path: String, log: LogID, family: Family, schemaVersion: UInt8, firstSequence: UInt64,
        lastSequence: UInt64, effort: Compression.Effort = .fast, attributes: AttributePolicy = .columns
    ) throws(SegmentError) {
        precondition(Family.ofOrganizations.contains(family))
        precondition(firstSequence >= 1 && firstSequence <= lastSequence)
        self.path = path
        self.log = log
        self.family = family
        self.schemaVersion = schemaVersion
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.attributes = attributes
        builder = ColumnBatchBuilder(family: family, schemaVersion: schemaVersion)
        do throws(DiskError) {
            output = PageOutput(file: try disk.open(path, .create), effort: effort)
        } catch {
            throw .disk(error)
        }
        let header = SegmentHeader(
            log: log, family: family, schemaVersion: schemaVersion, firstSequence: firstSequence)
        output.append(header.encoded())
    }

    /// Appends one event. An encoding that does not decode is `corrupt`, with the segment's path and the sequence as
    /// the offset; nothing of it is kept.
    package mutating func append(
        sequence: UInt64, arrival: Timestamp, encoding: RawSpan
    ) throws(SegmentError) {
        precondition(sequence >= firstSequence && sequence <= lastSequence)
        do throws(FormatError) {
            try builder.append(sequence: sequence, arrival: arrival, encoding: encoding)
        } catch {
            throw .corrupt(Corruption(file: path, offset: sequence, reason: error))
        }
        if builder.rowCount == SegmentLimits.rowGroupRowCountMax
            || builder.byteCount >= SegmentLimits.rowGroupByteCountTarget
        {
            try writeRowGroup()
        }
    }

    /// Writes what is left and the footer, and synchronizes the file. The caller synchronizes the directory.
    /// Precondition: at least one row was appended. Nothing may be appended afterwards.
    package mutating func finish() throws(SegmentError) -> SegmentSummary {
        if builder.rowCount > 0 { try writeRowGroup() }
        precondition(rowCount > 0)
        var footer = SegmentFooter(
            log: log, family: family, schemaVersion: schemaVersion, firstSequence: firstSequence,
            lastSequence: lastSequence, rowCount: rowCount, root: [], zones: zones, rowGroups: groups,
            attributes: groupWriter.schema.attributes)
        footer.root = PageOutput.rootField(output.rootChecksum, pageCount: output.pageCount)
        let footerChecksum: UInt32
        do throws(DiskError) {
            let page = try output.appendPage(
                .footer, column: 0, rowGroup: 0, rows: 0..<0, payload: footer.encoded(), zone: ColumnZone(),
                savingDivisor: 32)
            let trailer = SegmentTrailer(
                footerOffset: page.offset, footerByteCount: UInt32(page.byteCount), footerChecksum: page.checksum)
            output.append(trailer.encoded())
            try output.synchronize()
            footerChecksum = page.checksum
        } catch {
            throw .disk(error)
        }
        output.close()
        let time = footer.zone(.timestamp) ?? ColumnZone()
        let arrival = footer.zone(.arrival) ?? ColumnZone()
        return SegmentSummary(
            family: family, firstSequence: firstSequence, lastSequence: lastSequence, rowCount: rowCount,
            timestampMin: Timestamp(microseconds: Int64(bitPattern: time.min)),
            timestampMax: Timestamp(microseconds: Int64(bitPattern: time.max)),
            arrivalMax: Timestamp(microseconds: Int64(bitPattern: arrival.max)), byteCount: output.offset,
            footerChecksum: footerChecksum)
    }

    private mutating func writeRowGroup() throws(SegmentError) {
        let batch = builder.takeBatch()
        do throws(DiskError) {
            let group = try groupWriter.append(batch, rowGroup: groups.count, attributes, to: &output)
            merge(group.zones)
            groups.append(group)
            rowCount += group.rowCount
        } catch {
            throw .disk(error)
        }
    }

    private mutating func merge(_ added: [NumberedZone]) {
        let isFirst = zones.isEmpty
        for (index, entry) in added.enumerated() {
            var entry = entry
            if entry.shape == ColumnNumber.Shape.code.rawValue {
                // Codes of different row groups mean different strings.
                entry.zone.min = 0
                entry.zone.max = 0
            }
            if isFirst {
                zones.append(entry)
            } else {
                zones[index].zone.merge(entry.zone, signed: entry.shape == ColumnNumber.Shape.signed.rawValue)
            }
        }
    }
}
