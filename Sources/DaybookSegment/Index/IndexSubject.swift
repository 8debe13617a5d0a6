internal import DaybookFormat

/// What one can look for in an index, by its number on disk: never renumber. Spec: docs/format/index.md.
package enum IndexSubject: UInt16, CaseIterable, Sendable {
    case user = 16
    case name = 17
    case session = 19
    /// Identifiers of events.
    case event = 4
    /// Tokens of error messages and of the strings in free-form objects.
    case text = 48

    /// The column of codes that it stands for; nil for the others.
    var column: ColumnNumber? {
        switch self {
        case .user: .user
        case .name: .name
        case .session: .session
        case .event, .text: nil
        }
    }

    init?(_ column: ColumnNumber) {
        guard let found = Self.allCases.first(where: { $0.column == column }) else { return nil }
        self = found
    }

    /// False where no row can have one.
    func isUsed(by family: Family) -> Bool {
        guard let column else { return true }
        return ColumnNumber.columns(of: family).contains(column)
    }
}
