import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

struct CarryFileTests {
    static let log = LogID(16)
    static let folder = Layout.folder(of: log)

    static func request(_ sequence: UInt64, eventCount: UInt32 = 1) -> IdempotencyEntry {
        IdempotencyEntry(
            keyHash: IdempotencyHash(sequence, 2, 3, .max), bodyHash: IdempotencyHash(5, 6, 7, sequence),
            firstSequence: sequence, eventCount: eventCount, arrival: Timestamp(microseconds: -1),
            firstEvent: EventID(high: sequence, low: .max - sequence))
    }

    static func session(_ text: String, _ state: [UInt8]) -> CarriedSession {
        CarriedSession(sessionID: Array(text.utf8), state: state)
    }

    static let sample = CarryFile(
        log: log, sealedThrough: 100, requests: [request(98, eventCount: 3), request(1), request(50)],
        sessions: [session("b", [9]), session("", []), session("a", [UInt8](repeating: 7, count: 300))])

    static func read(_ bytes: [UInt8]) throws(FormatError) -> CarryFile {
        try bytes.withRawSpan { (span) throws(FormatError) in try CarryFile(reading: span) }
    }

    static func sealed(_ body: some Sequence<UInt8>) -> [UInt8] {
        var bytes = Array(body)
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    @Test func theVectorOnThePageIsReadAndWritten() throws {
        let vector = try #require(try HexVectors.load(page: "docs/format/carry.md").first { $0.name == "carry-file" })
        let carry = try Self.read(vector.bytes)
        #expect(Self.json(carry) == (try vector.fields()))
        #expect(carry.encoded() == vector.bytes)
    }

    private static func json(_ carry: CarryFile) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        return Build.object([
            "version": Build.number(CarryFile.version), "log": Build.number(carry.log.rawValue),
            "sealed_through": Build.number(carry.sealedThrough),
            "requests": .array(
                carry.requests.map { request in
                    Build.object([
                        "key_hash": Build.text(hex(request.keyHash)), "body_hash": Build.text(hex(request.bodyHash)),
                        "first_sequence": Build.number(request.firstSequence),
                        "event_count": Build.number(request.eventCount),
                        "arrival": Build.number(request.arrival.microseconds),
                        "first_event": Build.text("\(request.firstEvent)"),
                    ])
                }),
            "sessions": .array(
                carry.sessions.map { session in
                    Build.object([
                        "id": .text(session.sessionID),
                        "state": Build.text(session.state.map { hexText(UInt64($0), width: 2) }.joined()),
                    ])
                }),
        ])
    }

    private static func hex(_ hash: IdempotencyHash) -> String {
        let (first, second, third, fourth) = hash.words
        return [first, second, third, fourth].map { hexText($0.byteSwapped) }.joined()
    }

    @Test func whatIsWrittenIsReadBack() throws {
        #expect(try Self.read(Self.sample.encoded()) == Self.sample)
    }

    @Test func theOrderOfWhatIsCarriedDoesNotMatter() {
        let other = CarryFile(
            log: Self.log, sealedThrough: 100, requests: Self.sample.requests.reversed(),
            sessions: Self.sample.sessions.reversed())
        #expect(other.encoded() == Self.sample.encoded())
        #expect(Self.sample.requests.map(\.firstSequence) == [1, 50, 98])
        #expect(Self.sample.sessions.map(\.sessionID.count) == [0, 1, 1])
    }

    @Test func nothingToCarryIsAFileToo() throws {
        let empty = CarryFile(log: Self.log, sealedThrough: 1, requests: [], sessions: [])
        #expect(try Self.read(empty.encoded()) == empty)
    }

    @Test func anyChangedByteIsFound() {
        let bytes = Self.sample.encoded()
        for offset in bytes.indices {
            var damaged = bytes
            damaged[offset] ^= 0x20
            #expect(throws: FormatError.self) { try Self.read(damaged) }
        }
    }

    @Test func anyShorterFileIsFound() {
        let bytes = Self.sample.encoded()
        for byteCount in bytes.indices {
            #expect(throws: FormatError.self) { try Self.read(Array(bytes.prefix(byteCount))) }
        }
        #expect(throws: FormatError.self) { try Self.read(bytes + [0]) }
    }

    @Test(arguments: [0, 1, 7, 31, 33, 99, 132, 140])
    func aShorterBodyWithARightChecksumIsFound(byteCount: Int) {
        #expect(throws: FormatError.self) { try Self.read(Self.sealed(Self.sample.encoded().prefix(byteCount))) }
    }

    /// Bodies that only a wrong writer makes: the checksum is right.
    @Test(
        arguments: [
            ("version", 4, [2, 0, 0, 0]),
            ("sealed through nothing", 16, [0, 0, 0, 0, 0, 0, 0, 0]),
            ("sealed through less than a request", 16, [99]),
            ("too many requests", 24, [4, 0, 0, 0]),
            ("far too many requests", 24, [0xFF, 0xFF, 0xFF, 0xFF]),
            ("fewer requests", 24, [2, 0, 0, 0]),
            ("too many sessions", 28, [4, 0, 0, 0]),
            ("far too many sessions", 28, [0xFF, 0xFF, 0xFF, 0xFF]),
            ("fewer sessions", 28, [2, 0, 0, 0]),
            ("request from zero", 32 + 64, [0]),
            ("request without events", 32 + 72, [0]),
            ("request of too many events", 32 + 72, [101]),
            ("request of far too many events", 32 + 72, [0xFF, 0xFF, 0xFF, 0xFF]),
            ("requests out of order", 32 + 64, [51]),
            ("two requests of one sequence", 32 + 64, [50]),
            ("two sessions of one id", 332 + 2 + 1, [UInt8(ascii: "b")]),
            ("session longer than the file", 332, [100]),
        ] as [(String, Int, [UInt8])])
    func aWrongBodyWithARightChecksumIsFound(name: String, offset: Int, replacement: [UInt8]) {
        var body = Array(Self.sample.encoded().dropLast(4))
        body.replaceSubrange(offset..<offset + replacement.count, with: replacement)
        #expect(throws: FormatError.self) { try Self.read(Self.sealed(body)) }
    }

    @Test func bytesBehindTheLastSessionAreFound() {
        #expect(throws: FormatError.self) { try Self.read(Self.sealed(Self.sample.encoded().dropLast(4) + [0])) }
    }

    static func load(_ disk: SimulatedDisk, _ name: String = sample.name, _ log: LogID = log) throws -> CarryFile {
        try CarryFile.load(disk: disk, folder: folder, name: name, log: log)
    }

    @Test func aWrittenFileSurvivesAPowerLossOnceItsFolderIsSynchronized() throws {
        let disk = Sample.disk()
        try Self.sample.write(disk: disk, folder: Self.folder)
        try disk.synchronizeDirectory(Self.folder)
        for seed in 0..<20 as Range<UInt64> {
            #expect(try Self.load(disk.copy().reopen(seed: seed)) == Self.sample)
        }
    }

    @Test func aLeftoverOfAnUnpublishedSealingIsReplaced() throws {
        let disk = Sample.disk([Layout.path(Self.folder, Self.sample.name): [UInt8](repeating: 1, count: 10_000)])
        try Self.sample.write(disk: disk, folder: Self.folder)
        #expect(try Self.load(disk) == Self.sample)
    }

    @Test func theFileOfAnotherLogOrOfAnotherMomentIsRefused() throws {
        let otherName = FileKind.carry(sealedThrough: 101).name
        let disk = Sample.disk([
            Layout.path(Self.folder, Self.sample.name): Self.sample.encoded(),
            Layout.path(Self.folder, otherName): Self.sample.encoded(),
        ])
        for (name, log) in [(Self.sample.name, LogID(17)), (otherName, Self.log)] {
            let error = #expect(throws: CarryError.self) { try Self.load(disk, name, log) }
            guard case .corrupt(let corruption)? = error else {
                Issue.record("not corrupt but \(String(describing: error))")
                return
            }
            #expect(corruption.file == Layout.path(Self.folder, name))
        }
    }

    @Test func aMissingFileIsAnErrorOfTheDisk() {
        let error = #expect(throws: CarryError.self) { try Self.load(Sample.disk()) }
        guard case .disk(let cause)? = error else {
            Issue.record("not of the disk but \(String(describing: error))")
            return
        }
        #expect(cause.kind == .notFound)
    }
}
