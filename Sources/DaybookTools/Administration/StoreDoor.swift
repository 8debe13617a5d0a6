package import DaybookControl
internal import DaybookFormat
package import DaybookStore
package import DaybookSystem

/// The way from a verb into a data directory: read-only beside a server, through the server's admin socket, or as the
/// one process that holds the lock.
package struct StoreDoor: Sendable {
    package static let adminSocketName = "admin.sock"
    package let directory: String

    package init(directory: String) { self.directory = directory }

    /// The data directory, which must be there.
    package func disk() throws -> PosixDisk {
        do {
            return try PosixDisk(root: directory)
        } catch {
            throw ToolError(
                "The data directory \(directory) cannot be opened: \(error).",
                cure: "Check --data (or DAYBOOK_DATA), or make a store: daybook init --data \(directory)")
        }
    }

    /// Never writes, takes no lock, and works beside a server.
    package func openReadOnly() throws -> ReadOnlyStore {
        let disk = try disk()
        let served: @Sendable () -> Bool = { [directory] in Self.isServed(directory) }
        return try explained { try ReadOnlyStore.open(disk: disk, isServed: served) }
    }

    /// An answer of "cannot tell" counts as served: reading then looks twice, which is never wrong.
    static func isServed(_ directory: String) -> Bool {
        do {
            return try DirectoryLock.isHeld(directory: directory)
        } catch {
            return true
        }
    }

    /// Opens the store for writing. The lock is held as long as the result of the call lives.
    package func openForWriting(
        clock: any Clock, entropy: any Entropy, options: StoreOptions = StoreOptions()
    ) throws -> (store: Store, lock: DirectoryLock) {
        let disk = try disk()
        let lock = try takeLock()
        let store = try explained { try Store.open(disk: disk, clock: clock, entropy: entropy, options: options) }
        return (store, lock)
    }

    func takeLock() throws -> DirectoryLock {
        do {
            return try DirectoryLock.acquire(directory: directory)
        } catch {
            guard error.kind == .locked else { throw error }
            throw ToolError(
                "Another process uses \(directory).",
                cure: "Stop it first, or give --data another directory. One process serves one data directory.")
        }
    }

    private static func organizationID(_ text: String) throws -> OrganizationID {
        guard let id = OrganizationID(text) else {
            throw ToolError(
                "'\(text)' is no organization's id.",
                cure: "It is 1 to 63 of a-z, 0-9 and -, and does not start with -.")
        }
        return id
    }

    /// The organization's log in an open read-only store.
    package static func organization(_ id: String, in store: ReadOnlyStore) throws -> OrganizationRecord {
        guard let record = store.organization(try organizationID(id)) else {
            let known = store.organizations().map(\.id.text)
            let cure =
                known.isEmpty
                ? "The store has none yet: daybook org create \(id)" : "The store has: \(known.joined(separator: ", "))"
            throw ToolError("There is no organization \(id).", cure: cure)
        }
        return record
    }

    /// Store errors in words for the person who typed the verb.
    func explained<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as StoreError {
            switch error {
            case .notAStore:
                throw ToolError(
                    "\(directory) holds no store: \(error).", cure: "Make one: daybook init --data \(directory)")
            case .alreadyAStore:
                throw ToolError(
                    "\(directory) holds a store already.",
                    cure: "Give --data another directory, or add to this one: daybook org create ID")
            default:
                throw ToolError(
                    "The store in \(directory) cannot be opened: \(error).",
                    cure: "Look at it with: daybook inspect --data \(directory)")
            }
        }
    }
}

// MARK: - Administration

extension StoreDoor {
    /// Carries out an administrative request: through the admin socket when a server holds the directory, else here.
    /// The answer's fields are as `Administration` lists them, without `ok`.
    /// - Parameter configuration: for work that is done here; a server has its own.
    package func administer(
        _ request: [UInt8], clock: any Clock, entropy: any Entropy,
        configuration: @autoclosure () throws -> Configuration = Configuration()
    ) throws -> [UInt8] {
        _ = try disk()
        let isServed = try DirectoryLock.isHeld(directory: directory)
        let answer =
            isServed
            ? try askServer(request)
            : try administerOffline(request, clock: clock, entropy: entropy, configuration: configuration())
        return try Self.fields(of: answer)
    }

    /// Asks the server that holds the directory; an error when none does.
    package func ask(running request: [UInt8]) throws -> [UInt8] {
        _ = try disk()
        guard try DirectoryLock.isHeld(directory: directory) else {
            throw ToolError(
                "No server runs on \(directory).",
                cure: "Start it: daybook serve. What it would use: daybook config show")
        }
        return try Self.fields(of: askServer(request))
    }

    /// Makes a store with its signing keys, its first organization and key; nothing at all when the organization's id is none.
    package func initialize(
        organization: String, clock: any Clock, entropy: any Entropy, configuration: Configuration = Configuration()
    ) throws -> [UInt8] {
        _ = try Self.organizationID(organization)
        let disk = try madeDirectory()
        let lock = try takeLock()
        try explained { try Store.create(disk: disk, clock: clock, entropy: entropy) }
        lock.release()
        let request = AdministrativeRequest.createOrganization(organization, isOperators: true)
        return try Self.fields(
            of: administerOffline(
                request, clock: clock, entropy: entropy, configuration: configuration, makesSigningKeys: true))
    }

    private func madeDirectory() throws -> PosixDisk {
        do {
            return try PosixDisk(creatingRoot: directory)
        } catch {
            throw ToolError(
                "The directory \(directory) cannot be made: \(error).",
                cure: "Give --data a directory whose parent exists and that you may write to.")
        }
    }

    func askServer(_ request: [UInt8]) throws -> [UInt8] {
        do {
            return try AdminConnection(path: directory + "/" + Self.adminSocketName).ask(request)
        } catch {
            throw ToolError(
                "A process holds \(directory), but its admin socket does not answer: \(error).",
                cure: "If another verb holds the directory, wait for it. If it is the server, look at its log.")
        }
    }

    private func administerOffline(
        _ request: [UInt8], clock: any Clock, entropy: any Entropy, configuration: Configuration,
        makesSigningKeys: Bool = false
    ) throws -> [UInt8] {
        let (store, lock) = try openForWriting(clock: clock, entropy: entropy, options: configuration.store)
        defer { lock.release() }
        store.start()
        defer { store.shutdown() }
        let registry = KeyRegistry(store: store, clock: clock, entropy: entropy)
        let tokens = TokenAuthority(
            store: store, registry: registry, clock: clock, entropy: entropy, options: configuration.tokens)
        if makesSigningKeys { try tokens.prepare() }
        let administration = Administration(
            store: store, registry: registry, clock: clock, defaults: configuration.organizations, tokens: tokens)
        return administration.perform(request)
    }

    private static func refusal(_ answer: [UInt8]) -> ToolError {
        guard let document = try? ControlDocument(parsing: answer), let message = document["message"]?.stringValue
        else {
            return ToolError(
                "The answer of the server cannot be read.", cure: "Is it of the same version as this daybook?")
        }
        switch document["code"]?.stringValue {
        case "conflict", "not_found":
            return ToolError(
                message,
                cure: "See what there is: daybook org list, dlq list; daybook key, user or team list --organization ID")
        case "validation_failed":
            return ToolError(message, cure: "Correct the option that is named; --help shows its form.")
        default:
            return ToolError(message, cure: "Look at the log of the server, and at: daybook inspect")
        }
    }

    /// `{"ok":true,"a":…}` becomes `{"a":…}`; a refusal becomes an error.
    static func fields(of answer: [UInt8]) throws -> [UInt8] {
        let accepted = Array("{\"ok\":true".utf8)
        guard answer.starts(with: accepted) else {
            throw refusal(answer)
        }
        var rest = answer.dropFirst(accepted.count)
        if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
        return [UInt8(ascii: "{")] + rest
    }
}
