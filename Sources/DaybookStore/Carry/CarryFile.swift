package import DaybookFormat

/// A request whose idempotency key may still come again although its events are sealed.
package struct IdempotencyEntry: Sendable, Equatable {
    package var keyHash: IdempotencyHash
    package var bodyHash: IdempotencyHash
    package var firstSequence: UInt64
    package var eventCount: UInt32
    package var arrival: Timestamp
    package var firstEvent: EventID

    package init(
        keyHash: IdempotencyHash, bodyHash: IdempotencyHash, firstSequence: UInt64, eventCount: UInt32,
        arrival: Timestamp, firstEvent: EventID
    ) {
        self.keyHash = keyHash
        self.bodyHash = bodyHash
        self.firstSequence = firstSequence
        self.eventCount = eventCount
        self.arrival = arrival
        self.firstEvent = firstEvent
    }
}

/// A session that had not ended when its last change was sealed.
package struct CarriedSession: Sendable, Equatable {
    package var sessionID: [UInt8]
    /// Opaque here.
    package var state: [UInt8]

    package init(sessionID: [UInt8], state: [UInt8]) {
        self.sessionID = sessionID
        self.state = state
    }
}

/// What later requests must know of sealed events without reading them back. Each sealing writes a whole new file and
/// the manifest names it in the same edit as the segments. Spec: docs/format/carry.md.
package struct CarryFile: Sendable, Equatable {
    package static let magic: UInt32 = 0x4B42_4444  // "DDBK" in the file
    package static let version: UInt32 = 1
    package static let headerByteCount = 32
    static let entryByteCount = 100

    package let log: LogID
    /// The file speaks of all events up to this one. At least 1.
    package let sealedThrough: UInt64
    /// By first sequence.
    package let requests: [IdempotencyEntry]
    /// By the bytes of their ids.
    package let sessions: [CarriedSession]

    /// Sorts. Precondition: first sequences and session ids are distinct, requests end at or before `sealedThrough`.
    package init(
        log: LogID, sealedThrough: UInt64, requests: [IdempotencyEntry], sessions: [CarriedSession]
    ) {
        self.log = log
        self.sealedThrough = sealedThrough
        self.requests = requests.sorted { $0.firstSequence < $1.firstSequence }
        self.sessions = sessions.sorted { $0.sessionID.lexicographicallyPrecedes($1.sessionID) }
        precondition(isWellFormed)
    }

    package var name: String { FileKind.carry(sealedThrough: sealedThrough).name }

    private init(
        unchecked log: LogID, _ sealedThrough: UInt64, _ requests: [IdempotencyEntry], _ sessions: [CarriedSession]
    ) {
        self.log = log
        self.sealedThrough = sealedThrough
        self.requests = requests
        self.sessions = sessions
    }

    private var isWellFormed: Bool {
        guard sealedThrough >= 1 else { return false }
        for entry in requests {
            guard entry.firstSequence >= 1, entry.firstSequence <= sealedThrough, entry.eventCount >= 1,
                UInt64(entry.eventCount) - 1 <= sealedThrough - entry.firstSequence
            else { return false }
        }
        for (left, right) in zip(requests, requests.dropFirst()) where left.firstSequence >= right.firstSequence {
            return false
        }
        for (left, right) in zip(sessions, sessions.dropFirst())
        where !left.sessionID.lexicographicallyPrecedes(right.sessionID) {
            return false
        }
        return true
    }
}

extension CarryFile {
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerByteCount + requests.count * Self.entryByteCount + 4)
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: sealedThrough)
        bytes.append(littleEndian: UInt32(requests.count))
        bytes.append(littleEndian: UInt32(sessions.count))
        for entry in requests { entry.append(to: &bytes) }
        for session in sessions {
            session.sessionID.withRawSpan { bytes.append(lengthPrefixed: $0) }
            session.state.withRawSpan { bytes.append(lengthPrefixed: $0) }
        }
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    /// Reads a whole carry file.
    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        let body = bytes.extracting(try bytes.verifiedBody(headerByteCount: Self.headerByteCount))
        let log = LogID(try reader.uint64(body))
        let sealedThrough = try reader.uint64(body)
        let requestCount = Int(try reader.uint32(body))
        let sessionCount = Int(try reader.uint32(body))
        guard requestCount <= (body.byteCount - reader.offset) / Self.entryByteCount else {
            throw .invalid("carry request count")
        }
        var requests: [IdempotencyEntry] = []
        requests.reserveCapacity(requestCount)
        for _ in 0..<requestCount { requests.append(try IdempotencyEntry(&reader, body)) }
        var sessions: [CarriedSession] = []
        for _ in 0..<sessionCount {
            let sessionID = body.toArray(try reader.lengthPrefixedRange(body))
            let state = body.toArray(try reader.lengthPrefixedRange(body))
            sessions.append(CarriedSession(sessionID: sessionID, state: state))
        }
        guard reader.isAtEnd(body) else { throw .invalid("carry file length") }
        self.init(unchecked: log, sealedThrough, requests, sessions)
        guard isWellFormed else { throw .invalid("carry file order") }
    }
}

extension IdempotencyEntry {
    func append(to bytes: inout [UInt8]) {
        keyHash.append(to: &bytes)
        bodyHash.append(to: &bytes)
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: eventCount)
        bytes.append(littleEndian: arrival.microseconds)
        bytes.append(littleEndian: firstEvent.high.byteSwapped)
        bytes.append(littleEndian: firstEvent.low.byteSwapped)
    }

    init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        self.init(
            keyHash: try IdempotencyHash(&reader, bytes), bodyHash: try IdempotencyHash(&reader, bytes),
            firstSequence: try reader.uint64(bytes), eventCount: try reader.uint32(bytes),
            arrival: Timestamp(microseconds: try reader.int64(bytes)),
            firstEvent: EventID(
                high: try reader.uint64(bytes).byteSwapped, low: try reader.uint64(bytes).byteSwapped))
    }
}

extension IdempotencyHash {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: words.0)
        bytes.append(littleEndian: words.1)
        bytes.append(littleEndian: words.2)
        bytes.append(littleEndian: words.3)
    }

    fileprivate init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        self.init(
            try reader.uint64(bytes), try reader.uint64(bytes), try reader.uint64(bytes), try reader.uint64(bytes))
    }
}
