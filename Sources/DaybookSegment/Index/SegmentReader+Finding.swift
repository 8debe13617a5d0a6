package import DaybookFormat

extension SegmentReader {
    /// The pages that may hold an event: those that the index names and whose zones of the identifier's first 48 bits
    /// have room for it. Pages of a row group whose directory is damaged stay in. Reads directories, no columns.
    package func pages(withEvent id: EventID, _ index: SegmentIndex) -> PageSet {
        var result = index.pages(withEvent: id)
        let time = Int64(id.high >> 16)
        for rowGroup in result.rowGroups {
            if let difference = zone(rowGroup: rowGroup, .identifierTime),
                let timestamp = zone(rowGroup: rowGroup, .timestamp),
                !Self.identifierTimes(difference, timestamp).contains(time)
            {
                for place in 0..<IndexShape.rowGroupPageCountMax {
                    result.remove(page: rowGroup * IndexShape.rowGroupPageCountMax + place)
                }
                continue
            }
            guard let pages = try? identifierTimes(rowGroup: rowGroup) else { continue }
            for page in pages where !page.times.contains(time) {
                // A column whose pages are cut elsewhere leaves its pages in.
                guard page.rows.lowerBound.isMultiple(of: SegmentLimits.pageRowCountMax) else { continue }
                let place = page.rows.lowerBound / SegmentLimits.pageRowCountMax
                let number = rowGroup * IndexShape.rowGroupPageCountMax + place
                if page.rows.count == index.shape.rows(ofPage: number).count { result.remove(page: number) }
            }
        }
        return result
    }

    /// Of each page of a row group the first 48 bits that its identifiers can have.
    func identifierTimes(
        rowGroup: Int
    ) throws(SegmentError) -> [(rows: Range<Int>, times: ClosedRange<Int64>)] {
        let directory = try directory(rowGroup: rowGroup)
        guard let differences = directory.column(.identifierTime)?.pages,
            let timestamps = directory.column(.timestamp)?.pages
        else { return [] }
        return differences.map { page in
            let zone = ColumnZone(of: timestamps.filter { $0.rows.overlaps(page.rows) }, signed: true)
            return (page.rows, Self.identifierTimes(page.zone, zone))
        }
    }

    /// Identifiers are written less the milliseconds of their timestamps.
    private static func identifierTimes(_ difference: ColumnZone, _ timestamp: ColumnZone) -> ClosedRange<Int64> {
        func sum(_ timestamp: UInt64, _ difference: UInt64, _ unbounded: Int64) -> Int64 {
            let milliseconds = Int64(bitPattern: ColumnBatch.milliseconds(Int64(bitPattern: timestamp)))
            let (sum, overflow) = milliseconds.addingReportingOverflow(Int64(bitPattern: difference))
            return overflow ? unbounded : sum
        }
        let low = sum(timestamp.min, difference.min, .min)
        let high = sum(timestamp.max, difference.max, .max)
        return min(low, high)...max(low, high)
    }

    /// Where an event stands; nil when it is not in the segment. Reads the identifiers of the pages that may hold it,
    /// so damage elsewhere does not matter.
    package func find(_ id: EventID, _ index: SegmentIndex) throws(SegmentError) -> (rowGroup: Int, row: Int)? {
        let pages = pages(withEvent: id, index)
        for rowGroup in pages.rowGroups {
            for rows in pages.rows(rowGroup: rowGroup) {
                let batch = try read(rowGroup: rowGroup, rows: rows, .identifier)
                if let row = batch.identifiers.firstIndex(of: id) { return (rowGroup, rows.lowerBound + row) }
            }
        }
        return nil
    }
}
