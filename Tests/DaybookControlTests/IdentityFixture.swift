import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// A store with its threads on a simulated disk, a clock that a test moves, and what stands on them.
final class IdentityFixture {
    static let acme = OrganizationID("acme")!
    static let globex = OrganizationID("globex")!

    let clock: ManualClock
    private let storeClock: any Clock
    private var isOpen = true
    let disk: SimulatedDisk
    let store: Store
    let registry: KeyRegistry
    let trail: AuditTrail
    let administration: Administration
    let tokens: TokenAuthority

    private static var options: StoreOptions {
        var options = StoreOptions()
        options.journalFileByteCount = 64 << 10
        options.logFileByteCount = 16 << 10
        options.checkpointByteCount = 32 << 10
        return options
    }

    /// - Parameter isReal: whether time goes by itself, as background work needs it.
    init(
        _ disk: SimulatedDisk = SimulatedDisk(seed: 1), clock manual: ManualClock = ManualClock(), isReal: Bool = false,
        tokens options: TokenOptions = .quick, externals: ExternalIssuers = .none
    ) throws {
        self.disk = disk
        self.clock = manual
        let clock: any Clock = isReal ? SystemClock() : manual
        storeClock = clock
        let isNew = try disk.list("").isEmpty
        if isNew {
            try Store.create(disk: disk, clock: clock, entropy: SystemEntropy(), options: Self.options)
        }
        store = try Store.open(disk: disk, clock: clock, entropy: SystemEntropy(), options: Self.options)
        store.start()
        registry = KeyRegistry(store: store, clock: clock, entropy: SystemEntropy())
        trail = AuditTrail(store: store, registry: registry, clock: clock)
        tokens = TokenAuthority(
            store: store, registry: registry, clock: clock, entropy: SystemEntropy(), options: options,
            externals: externals)
        tokens.readKeys()
        administration = Administration(
            store: store, registry: registry, clock: clock, trail: trail, tokens: tokens)
        guard isNew else { return }
        for id in [Self.acme, Self.globex] { _ = try store.createOrganization(id) }
    }

    deinit { close() }

    func close() {
        if isOpen { store.shutdown() }
        isOpen = false
    }

    /// The same store after a stop.
    func reopened() throws -> IdentityFixture {
        close()
        return try IdentityFixture(disk, clock: clock, tokens: tokens.options)
    }

    var now: Timestamp { Timestamp(microseconds: storeClock.wallMicroseconds()) }

    func ask(_ request: String) throws -> ParsedJSON {
        try ParsedJSON(parsing: administration.perform(Array(request.utf8)))
    }

    func make(
        _ role: Role?, _ scopes: ScopeSet = [], user: String = "", lifetimeSeconds: Int64? = nil,
        isOperator: Bool = false, in organization: OrganizationID = acme
    ) throws -> MadeKey {
        var new = NewKey()
        new.name = "of \(user)"
        new.role = role
        new.scopes = scopes
        new.user = user
        new.isOperator = isOperator
        new.expiresAt = lifetimeSeconds.map { now.adding(microseconds: $0 * 1_000_000) }
        return try registry.create(new, in: organization)
    }

    func credential(_ key: MadeKey) -> Credential? { registry.verify(Array(key.key.text.utf8), at: now) }

    /// Newest first.
    func trail(of organization: OrganizationID? = acme) throws -> [AuditRecord] {
        var records: [AuditRecord] = []
        var query = AuditQuery(organization: organization, limit: 700)
        while true {
            let page = try store.auditPage(query)
            records += page.entries.map(\.record)
            guard page.hasMore else { return records }
            query.before = page.entries.last?.number
        }
    }
}

extension TokenOptions {
    /// Keys that are made in no time.
    static var quick: TokenOptions {
        var options = TokenOptions()
        options.algorithm = .edDSA
        return options
    }
}

extension IdentityFixture {
    /// What the store gives a key.
    func issue(
        _ key: MadeKey, lifetimeSeconds: Int64? = nil, hasRefresh: Bool = true
    ) throws -> IssuedTokens {
        let credential = try registry.credential(of: key.record.keyID, in: nil)
        return try tokens.issue(for: credential, lifetimeSeconds: lifetimeSeconds, hasRefresh: hasRefresh, .local)
    }

    /// The credential of a token that is good now.
    func accepted(_ token: String) -> Credential? {
        if case .accepted(let credential) = tokens.judge(Array(token.utf8), at: now) { credential } else { nil }
    }

    /// Whether it is refused, and whose it was.
    func refused(_ token: String) -> (isRefused: Bool, holder: Credential?) {
        if case .refused(let holder) = tokens.judge(Array(token.utf8), at: now) { (true, holder) } else { (false, nil) }
    }
}
