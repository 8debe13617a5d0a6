import Benchmark
import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import Synchronization

/// What an access token costs as the credential of a request: when it is known, and when its signature has to be computed.
func registerTokens() {
    for algorithm in SigningAlgorithm.allCases {
        kernel(
            "token-\(algorithm.rawValue)-verified", prepare: { try TokenSample(algorithm) },
            run: { $0.judge($0.unknown) })
    }
    // A thousand in one iteration: one takes less time than telling it.
    kernel(
        "token-1000-known", prepare: { try TokenSample(.rs256) },
        run: { sample in for _ in 0..<1_000 { sample.judge(sample.known) } })
}

/// A store with one key, a token that was seen before, and one with a wrong signature: that is never kept, so it costs
/// each time what the first sight of a good one costs.
private final class TokenSample: Sendable {
    let known: [UInt8]
    let unknown: [UInt8]
    private let store: Store
    private let tokens: TokenAuthority
    private let now: Timestamp

    init(_ algorithm: SigningAlgorithm) throws {
        let entropy = SystemEntropy()
        let disk = try PosixDisk(creatingRoot: "/tmp/daybook-benchmark-\(hexText(entropy.next()))")
        var storeOptions = StoreOptions()
        storeOptions.journalFileByteCount = 16 << 20
        storeOptions.checkpointByteCount = 16 << 20
        try Store.create(disk: disk, clock: SystemClock(), entropy: entropy, options: storeOptions)
        store = try Store.open(disk: disk, clock: SystemClock(), entropy: entropy, options: storeOptions)
        store.start()
        let clock = HurryingClock(SystemClock().wallMicroseconds())
        let registry = KeyRegistry(store: store, clock: clock, entropy: entropy)
        var options = TokenOptions()
        options.algorithm = algorithm
        tokens = TokenAuthority(store: store, registry: registry, clock: clock, entropy: entropy, options: options)
        let administration = Administration(store: store, registry: registry, clock: clock, tokens: tokens)
        func ask(_ request: String, _ field: String) throws -> String {
            let answer = try ControlDocument(parsing: administration.perform(Array(request.utf8)))
            guard let text = answer[field]?.stringValue else { throw NoAnswer() }
            return text
        }
        let keyID = try ask(#"{"verb":"org.create","organization":"acme"}"#, "key_id")
        known = Array(try ask(#"{"verb":"token.issue","key_id":"\#(keyID)"}"#, "access_token").utf8)
        var changed = known
        let place = changed.count - 20
        changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        unknown = changed
        now = Timestamp(microseconds: clock.wallMicroseconds())
        guard case .accepted = tokens.judge(known, at: now), case .refused = tokens.judge(unknown, at: now) else {
            throw NoAnswer()
        }
    }

    private struct NoAnswer: Error {}

    func judge(_ token: [UInt8]) { blackHole(tokens.judge(token, at: now)) }

    deinit { store.shutdown() }
}

/// A second goes by at each look, so that the bound of signatures in a second is never met; the wall clock stands still.
private final class HurryingClock: Clock {
    private let wall: Int64
    private let seconds = Atomic<UInt64>(1)

    init(_ wall: Int64) { self.wall = wall }

    func wallMicroseconds() -> Int64 { wall }
    func monotonicNanoseconds() -> UInt64 { seconds.wrappingAdd(1, ordering: .relaxed).newValue * 1_000_000_000 }
}
