import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

extension TestServer {
    /// Occupies both threads of a pool of one, the spare one included, with acts of two organizations that wait for the
    /// disk until `release`. Precondition: the server is gated and has one query thread.
    func occupyQueryThreads() async throws -> [TestConnection] {
        let other = try store.createOrganization(try #require(OrganizationID("occupying")))
        let keys = [key, try key(.all, organization: other.id)]
        try #require(gate).close()
        var acts: [TestConnection] = []
        for key in keys {
            let connection = try await connect()
            try await connection.send(TestConnection.text("POST", "/api/v1/keys", body: "{}", key: key))
            acts.append(connection)
        }
        try await waitFor("daybook_queries_running", 2)
        return acts
    }

    /// Waits until the acts were answered: then the threads are free again.
    func release(_ acts: [TestConnection]) async throws {
        gate?.open()
        for act in acts {
            #expect(try await act.reply().status == 201)
            act.close()
        }
    }
}
