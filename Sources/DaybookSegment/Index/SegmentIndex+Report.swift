internal import DaybookSystem

extension SegmentIndex {
    /// What an index costs and what it saves: what `inspect` prints.
    package struct Report: Sendable, Equatable {
        package struct Section: Sendable, Equatable {
            /// `user`, `name`, `session`, `event`, `text`.
            package var name: String
            /// `sets`, `filters`, or `none` where the section does not pay: then every page is read.
            package var kind: String
            /// Distinct values; of filters added up over the pages.
            package var entryCount: Int
            package var byteCount: Int
            /// The share of the segment's pages that is read on average for a value that is there. For filters, which
            /// cannot tell, of a value that is on one page.
            package var foundShare: Double
            /// The same for a value that is not there.
            package var absentShare: Double
        }

        package var byteCount: Int
        package var rowCount: Int
        package var pageCount: Int
        package var sections: [Section]
    }

    /// Complexity: O(bytes of the index).
    package func report() -> Report {
        let subjects = IndexSubject.allCases.filter { $0.isUsed(by: shape.family) }
        return Report(
            byteCount: byteCount, rowCount: shape.rowCount, pageCount: shape.pageCount, sections: subjects.map(report))
    }

    private func report(_ subject: IndexSubject) -> Report.Section {
        var result = Report.Section(
            name: "\(subject)", kind: "none", entryCount: 0, byteCount: 0, foundShare: 1, absentShare: 1)
        guard let section = layout.section(subject) else { return result }
        result.entryCount = section.valueCount
        result.byteCount = section.byteCount
        let pageCount = Double(max(1, shape.pageCount))
        switch section.content {
        case .sets(let sets):
            result.kind = "sets"
            let (found, unread) = mapping.withBytes { sets.pageCounts(in: $0, of: shape) }
            result.foundShare = min(1, Double(found) / Double(max(1, section.valueCount)) / pageCount)
            result.absentShare = Double(unread) / pageCount
        case .filters(let filters):
            result.kind = "filters"
            let falseCount = mapping.withBytes { filters.falsePageCount(in: $0) }
            result.absentShare = falseCount / pageCount
            result.foundShare = (1 + result.absentShare * (pageCount - 1)) / pageCount
        }
        return result
    }
}
