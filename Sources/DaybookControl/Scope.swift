/// What a key may do.
package struct ScopeSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let ingest = ScopeSet(rawValue: 1)
    package static let read = ScopeSet(rawValue: 2)
    package static let export = ScopeSet(rawValue: 4)
    package static let admin = ScopeSet(rawValue: 8)
    /// May send events for users other than its own. Says nothing without `ingest`.
    package static let ingestAnyUser = ScopeSet(rawValue: 16)

    /// What the first key of an organization gets.
    package static let all: ScopeSet = [.ingest, .read, .export, .admin, .ingestAnyUser]

    private static let names: [(ScopeSet, String)] = [
        (.ingest, "ingest"), (.ingestAnyUser, "ingest:any_user"), (.read, "read"), (.export, "export"),
        (.admin, "admin"),
    ]

    /// The names in a fixed order, as the control log and every answer list them.
    package var names: [String] { Self.names.filter { contains($0.0) }.map(\.1) }

    /// Nil when a name is unknown.
    package init?(names: [String]) {
        var scopes: ScopeSet = []
        for name in names {
            guard let known = Self.names.first(where: { $0.1 == name }) else { return nil }
            scopes.insert(known.0)
        }
        self = scopes
    }
}
