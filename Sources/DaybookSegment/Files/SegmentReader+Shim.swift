internal import DaybookFormat

extension Zone {
    package init(_ batch: ColumnBatch) {
        self.init(
            rowCount: batch.rowCount, sequenceMin: batch.sequences.first ?? 0, sequenceMax: batch.sequences.last ?? 0,
            timestampMin: batch.timestamps.min() ?? 0, timestampMax: batch.timestamps.max() ?? 0,
            arrivalMin: batch.arrivals.min() ?? 0, arrivalMax: batch.arrivals.max() ?? 0,
            durationMin: batch.durations.min() ?? 0, durationMax: batch.durations.max() ?? 0,
            statusMin: batch.statuses.min() ?? 0, statusMax: batch.statuses.max() ?? 0)
    }
}

extension SegmentReader {
    package func pageZones(rowGroup: Int) throws(SegmentError) -> [Zone] {
        let directory = try directory(rowGroup: rowGroup)
        var zones: [Zone] = []
        var start = 0
        while start < directory.rowCount {
            let page = start / SegmentLimits.pageRowCountMax
            func zone(_ column: ColumnNumber) -> ColumnZone { directory.column(column)?.pages[page].zone ?? ColumnZone() }
            let count = min(SegmentLimits.pageRowCountMax, directory.rowCount - start)
            zones.append(
                Zone(
                    rowCount: count, sequenceMin: zone(.sequence).min, sequenceMax: zone(.sequence).max,
                    timestampMin: Int64(bitPattern: zone(.timestamp).min),
                    timestampMax: Int64(bitPattern: zone(.timestamp).max),
                    arrivalMin: Int64(bitPattern: zone(.arrival).min), arrivalMax: Int64(bitPattern: zone(.arrival).max),
                    durationMin: zone(.duration).min, durationMax: zone(.duration).max,
                    statusMin: UInt8(clamping: zone(.status).min), statusMax: UInt8(clamping: zone(.status).max)))
            start += count
        }
        return zones
    }
}
