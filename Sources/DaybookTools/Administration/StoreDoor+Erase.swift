internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
package import DaybookSystem

/// Erasures last longer than one request: they are begun, and then asked about.
extension StoreDoor {
    /// What an erasure came to.
    package struct ErasureOutcome: Sendable {
        /// Of the last answer, `certificate` included where the erasure is done.
        package var fields: [UInt8]
        package var isDone: Bool
    }

    static let pollMicroseconds: UInt64 = 200_000

    /// Begins the erasure of a user. With a server it may be left to go on there; without one it is carried out here.
    /// - Parameters:
    ///   - waits: until it is done.
    ///   - progress: told how far it is whenever that is another text: the phase, the files that are still read, the
    ///     error after which a server tries again.
    /// - Throws: `ToolError` when an error stops it and no server is there to try again.
    package func erase(
        user: String, organization: String, waits: Bool, clock: any Clock, entropy: any Entropy,
        progress: (String) -> Void = { _ in }
    ) throws -> ErasureOutcome {
        try withAdministration(clock: clock, entropy: entropy) { ask, isServed in
            let begun = try ask(AdministrativeRequest.beginErasure(of: user, organization: organization))
            return try follow(begun, waits: waits, isServed: isServed, ask, progress)
        }
    }

    /// Does all erasures of an organization, or of all, once more: after files came back out of a copy.
    package func reapplyErasures(
        organization: String?, waits: Bool, clock: any Clock, entropy: any Entropy,
        progress: (String) -> Void = { _ in }
    ) throws -> [ErasureOutcome] {
        try withAdministration(clock: clock, entropy: entropy) { ask, isServed in
            let answer = try ask(AdministrativeRequest.reapplyErasures(organization: organization))
            let ids = try ControlDocument(parsing: answer)["erasure_ids"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return try ids.map { id in
                let status = try ask(AdministrativeRequest.erasureStatus(id))
                return try follow(status, waits: waits, isServed: isServed, ask, progress)
            }
        }
    }

    /// Asks again, with pauses, until the erasure of an answer is done or others see to it.
    func follow(
        _ answer: [UInt8], waits: Bool, isServed: Bool, _ ask: ([UInt8]) throws -> [UInt8],
        _ progress: (String) -> Void
    ) throws -> ErasureOutcome {
        let pause = Wakeup()
        var answer = answer
        var told = ""
        while true {
            let fields = try ControlDocument(parsing: answer)
            let isDone = fields["state"]?.stringValue == "done"
            guard !isDone, waits || !isServed, let id = fields["erasure_id"]?.stringValue else {
                return ErasureOutcome(fields: answer, isDone: isDone)
            }
            let error = fields["last_error"]?.stringValue
            if let error, !isServed {
                throw ToolError(
                    "The erasure \(id) is recorded, and stopped: \(error).",
                    cure: "Mend what the error names, then run daybook erase --reapply, or serve the store: it goes on."
                )
            }
            let now = Self.state(fields, error)
            if now != told { progress(now) }
            told = now
            pause.wait(microseconds: Self.pollMicroseconds)
            answer = try ask(AdministrativeRequest.erasureStatus(id))
        }
    }

    private static func state(_ fields: ControlDocument, _ error: String?) -> String {
        var text = fields["phase"]?.stringValue ?? ""
        let awaited = fields["awaited"]?.arrayValue?.compactMap(\.stringValue) ?? []
        if !awaited.isEmpty { text += ", waiting for readers of " + awaited.joined(separator: ", ") }
        if let error { text += ", trying again after: " + error }
        return text
    }

    /// Calls `body` with a way to ask: through the server's admin socket, or a store that is open all the while.
    func withAdministration<R>(
        clock: any Clock, entropy: any Entropy,
        _ body: (_ ask: ([UInt8]) throws -> [UInt8], _ isServed: Bool) throws -> R
    ) throws -> R {
        _ = try disk()
        if try DirectoryLock.isHeld(directory: directory) {
            return try body({ try Self.fields(of: try askServer($0)) }, true)
        }
        let (store, lock) = try openForWriting(clock: clock, entropy: entropy)
        defer { lock.release() }
        store.start()
        defer { store.shutdown() }
        let administration = Administration(
            store: store, registry: KeyRegistry(store: store, clock: clock, entropy: entropy), clock: clock)
        return try body({ try Self.fields(of: administration.perform($0)) }, false)
    }
}
