internal import DaybookControl
package import DaybookSystem

/// The end of an organization lasts longer than one request: it is begun, and then asked about.
extension StoreDoor {
    /// Deletes an organization. With a server the removal of its files may be left to go on there; without one it is
    /// carried out here.
    /// - Parameters:
    ///   - waits: until nothing is left.
    ///   - progress: told when a server tries again after an error.
    /// - Returns: the fields of the last answer.
    /// - Throws: `ToolError` when an error stops it and no server is there to try again.
    package func delete(
        organization: String, waits: Bool, clock: any Clock, entropy: any Entropy,
        progress: (String) -> Void = { _ in }
    ) throws -> [UInt8] {
        try withAdministration(clock: clock, entropy: entropy) { ask, isServed in
            let pause = Wakeup()
            while true {
                let answer = try ask(AdministrativeRequest.deleteOrganization(organization))
                let fields = try ControlDocument(parsing: answer)
                let isDone = fields["removed_at"]?.stringValue != nil
                guard !isDone, waits || !isServed else { return answer }
                if let error = fields["last_error"]?.stringValue {
                    guard isServed else {
                        throw ToolError(
                            "The organization \(organization) is deleted, and the removal of its files stopped: \(error).",
                            cure: "Mend what the error names, then run the verb again, or serve the store: it goes on.")
                    }
                    progress("trying again after: \(error)")
                }
                pause.wait(microseconds: Self.pollMicroseconds)
            }
        }
    }
}
