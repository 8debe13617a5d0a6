/// Which columns of a batch are wanted. The flags of the rows come along when a wanted column is optional.
package struct ColumnSelection: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Sequence and arrival.
    package static let sequence = ColumnSelection(rawValue: 1 << 0)
    /// Event time.
    package static let time = ColumnSelection(rawValue: 1 << 1)
    package static let identifier = ColumnSelection(rawValue: 1 << 2)
    /// Status; of a session change its kind.
    package static let status = ColumnSelection(rawValue: 1 << 3)
    package static let duration = ColumnSelection(rawValue: 1 << 4)
    /// Command name, agent name, metric type. Session changes have none.
    package static let name = ColumnSelection(rawValue: 1 << 5)
    /// Interaction type or unit.
    package static let kind = ColumnSelection(rawValue: 1 << 6)
    package static let user = ColumnSelection(rawValue: 1 << 7)
    package static let session = ColumnSelection(rawValue: 1 << 8)
    package static let team = ColumnSelection(rawValue: 1 << 9)
    /// Input and output tokens.
    package static let tokens = ColumnSelection(rawValue: 1 << 10)
    /// Metric value with its period, productivity score.
    package static let value = ColumnSelection(rawValue: 1 << 11)
    package static let errorMessage = ColumnSelection(rawValue: 1 << 12)
    /// `command_args`.
    package static let arguments = ColumnSelection(rawValue: 1 << 13)
    /// `context`, `metadata` or `dimensions`.
    package static let object = ColumnSelection(rawValue: 1 << 14)
    /// Commands executed and agents used.
    package static let sessionFields = ColumnSelection(rawValue: 1 << 15)
    package static let all = ColumnSelection(rawValue: (1 << 16) - 1)
}
