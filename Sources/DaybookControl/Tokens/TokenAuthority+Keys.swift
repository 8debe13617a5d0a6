internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem
import Synchronization

/// The signing keys. They are made when they are wanted for the first time, and never made anew by themselves when their
/// file is damaged: somebody has to know that every token has ended.
extension TokenAuthority {
    /// Reads the file. Blocks on the disk, so event loops must never be the first to want the keys.
    /// - Returns: what is wrong with it; nil when it is whole, or not there yet.
    @discardableResult
    package func readKeys() -> String? {
        let read = keysOfFile()
        let known = state.withLock { state in
            // Somebody may have made keys meanwhile.
            if case .unread = state.keys { state.keys = read }
            return state.keys
        }
        if case .unusable(let reason) = known { return reason }
        return nil
    }

    private func keysOfFile() -> KeyState {
        do {
            guard let bytes = try store.readSigningKeys() else { return .missing }
            let file = try bytes.withRawSpan { (span) throws(FormatError) in try SigningKeysFile(reading: span) }
            return .ready(try SigningKeys(file))
        } catch {
            return .unusable("\(Layout.signingKeys): \(error)")
        }
    }

    /// The keys, made when there are none yet. Blocks on the disk; must hold no lock of this object.
    func preparedKeys() throws -> SigningKeys {
        if case .ready(let keys) = knownKeys() { return keys }
        return try acts.withLock { _ in
            switch knownKeys() {
            case .ready(let keys): return keys
            case .unusable(let reason): throw Failure.keysUnusable(reason)
            case .unread, .missing: return try adopt(.made(options.algorithm, at: now, entropy: entropy))
            }
        }
    }

    /// Makes signing keys when there are none yet. Blocks on the disk.
    package func prepare() throws { _ = try preparedKeys() }

    private func knownKeys() -> KeyState {
        let known = state.withLock { $0.keys }
        guard case .unread = known else { return known }
        readKeys()
        return state.withLock { $0.keys }
    }

    /// Precondition: the caller holds `acts`.
    private func adopt(_ file: SigningKeysFile) throws -> SigningKeys {
        let keys = try SigningKeys(file)
        try store.writeSigningKeys(file.encoded())
        state.withLock { $0.keys = .ready(keys) }
        registry.newGeneration()
        return keys
    }

    /// Puts a new key in the place of the one that signs. Also the cure for a file that is damaged.
    /// - Parameters:
    ///   - atOnce: whether every token that was made before ends now, refresh tokens included.
    ///   - acts: that are durable before the file is changed.
    func rotateKeys(atOnce: Bool, with acts: (String) -> [ControlEvent]) throws -> SigningKeysFile {
        try self.acts.withLock { _ in
            let now = now
            var file = SigningKeysFile.made(options.algorithm, at: now, entropy: entropy)
            if !atOnce, case .ready(let keys) = knownKeys() {
                file = keys.file.rotated(options.algorithm, at: now, entropy: entropy)
            }
            try store.appendControl(acts(file.keys.last?.name ?? ""))
            return try adopt(file).file
        }
    }

    /// The public keys as a JWK set; nil when they have to be made or read first, or cannot be used. Never blocks.
    package var knownKeySet: [UInt8]? {
        if case .ready(let keys) = state.withLock({ $0.keys }) { keys.publicSet(at: now) } else { nil }
    }

    /// The same, made when there are no keys yet. Blocks on the disk then.
    package func publicKeySet() throws -> [UInt8] { try preparedKeys().publicSet(at: now) }
}
