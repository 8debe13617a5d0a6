import Testing

/// More than 250 distinct requests that must be refused: each gets the documented error as JSON within five seconds, stores
/// nothing, and leaves a server that serves the next one.
@Suite(.timeLimit(.minutes(15))) struct BadInputTests {
    private static let categories: [(name: String, rows: [BadInput])] = [
        ("JSON", BadInputs.syntax), ("numbers", BadInputs.numbers), ("Unicode", BadInputs.unicode),
        ("fields", BadInputs.fields), ("bombs", BadInputs.bombs), ("framing", BadInputs.framing),
        ("heads", BadInputs.heads), ("paths", BadInputs.paths), ("methods", BadInputs.methods),
        ("media types", BadInputs.mediaTypes), ("keys", BadInputs.keys), ("tenancy", BadInputs.tenancy),
        ("times", BadInputs.times), ("cursors", BadInputs.cursors), ("parameters", BadInputs.parameters),
        ("administration", BadInputs.administration), ("sessions", BadInputs.sessions),
    ]

    @Test(arguments: categories.map(\.name))
    func isRefusedStoresNothingAndLeavesAHealthyServer(category: String) async throws {
        let rows = try #require(Self.categories.first { $0.name == category }).rows
        try await BadInputRunner.run(rows)
    }

    @Test func thereAreEnoughAndNoTwoAreTheSame() {
        let all = Self.categories.flatMap(\.rows)
        #expect(all.count >= 250, "\(all.count)")
        let names = Self.categories.flatMap { category in category.rows.map { "\(category.name): \($0)" } }
        #expect(Set(names).count == names.count)
        let requests = all.compactMap { row -> String? in
            if case .shown = row.request { nil } else { "\(row.request)" }
        }
        #expect(Set(requests).count == requests.count)
    }
}
