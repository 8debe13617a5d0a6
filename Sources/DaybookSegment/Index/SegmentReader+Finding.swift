package import DaybookFormat

extension SegmentReader {
    /// The pages that may hold an event: those that the index names and whose zones of the identifier's first 48 bits
    /// have room for it. Pages of a row group whose directory is damaged stay in. Reads directories, no columns.
    package func pages(withEvent id: EventID, _ index: SegmentIndex) -> PageSet {
        var result = index.pages(withEvent: id)
        let time = id.high >> 16
        for rowGroup in result.rowGroups {
            if let zone = zone(rowGroup: rowGroup, .identifierTime), zone.min > time || zone.max < time {
                for place in 0..<IndexShape.rowGroupPageCountMax {
                    result.remove(page: rowGroup * IndexShape.rowGroupPageCountMax + place)
                }
                continue
            }
            guard let column = try? directory(rowGroup: rowGroup).column(.identifierTime) else { continue }
            for page in column.pages where page.zone.min > time || page.zone.max < time {
                // A column whose pages are cut elsewhere leaves its pages in.
                guard page.firstRow.isMultiple(of: SegmentLimits.pageRowCountMax) else { continue }
                let place = page.firstRow / SegmentLimits.pageRowCountMax
                if page.rowCount == index.shape.rows(ofPage: rowGroup * IndexShape.rowGroupPageCountMax + place).count {
                    result.remove(page: rowGroup * IndexShape.rowGroupPageCountMax + place)
                }
            }
        }
        return result
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
