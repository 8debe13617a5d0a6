package import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateAnswer {
    /// Appends the array of items. Milliseconds are exact decimals where they are sums or extremes; averages and
    /// percentiles are rounded to picoseconds, rates to nine decimals.
    package func appendItems(to writer: inout JSONWriter) {
        writer.openArray()
        append(0..<itemCount, ItemForm(self), to: &writer)
        writer.closeArray()
    }

    /// What `appendItems` writes between the brackets, in parts that are printed at the same time.
    /// - Parameter take: keeps the text of one part; called on the thread that printed it.
    package func printItems<Part: Sendable>(
        _ executor: any QueryExecutor, _ take: @escaping @Sendable (RawSpan) -> Part
    ) -> [Part] {
        let form = ItemForm(self)
        return executor.mapPieces(of: itemCount, countMin: Self.pieceItemCountMin) { piece in
            var writer = JSONWriter(byteCapacity: piece.count * 512)
            if piece.lowerBound > 0 { writer.raw(",") }
            append(piece, form, to: &writer)
            return writer.withBytes(take)
        }
    }

    /// Fewer items are not worth waking another thread.
    private static let pieceItemCountMin = 60

    private func append(_ piece: Range<Int>, _ form: ItemForm, to writer: inout JSONWriter) {
        var printer = ItemPrinter()
        switch rows {
        case .listed(let items):
            for item in items[piece] {
                printer.begin(item, &writer)
                for dimension in item.group.indices {
                    writer.piece(dimension, of: form.groupKeys)
                    writer.string(item.group[dimension])
                }
                printer.end(item, form, &writer)
            }
        case .scanned(var scan, let slots):
            // One for all: its list of percentiles stays where it is.
            var item = AggregateItem()
            let groups = scan.groups
            for slot in slots[piece] {
                scan.fill(&item, slot: slot)
                printer.begin(item, &writer)
                groups.appendValues(of: slot, form.groupKeys, to: &writer)
                printer.end(item, form, &writer)
            }
        }
    }

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to writer: inout JSONWriter) {
        DaybookQuery.appendPagination(nextCursor, to: &writer)
    }
}

extension AggregateAnswer {
    /// Appends the array of warnings.
    package func appendWarnings(to writer: inout JSONWriter) { DaybookQuery.appendWarnings(warnings, to: &writer) }
}

func appendWarnings(_ warnings: [QueryWarning], to writer: inout JSONWriter) {
    writer.openArray()
    for warning in warnings {
        writer.openObject()
        writer.key("file")
        writer.string(warning.file)
        writer.key("offset")
        writer.integer(warning.offset)
        if let rowGroup = warning.rowGroup {
            writer.key("row_group")
            writer.integer(UInt64(rowGroup))
        }
        if let rows = warning.rows {
            writer.key("first_row")
            writer.integer(UInt64(rows.lowerBound))
            writer.key("rows")
            writer.integer(UInt64(rows.count))
        }
        writer.key("reason")
        writer.string(warning.reason)
        writer.closeObject()
    }
    writer.closeArray()
}

func appendPagination(_ nextCursor: String?, to writer: inout JSONWriter) {
    writer.openObject()
    writer.key("next_cursor")
    writer.string(nextCursor.map { Array($0.utf8) })
    writer.key("has_more")
    writer.boolean(nextCursor != nil)
    writer.closeObject()
}
