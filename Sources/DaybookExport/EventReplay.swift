internal import DaybookFormat
package import DaybookQuery

/// Hands out the selected events of a log in sequence order.
package struct EventReplay {
    private let source: any EventSource
    private let selection: EventSelection

    package init(_ source: any EventSource, _ selection: EventSelection = EventSelection()) {
        self.source = source
        self.selection = selection
    }

    /// Calls `body` with each event until it returns false. The encoding is lent for the call.
    ///
    /// Complexity: O(rows that share a page with a selected one, and the tail).
    package func forEachEvent(_ body: (ListedEvent, RawSpan) throws -> Bool) throws {
        var cursor = ReplayCursor(source, selection.filter)
        while let event = try cursor.next() {
            let goesOn = try event.encoding.withRawSpan { (bytes: RawSpan) throws in
                guard try selection.takes(event, bytes) else { return true }
                return try body(event, bytes)
            }
            guard goesOn else { return }
        }
    }
}
