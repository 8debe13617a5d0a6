internal import DaybookControl
internal import DaybookCrypto
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookStore

/// What an import may not change on its way.
struct ImportRules {
    let credential: Credential
    let isRelaxed: Bool
    /// Whether a chunk with a bad line is not stored at all; else its good lines are.
    let isStrict: Bool
    let idempotencyKey: String?
}

/// Up to 1,000 lines of an import that are stored together or not at all.
struct ImportChunk {
    /// A chunk ends early when it is this large, so that an import's memory does not depend on its lines.
    private static let byteCountMax = 2 << 20

    /// Places of lines count from 1, empty lines included.
    let firstLine: UInt64
    private(set) var lastLine: UInt64
    private(set) var lineCount = 0
    private(set) var rejections: [ImportStream.Rejection] = []
    private(set) var counts = FamilyCounts()
    /// Of each event of the group.
    private var eventLines: [UInt64] = []
    private(set) var group: GroupBuilder?
    /// Nil without an idempotency key.
    private let hashes: ChunkHashes?
    private var keyHash: IdempotencyHash? { hashes?.key }

    init(_ rules: ImportRules, firstLine: UInt64) {
        self.firstLine = firstLine
        lastLine = firstLine
        hashes = rules.idempotencyKey.map { ChunkHashes($0, firstLine: firstLine, isStrict: rules.isStrict) }
    }

    var eventCount: Int { eventLines.count }
    var isFull: Bool { lineCount >= FrontLimits.importChunkLineCount || group?.bytes.count ?? 0 >= Self.byteCountMax }
    var mayBeStored: Bool { eventCount > 0 }

    // MARK: - Lines

    /// A line is parsed into a group of its own first: one that is rejected must leave nothing in the chunk.
    mutating func add(
        _ line: RawSpan, number: UInt64, _ rules: ImportRules, at now: Timestamp,
        _ identifiers: @escaping EventIDSource,
        _ teams: TeamIndex?
    ) {
        lineCount += 1
        lastLine = number
        hashes?.add(line)
        guard line.byteCount <= FrontLimits.importLineByteCountMax else { return reject(number, Self.tooLong) }
        let credential = rules.credential
        var single = GroupBuilder(
            log: credential.organization.log, arrival: now, keyHash: keyHash, bodyHash: keyHash,
            byteCapacity: line.byteCount + 160)
        let context = EventParser.Context(
            arrival: now, organization: credential.organization.id, defaultUser: credential.defaultUser,
            mayNameAnyUser: credential.permits(.sendEventsOfAnyUser), randomness: identifiers, teams: teams)
        switch EventParser.parse(line, kind: .importLine, context: context, into: &single) {
        case .rejected(let errors, let code):
            let failure = ErrorResponse(rejected: errors, code: code)
            reject(number, failure.failures.first ?? .init(field: "", message: failure.message))
        case .accepted(let summary):
            counts.add(FamilyCounts(summary))
            // A line is one event, whatever it is about.
            eventLines.append(contentsOf: repeatElement(number, count: single.eventCount))
            append(single)
        }
    }

    /// A line that is so long that nobody waits for its end.
    mutating func addEndless(number: UInt64) {
        lineCount += 1
        lastLine = number
        reject(number, Self.tooLong)
    }

    private static let tooLong = ErrorResponse.FieldFailure(field: "", message: "The line is longer than 1 MiB.")

    private mutating func reject(_ number: UInt64, _ failure: ErrorResponse.FieldFailure) {
        rejections.append(ImportStream.Rejection(line: number, failure: failure))
    }

    private mutating func append(_ single: GroupBuilder) {
        guard var chunk = group else {
            group = single
            return
        }
        group = nil
        Self.forEachEntry(of: single) { _, family, schemaVersion, encoding in
            chunk.append(family, schemaVersion: schemaVersion, encoding: encoding)
        }
        group = chunk
    }

    private static func forEachEntry(of group: GroupBuilder, _ body: (Int, Family, UInt8, RawSpan) -> Void) {
        group.bytes.withRawSpan { bytes in
            var reader = ByteReader(at: group.header.headerByteCount)
            var index = 0
            // The parser wrote these entries a moment ago: they are whole.
            while let family = (try? reader.uint8(bytes)).flatMap(Family.init(rawValue:)),
                let schemaVersion = try? reader.uint8(bytes), (try? reader.uint16(bytes)) != nil,
                let byteCount = try? reader.uint32(bytes), let encoding = try? reader.range(Int(byteCount), bytes)
            {
                body(index, family, schemaVersion, bytes.extracting(encoding))
                index += 1
            }
        }
    }

    // MARK: - Storing

    /// What the store is to get. It is kept here only while the store may find fault with one of its session changes:
    /// else the store would have to copy it.
    /// Precondition: `mayBeStored`.
    mutating func takeGroup(_ rules: ImportRules) -> GroupBuilder {
        guard var full = group else { preconditionFailure("nothing to be stored") }
        if !full.header.flags.contains(.sessions) { group = nil }
        if let hashes { full.setBodyHash(hashes.body) }
        if rules.isRelaxed { full.markRelaxed() }
        return full
    }

    /// Takes a change out that the store does not take. False when it is not known which.
    mutating func reject(event: Int, _ failure: ErrorResponse.FieldFailure) -> Bool {
        guard let known = group, eventLines.indices.contains(event) else { return false }
        let number = eventLines.remove(at: event)
        reject(number, failure)
        rejections.sort { $0.line < $1.line }
        counts.removeSessions(1)
        var rest = GroupBuilder(
            log: known.header.log, arrival: known.header.arrival, keyHash: keyHash, bodyHash: keyHash,
            byteCapacity: known.bytes.count)
        Self.forEachEntry(of: known) { index, family, schemaVersion, encoding in
            if index != event { rest.append(family, schemaVersion: schemaVersion, encoding: encoding) }
        }
        group = rest
        return true
    }
}

/// Under what the store remembers a chunk: its place in the import and the client's key, and its lines as they came.
private final class ChunkHashes {
    let key: IdempotencyHash
    private var hasher = SHA256Hasher()
    private var finished: IdempotencyHash?

    init(_ key: String, firstLine: UInt64, isStrict: Bool) {
        // A line feed is in no key: the hash of a chunk is never that of another request's key.
        hasher.update(Array("\(key)\nline \(firstLine)".utf8))
        self.key = Self.hash(hasher.finish())
        hasher.update(Array((isStrict ? "import strict\n" : "import\n").utf8))
    }

    func add(_ line: RawSpan) {
        hasher.update(line)
        hasher.update([UInt8(ascii: "\n")])
    }

    /// Of the lines so far: no further one may be added.
    var body: IdempotencyHash {
        if let finished { return finished }
        let hash = Self.hash(hasher.finish())
        finished = hash
        return hash
    }

    private static func hash(_ digest: [UInt8]) -> IdempotencyHash {
        guard let hash = IdempotencyHash(bytes: digest) else { preconditionFailure("SHA-256 has 32 bytes") }
        return hash
    }
}
