package import DaybookFormat

/// What is remembered of one account from one life of the process to the next.
package struct RateAccount: Sendable, Equatable {
    /// What was counted in one second.
    package struct Slot: Sendable, Equatable {
        /// In seconds, 0 to 60, when the file was written.
        package var age: UInt8
        /// At least 1.
        package var count: UInt32
    }

    package var organization: LogID
    package var kind: RequestKind
    package var violationCount: UInt8
    /// Until the back-off ends; 0 without one.
    package var backOffMilliseconds: UInt32
    /// Until the next violation is forgiven; 0 without any.
    package var forgivenessMilliseconds: UInt32
    /// Youngest first.
    package var slots: [Slot]
}

/// The file that a server writes when it ends, so that a restart gives nobody a second limit.
/// Spec: docs/format/limits.md.
package struct LimitsFile: Sendable, Equatable {
    package static let magic: UInt32 = 0x5742_4444  // "DDBW" in the file
    package static let version: UInt32 = 1
    private static let headerByteCount = 24
    private static let accountByteCount = 20
    /// Of all slots together: more than the largest limit and its burst admit, and far below the largest number.
    private static let countMax: UInt64 = 1_000_000_000

    /// Of the wall clock.
    package var writtenAt: Timestamp
    package var accounts: [RateAccount]

    package init(writtenAt: Timestamp, accounts: [RateAccount]) {
        self.writtenAt = writtenAt
        self.accounts = accounts
    }

    package func encoded() -> [UInt8] {
        var bytes = [UInt8](
            magic: Self.magic, version: Self.version,
            byteCount: Self.headerByteCount + 128 * accounts.count + 4)
        bytes.append(littleEndian: writtenAt.microseconds)
        bytes.append(littleEndian: UInt32(accounts.count))
        bytes.append(littleEndian: UInt32(0))
        for account in accounts {
            bytes.append(littleEndian: account.organization.rawValue)
            bytes.append(UInt8(account.kind.rawValue))
            bytes.append(account.violationCount)
            bytes.append(littleEndian: UInt16(account.slots.count))
            bytes.append(littleEndian: account.backOffMilliseconds)
            bytes.append(littleEndian: account.forgivenessMilliseconds)
            for slot in account.slots {
                bytes.append(slot.age)
                bytes.append(littleEndian: slot.count)
            }
        }
        bytes.appendChecksum()
        return bytes
    }

    /// Reads a whole file.
    package init(reading bytes: RawSpan) throws(FormatError) {
        let body = bytes.extracting(try bytes.verifiedBody(headerByteCount: Self.headerByteCount))
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, body)
        writtenAt = Timestamp(microseconds: try reader.int64(body))
        let count = try reader.uint32(body)
        try reader.readReserved("limits file reserved field", body)
        guard Int(count) <= (body.byteCount - reader.offset) / Self.accountByteCount else {
            throw .invalid("number of accounts")
        }
        accounts = []
        for _ in 0..<count { accounts.append(try Self.account(&reader, body)) }
        guard reader.offset == body.byteCount else { throw .invalid("limits file length") }
    }

    private static func account(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> RateAccount {
        let organization = LogID(try reader.uint64(bytes))
        guard organization >= Layout.firstOrganizationLog else { throw .invalid("organization of an account") }
        guard let kind = RequestKind(rawValue: Int(try reader.uint8(bytes))) else { throw .invalid("account kind") }
        let violationCount = try reader.uint8(bytes)
        let slotCount = try reader.uint16(bytes)
        let backOff = try reader.uint32(bytes)
        let forgiveness = try reader.uint32(bytes)
        guard violationCount <= RateBudget.violationCountMax, backOff <= RateBudget.backOffMillisecondsMax,
            forgiveness <= RateBudget.forgivenessMillisecondsMax
        else { throw .invalid("violations of an account") }
        var slots: [RateAccount.Slot] = []
        var count: UInt64 = 0
        for _ in 0..<slotCount {
            let slot = RateAccount.Slot(age: try reader.uint8(bytes), count: try reader.uint32(bytes))
            let isInOrder = slots.last.map { $0.age < slot.age } ?? true
            count += UInt64(slot.count)
            guard isInOrder, slot.age < SlidingWindow.slotCount, slot.count > 0, count <= countMax else {
                throw .invalid("slot of an account")
            }
            slots.append(slot)
        }
        return RateAccount(
            organization: organization, kind: kind, violationCount: violationCount, backOffMilliseconds: backOff,
            forgivenessMilliseconds: forgiveness, slots: slots)
    }
}
