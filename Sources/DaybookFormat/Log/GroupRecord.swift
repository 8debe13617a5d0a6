/// The header of a group record: the events of one request of one organization, atomic. Spec: docs/format/log.md.
package struct GroupHeader: Equatable, Sendable {
    package static let fixedByteCount = 48
    package static let idempotencyByteCount = 64
    package static let byteCountMax = fixedByteCount + idempotencyByteCount
    package static let version: UInt8 = 1
    /// Bytes of an entry before its encoding.
    package static let entryHeaderByteCount = 8

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The two hashes follow the fixed part.
        package static let idempotency = Flags(rawValue: 1)
        /// Answered before it was durable, at the client's wish.
        package static let relaxed = Flags(rawValue: 2)
        /// At least one entry is a session change: the serialized append must check it.
        package static let sessions = Flags(rawValue: 4)
        package static let known: Flags = [.idempotency, .relaxed, .sessions]
    }

    package var flags: Flags = []
    package var byteCount: Int = 0
    package var eventCount: Int = 0
    package var log: LogID = LogID(0)
    package var firstSequence: UInt64 = 0
    package var arrival = Timestamp(microseconds: 0)
    /// The organization's last durable sequence when this group was written: a gap at or below it is corruption.
    package var durableThrough: UInt64 = 0
    package var keyHash: IdempotencyHash?
    package var bodyHash: IdempotencyHash?

    package init() {}

    package var headerByteCount: Int {
        flags.contains(.idempotency) ? Self.byteCountMax : Self.fixedByteCount
    }

    package var lastSequence: UInt64 { firstSequence &+ UInt64(eventCount) &- 1 }
}

/// SHA-256 of an idempotency key or of the body that came with it.
package struct IdempotencyHash: Hashable, Sendable {
    package var words: (UInt64, UInt64, UInt64, UInt64)

    package init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        words = (first, second, third, fourth)
    }

    /// Nil unless there are 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        var reader = ByteReader()
        let span = unsafe bytes.span.bytes
        guard let first = try? reader.uint64(span), let second = try? reader.uint64(span),
            let third = try? reader.uint64(span), let fourth = try? reader.uint64(span)
        else { return nil }
        words = (first, second, third, fourth)
    }

    package static func == (left: IdempotencyHash, right: IdempotencyHash) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension GroupHeader {
    /// Reads and checks the header of the record that starts at `offset`, without its checksum.
    package init(reading bytes: RawSpan, at offset: Int = 0) throws(FormatError) {
        var reader = ByteReader(at: offset)
        _ = try reader.uint32(bytes)
        let total = try reader.uint32(bytes)
        guard try reader.uint8(bytes) == Self.version else { throw .invalid("group record version") }
        flags = Flags(rawValue: try reader.uint8(bytes))
        guard flags.isSubset(of: .known) else { throw .invalid("group record flags") }
        guard try reader.uint16(bytes) == 0 else { throw .invalid("group record reserved field") }
        eventCount = Int(try reader.uint32(bytes))
        log = LogID(try reader.uint64(bytes))
        firstSequence = try reader.uint64(bytes)
        arrival = Timestamp(microseconds: try reader.int64(bytes))
        durableThrough = try reader.uint64(bytes)
        byteCount = Int(total)
        guard byteCount >= headerByteCount, byteCount <= Limits.groupByteCountMax else {
            throw .invalid("group record length")
        }
        guard eventCount <= (byteCount - headerByteCount) / Self.entryHeaderByteCount, eventCount >= 1 else {
            throw .invalid("group record event count")
        }
        guard firstSequence >= 1, !firstSequence.addingReportingOverflow(UInt64(eventCount)).overflow else {
            throw .invalid("group record sequence")
        }
        guard durableThrough < firstSequence else { throw .invalid("group record durable-through sequence") }
        if flags.contains(.idempotency) {
            keyHash = IdempotencyHash(
                try reader.uint64(bytes), try reader.uint64(bytes), try reader.uint64(bytes), try reader.uint64(bytes))
            bodyHash = IdempotencyHash(
                try reader.uint64(bytes), try reader.uint64(bytes), try reader.uint64(bytes), try reader.uint64(bytes))
        }
    }

    /// How long the record at `offset` says it is, within bounds; nothing else is checked.
    package static func recordByteCount(_ bytes: RawSpan, at offset: Int) throws(FormatError) -> Int {
        var reader = ByteReader(at: offset + 4)
        let byteCount = Int(try reader.uint32(bytes))
        guard byteCount >= fixedByteCount, byteCount <= Limits.groupByteCountMax else {
            throw .invalid("group record length")
        }
        return byteCount
    }

    /// Reads the header and compares the checksum of the whole record.
    package init(verifying bytes: RawSpan, at offset: Int = 0) throws(FormatError) {
        try self.init(reading: bytes, at: offset)
        guard bytes.byteCount - offset >= byteCount else {
            throw .truncated(needed: byteCount, found: bytes.byteCount - offset)
        }
        var reader = ByteReader(at: offset)
        let expected = try reader.uint32(bytes)
        let found = crc32c(bytes.extracting(offset + 4..<offset + byteCount))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
    }
}

extension GroupHeader {
    /// The checksum that a sealed record states; the journal frame around it repeats it instead of making a second one.
    /// Precondition: at least a header.
    package static func checksum(of record: [UInt8]) -> UInt32 {
        precondition(record.count >= fixedByteCount)
        return UInt32(record[0]) | UInt32(record[1]) << 8 | UInt32(record[2]) << 16 | UInt32(record[3]) << 24
    }
}

/// One event inside a group record.
package struct GroupEntry: Sendable, Equatable {
    package var family: Family
    package var schemaVersion: UInt8
    package var sequence: UInt64
    /// Where its canonical encoding stands in the record's bytes.
    package var encoding: Range<Int>
}

/// Walks the entries of a verified group record.
package struct GroupEntries: Sendable {
    private var reader: ByteReader
    private var remaining: Int
    private var sequence: UInt64
    private let end: Int

    package init(of header: GroupHeader, at offset: Int = 0) {
        reader = ByteReader(at: offset + header.headerByteCount)
        remaining = header.eventCount
        sequence = header.firstSequence
        end = offset + header.byteCount
    }

    /// The next entry, or nil after the last. Throws when the entries do not fill the record exactly.
    package mutating func next(_ bytes: RawSpan) throws(FormatError) -> GroupEntry? {
        guard remaining > 0 else {
            guard reader.offset == end else { throw .invalid("group record length") }
            return nil
        }
        guard let family = Family(rawValue: try reader.uint8(bytes)) else { throw .invalid("family") }
        let schemaVersion = try reader.uint8(bytes)
        guard try reader.uint16(bytes) == 0 else { throw .invalid("entry reserved field") }
        let encoding = try reader.range(Int(try reader.uint32(bytes)), bytes)
        guard encoding.upperBound <= end else { throw .invalid("entry length") }
        remaining -= 1
        defer { sequence &+= 1 }
        return GroupEntry(family: family, schemaVersion: schemaVersion, sequence: sequence, encoding: encoding)
    }
}

/// Builds a group record. The parser appends entries; the committing thread fills in what only it may decide.
package struct GroupBuilder: Sendable {
    package private(set) var header = GroupHeader()
    /// The record, header included. The header's bytes are zero until `seal`.
    package var bytes: [UInt8]

    /// - Parameter byteCapacity: what the entries are expected to need.
    package init(
        log: LogID, arrival: Timestamp, keyHash: IdempotencyHash? = nil, bodyHash: IdempotencyHash? = nil,
        byteCapacity: Int = 512
    ) {
        precondition((keyHash == nil) == (bodyHash == nil))
        header.log = log
        header.arrival = arrival
        header.keyHash = keyHash
        header.bodyHash = bodyHash
        if keyHash != nil { header.flags.insert(.idempotency) }
        bytes = []
        bytes.reserveCapacity(header.headerByteCount + byteCapacity)
        bytes.append(contentsOf: repeatElement(0, count: header.headerByteCount))
    }

    package var eventCount: Int { header.eventCount }

    /// Starts an entry; the encoding is appended to `bytes` by the caller, then `endEntry` is called with the result.
    package mutating func beginEntry(_ family: Family, schemaVersion: UInt8) -> Int {
        bytes.append(family.rawValue)
        bytes.append(schemaVersion)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: UInt32(0))
        if family == .sessionChange { header.flags.insert(.sessions) }
        return bytes.count
    }

    package mutating func endEntry(_ start: Int) {
        bytes.store(littleEndian: UInt32(bytes.count - start), at: start - 4)
        header.eventCount += 1
    }

    package mutating func append(_ family: Family, schemaVersion: UInt8, encoding: RawSpan) {
        let start = beginEntry(family, schemaVersion: schemaVersion)
        bytes.append(encoding)
        endEntry(start)
    }

    /// For a body whose end is known only when its entries are there. Precondition: the group was made with hashes.
    package mutating func setBodyHash(_ hash: IdempotencyHash) {
        precondition(header.keyHash != nil)
        header.bodyHash = hash
    }

    package mutating func markRelaxed() { header.flags.insert(.relaxed) }

    /// Writes the header and the checksum. Precondition: at least one entry, within `Limits`.
    package mutating func seal(firstSequence: UInt64, durableThrough: UInt64) {
        precondition(header.eventCount >= 1)
        precondition(bytes.count <= Limits.groupByteCountMax)
        precondition(firstSequence > durableThrough)
        header.firstSequence = firstSequence
        header.durableThrough = durableThrough
        header.byteCount = bytes.count
        bytes.store(littleEndian: UInt32(bytes.count), at: 4)
        bytes.store(littleEndian: GroupHeader.version, at: 8)
        bytes.store(littleEndian: header.flags.rawValue, at: 9)
        bytes.store(littleEndian: UInt32(header.eventCount), at: 12)
        bytes.store(littleEndian: header.log.rawValue, at: 16)
        bytes.store(littleEndian: firstSequence, at: 24)
        bytes.store(littleEndian: header.arrival.microseconds, at: 32)
        bytes.store(littleEndian: durableThrough, at: 40)
        if let keyHash = header.keyHash, let bodyHash = header.bodyHash {
            storeHash(keyHash, at: 48)
            storeHash(bodyHash, at: 80)
        }
        let checksum = unsafe crc32c(bytes.span.bytes.extracting(4..<bytes.count))
        bytes.store(littleEndian: checksum, at: 0)
    }

    private mutating func storeHash(_ hash: IdempotencyHash, at offset: Int) {
        bytes.store(littleEndian: hash.words.0, at: offset)
        bytes.store(littleEndian: hash.words.1, at: offset + 8)
        bytes.store(littleEndian: hash.words.2, at: offset + 16)
        bytes.store(littleEndian: hash.words.3, at: offset + 24)
    }
}
