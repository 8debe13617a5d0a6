internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore

/// What organizations have chosen for themselves, within what the server is set to.
extension ServerEnvironment {
    /// Events of one batch of the organization.
    func batchEventCountMax(of organization: LogID) -> Int {
        let own = store.configuration(of: organization)?.batchEventCountMax
        return min(options.batchEventCountMax, own.map { Int($0) } ?? .max)
    }

    /// How long a question or a commit of the organization may take.
    /// - Parameter limit: of the server.
    func processingMilliseconds(of organization: LogID, _ limit: Int) -> Int {
        let own = store.configuration(of: organization)?.processingTimeoutMilliseconds
        return min(limit, own.map { Int($0) } ?? .max)
    }
}
