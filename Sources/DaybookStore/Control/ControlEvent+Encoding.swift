package import DaybookFormat

extension ControlEvent {
    /// Precondition: hashes and secrets have 32 bytes.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .organizationCreated(let organization, let log, let createdAt):
            Self.appendHead(.organizationCreated, createdAt, to: &bytes)
            bytes.append(littleEndian: log.rawValue)
            bytes.append(lengthPrefixed: organization.text)
        case .keyCreated(let key):
            Self.append(key, to: &bytes)
        case .keyRevoked(let keyID, let revokedAt):
            Self.appendHead(.keyRevoked, revokedAt, to: &bytes)
            bytes.append(lengthPrefixed: keyID)
        case .retentionSet(let organization, let policy, let time):
            Self.appendHead(.retentionSet, time, flags: policy.isHeld ? RetentionFlags.isHeld : 0, to: &bytes)
            bytes.append(lengthPrefixed: organization.text)
            bytes.append(varint: UInt64(Family.ofOrganizations.count))
            for family in Family.ofOrganizations {
                bytes.append(family.rawValue)
                bytes.append(littleEndian: policy[family])
            }
        case .quotaSet(let organization, let byteCount, let time):
            Self.appendHead(.quotaSet, time, to: &bytes)
            bytes.append(lengthPrefixed: organization.text)
            bytes.append(littleEndian: byteCount)
        case .userSecretSet(let organization, let secret, let time):
            precondition(secret.count == ErasureRecord.secretByteCount)
            Self.appendHead(.userSecretSet, time, to: &bytes)
            bytes.append(contentsOf: secret)
            bytes.append(lengthPrefixed: organization.text)
        case .erasureBegun(let erasure):
            precondition(erasure.userHash.count == ErasureRecord.hashByteCount)
            Self.appendHead(.erasureBegun, erasure.begunAt, to: &bytes)
            bytes.append(littleEndian: erasure.id)
            bytes.append(littleEndian: erasure.through)
            bytes.append(contentsOf: erasure.userHash)
            bytes.append(lengthPrefixed: erasure.organization.text)
        case .erasureDone(let id, let generation, let time):
            Self.appendHead(.erasureDone, time, to: &bytes)
            bytes.append(littleEndian: id)
            bytes.append(littleEndian: generation)
        case .keyRetired(let keyID, let until, let time):
            Self.appendHead(.keyRetired, time, to: &bytes)
            bytes.append(littleEndian: until.microseconds)
            bytes.append(lengthPrefixed: keyID)
        case .keysUsed(let uses, let time):
            Self.appendHead(.keysUsed, time, to: &bytes)
            bytes.append(varint: UInt64(uses.count))
            for use in uses {
                bytes.append(littleEndian: use.at.microseconds)
                bytes.append(lengthPrefixed: use.keyID)
            }
        case .token(let act, let time): Self.append(act, time, to: &bytes)
        case .audited(let record): Self.append(record, to: &bytes)
        case .rateLimitsSet(let organization, let policy, let time):
            Self.append(organization, policy, time, to: &bytes)
        case .deadLettered(let letter): Self.append(letter, to: &bytes)
        case .deadLetterRemoved(let id, let isReplayed, let time):
            Self.append(removedDeadLetter: id, isReplayed: isReplayed, time, to: &bytes)
        case .durabilitySet(let organization, let durability, let time):
            Self.append(organization, durability, time, to: &bytes)
        case .members(let act): Self.append(act, to: &bytes)
        case .configurationSet, .organizationDeleted, .organizationRemoved: appendOrganizationAct(to: &bytes)
        }
        return bytes
    }

    /// A key without a role, without a predecessor and not the operator's is told in the older, shorter act.
    private static func append(_ key: KeyRecord, to bytes: inout [UInt8]) {
        precondition(key.hash.count == KeyRecord.hashByteCount)
        let flags = (key.expiresAt == nil ? 0 : KeyFlags.expires) | (key.isOperator ? KeyFlags.isOperator : 0)
        appendHead(key.hasRights ? .keyCreatedWithRights : .keyCreated, key.createdAt, flags: flags, to: &bytes)
        if let expiresAt = key.expiresAt { bytes.append(littleEndian: expiresAt.microseconds) }
        bytes.append(contentsOf: key.hash)
        bytes.append(lengthPrefixed: key.keyID)
        bytes.append(lengthPrefixed: key.organization.text)
        bytes.append(lengthPrefixed: key.name)
        bytes.append(lengthPrefixed: key.user)
        bytes.append(varint: UInt64(key.scopes.count))
        for scope in key.scopes { bytes.append(lengthPrefixed: scope) }
        guard key.hasRights else { return }
        bytes.append(lengthPrefixed: key.role)
        bytes.append(lengthPrefixed: key.predecessor)
    }

    static func appendHead(
        _ kind: Kind, _ time: Timestamp, flags: UInt8 = 0, to bytes: inout [UInt8]
    ) {
        bytes.append(kind.rawValue)
        bytes.append(flags)
        bytes.append(contentsOf: [0, 0])
        bytes.append(littleEndian: time.microseconds)
    }

    private static func flagsKnown(of kind: Kind) -> UInt8 {
        switch kind {
        case .keyCreated: KeyFlags.expires
        case .keyCreatedWithRights: KeyFlags.expires | KeyFlags.isOperator
        case .retentionSet: RetentionFlags.isHeld
        case .rateLimitsSet: RateLimitFlags.isSteady
        case .deadLetterRemoved: DeadLetterFlags.isReplayed
        case .userSet: UserFlags.isDisabled
        case .grantRevoked: GrantFlags.wasUsedTwice
        default: 0
        }
    }

    /// Reads the whole encoding of one act.
    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        guard let kind = Kind(rawValue: try reader.uint8(bytes)) else { throw .invalid("control event kind") }
        let flags = try reader.uint8(bytes)
        guard flags & ~Self.flagsKnown(of: kind) == 0 else { throw .invalid("control event flags") }
        guard try reader.uint16(bytes) == 0 else { throw .invalid("control event reserved field") }
        let time = Timestamp(microseconds: try reader.int64(bytes))
        switch kind {
        case .organizationCreated:
            let log = LogID(try reader.uint64(bytes))
            self = .organizationCreated(try reader.organization(bytes), log: log, at: time)
        case .keyCreated:
            self = .keyCreated(try Self.key(&reader, bytes, flags, createdAt: time))
        case .keyCreatedWithRights:
            var key = try Self.key(&reader, bytes, flags, createdAt: time)
            key.isOperator = flags & KeyFlags.isOperator != 0
            key.role = try reader.validText(bytes)
            key.predecessor = try reader.validText(bytes)
            guard key.hasRights else { throw .invalid("key without rights") }
            self = .keyCreated(key)
        case .keyRevoked:
            self = .keyRevoked(keyID: try reader.validText(bytes), at: time)
        case .retentionSet:
            self = try Self.retention(&reader, bytes, flags, at: time)
        case .quotaSet:
            self = .quotaSet(try reader.organization(bytes), byteCount: try reader.uint64(bytes), at: time)
        case .userSecretSet:
            let secret = bytes.toArray(try reader.range(ErasureRecord.secretByteCount, bytes))
            self = .userSecretSet(try reader.organization(bytes), secret: secret, at: time)
        case .erasureBegun:
            let id = try reader.uint64(bytes)
            let through = try reader.uint64(bytes)
            let hash = bytes.toArray(try reader.range(ErasureRecord.hashByteCount, bytes))
            self = .erasureBegun(
                ErasureRecord(
                    id: id, organization: try reader.organization(bytes), userHash: hash, through: through,
                    begunAt: time))
        case .erasureDone:
            let id = try reader.uint64(bytes)
            self = .erasureDone(id: id, generation: try reader.uint64(bytes), at: time)
        case .keyRetired:
            let until = Timestamp(microseconds: try reader.int64(bytes))
            self = .keyRetired(keyID: try reader.validText(bytes), until: until, at: time)
        case .keysUsed:
            var uses: [KeyUse] = []
            for _ in 0..<(try reader.count(of: 9, bytes)) {
                let at = Timestamp(microseconds: try reader.int64(bytes))
                uses.append(KeyUse(keyID: try reader.validText(bytes), at: at))
            }
            self = .keysUsed(uses, at: time)
        case .grantBegun, .grantUsed, .grantRevoked, .tokenRevoked:
            self = .token(try Self.tokenAct(&reader, bytes, kind, flags), at: time)
        case .actDone, .accessDenied:
            self = .audited(try Self.audit(&reader, bytes, kind, at: time))
        case .rateLimitsSet:
            self = try Self.rateLimits(&reader, bytes, flags, at: time)
        case .deadLettered, .deadLetterRemoved, .durabilitySet:
            self = try Self.collection(&reader, bytes, kind, flags, at: time)
        case .userSet: self = .members(try Self.user(&reader, bytes, flags, at: time))
        case .userDeleted, .teamSet, .teamDeleted: self = .members(try Self.member(&reader, bytes, kind, at: time))
        case .configurationSet, .organizationDeleted, .organizationRemoved:
            self = try Self.organizationAct(&reader, bytes, kind, at: time)
        }
        guard reader.isAtEnd(bytes) else { throw .invalid("control event length") }
    }

    private static func retention(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ flags: UInt8, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        let organization = try reader.organization(bytes)
        var policy = RetentionPolicy.forEver
        policy.isHeld = flags & RetentionFlags.isHeld != 0
        var last: UInt8 = 0
        for _ in 0..<(try reader.count(of: 5, bytes)) {
            let number = try reader.uint8(bytes)
            guard number > last, let family = Family(rawValue: number), Family.ofOrganizations.contains(family) else {
                throw .invalid("retention family")
            }
            policy[family] = try reader.uint32(bytes)
            last = number
        }
        return .retentionSet(organization, policy, at: time)
    }

    private static func append(
        _ organization: OrganizationID, _ policy: RateLimitPolicy, _ time: Timestamp, to bytes: inout [UInt8]
    ) {
        precondition(policy.isWellFormed)
        appendHead(.rateLimitsSet, time, flags: policy.isAdaptive ? 0 : RateLimitFlags.isSteady, to: &bytes)
        bytes.append(lengthPrefixed: organization.text)
        bytes.append(policy.tier.rawValue)
        bytes.append(littleEndian: policy.ownRequestsPerMinute)
        bytes.append(littleEndian: policy.burst)
        bytes.append(littleEndian: policy.concurrentBatchCount)
    }

    private static func rateLimits(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ flags: UInt8, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        let organization = try reader.organization(bytes)
        guard let tier = RateLimitPolicy.Tier(rawValue: try reader.uint8(bytes)) else { throw .invalid("tier") }
        let policy = RateLimitPolicy(
            tier, ownRequestsPerMinute: try reader.uint32(bytes), burst: try reader.uint32(bytes),
            isAdaptive: flags & RateLimitFlags.isSteady == 0, concurrentBatchCount: try reader.uint16(bytes))
        guard policy.isWellFormed else { throw .invalid("rate limits") }
        return .rateLimitsSet(organization, policy, at: time)
    }

    private static func key(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ flags: UInt8, createdAt: Timestamp
    ) throws(FormatError) -> KeyRecord {
        var expiresAt: Timestamp?
        if flags & KeyFlags.expires != 0 { expiresAt = Timestamp(microseconds: try reader.int64(bytes)) }
        let hash = bytes.toArray(try reader.range(KeyRecord.hashByteCount, bytes))
        let keyID = try reader.validText(bytes)
        let organization = try reader.organization(bytes)
        let name = try reader.validText(bytes)
        let user = try reader.validText(bytes)
        let scopeCount = try reader.count(of: 1, bytes)
        var scopes: [String] = []
        for _ in 0..<scopeCount { scopes.append(try reader.validText(bytes)) }
        return KeyRecord(
            keyID: keyID, organization: organization, name: name, hash: hash, scopes: scopes, user: user,
            createdAt: createdAt, expiresAt: expiresAt)
    }
}

extension ByteReader {
    /// Length-prefixed UTF-8; ill-formed text is an error, because the control log is read back by eye and by name.
    mutating func validText(_ bytes: RawSpan) throws(FormatError) -> String {
        let range = try lengthPrefixedRange(bytes)
        guard let text = String(validating: bytes.toArray(range), as: UTF8.self) else {
            throw .invalid("control event text")
        }
        return text
    }

    mutating func organization(_ bytes: RawSpan) throws(FormatError) -> OrganizationID {
        guard let organization = OrganizationID(try validText(bytes)) else { throw .invalid("organization id") }
        return organization
    }
}
