import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookRollup
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// A store of two organizations on a simulated disk, stepped by the test. Both know a user of the same name, whose every
/// text carries the mark.
final class ErasingStore {
    static let acme = OrganizationID("acme")!
    static let umbrella = OrganizationID("umbrella")!
    static let log = LogID(16)
    static let otherLog = LogID(17)
    static let mark = "zqx7"
    static let user = "zqx7-user"
    static let idempotencyKey = "zqx7-key"

    static let options = {
        var options = StoreOptions()
        options.journalFileByteCount = 32 << 10
        options.logFileByteCount = 6 << 10
        options.checkpointByteCount = 24 << 10
        options.sealRowCountMin = 1
        options.compaction.mergesRanges = false
        return options
    }()

    private(set) var disk: SimulatedDisk
    private(set) var store: Store
    let clock: ManualClock
    let entropy: SeededEntropy
    private let sink = CollectingSink()
    private var ticket: UInt64 = 0

    init(_ options: StoreOptions = options) throws {
        disk = SimulatedDisk(seed: 1)
        clock = ManualClock()
        entropy = SeededEntropy(seed: 9)
        try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: options)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: options)
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        try act([
            .organizationCreated(Self.acme, log: Self.log, at: now),
            .organizationCreated(Self.umbrella, log: Self.otherLog, at: now),
            key("k-user", Self.acme, user: Self.user), key("k-bob", Self.acme, user: "bob"),
            key("k-umbrella", Self.umbrella, user: "bob"),
        ])
    }

    /// Another life of the store, on the disk as it is or after a power loss.
    init(on disk: SimulatedDisk, wallMicroseconds: Int64) throws {
        self.disk = disk
        clock = ManualClock(wallMicroseconds: wallMicroseconds)
        entropy = SeededEntropy(seed: 11)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 3), options: Self.options)
    }

    private func key(_ id: String, _ organization: OrganizationID, user: String) -> ControlEvent {
        .keyCreated(
            KeyRecord(
                keyID: id, organization: organization, name: "laptop of \(user)",
                hash: [UInt8](repeating: 5, count: 32), scopes: ["ingest"], user: user,
                createdAt: Timestamp(microseconds: clock.wallMicroseconds()), expiresAt: nil))
    }

    /// What an organization says of the user in the control log: a record in a team, a grant of the user's key, and
    /// entries of the trail about both. Dead letters name sequences and files, and would keep the files from being sealed.
    func plantMember() throws {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let team = TeamRecord(organization: Self.acme, team: "platform", name: "Platform")
        let record = UserRecord(
            recordID: "usr_1", organization: Self.acme, user: Self.user, name: "\(Self.mark) of Example",
            role: "developer", team: "platform")
        try act([
            .members(.teamSet(team, at: now)), .members(.userSet(record, at: now)),
            .token(.grantBegun(id: 7, keyID: "k-user", endsAt: now.adding(microseconds: 1 << 40)), at: now),
            .audited(
                AuditRecord(
                    at: now, organization: Self.acme, actor: .key("k-bob"), action: "user.set", target: "usr_1",
                    route: "PUT /api/v1/users/{}")),
            .audited(
                AuditRecord(
                    at: now, organization: Self.acme, actor: .key("k-user"), action: "event.read",
                    outcome: .forbidden, count: 4)),
        ])
    }

    // MARK: - Events

    @discardableResult
    func commit(_ group: GroupBuilder) -> CommitOutcome {
        ticket += 1
        store.submit(Submission(group: group, sink: sink, ticket: ticket))
        while store.machine.stepCommitter() == .committed {}
        return sink.outcome(ticket)
    }

    func act(_ acts: [ControlEvent]) throws {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        guard case .committed(let firstSequence, _) = commit(ControlEvent.group(of: acts, at: now)) else {
            throw SmallStoreFailure.refused
        }
        store.take(acts, from: firstSequence)
    }

    /// Not hashed here, so that it can be found wherever it stands.
    static func hash(_ key: String) -> IdempotencyHash {
        IdempotencyHash(bytes: Array((key.utf8 + Array(repeating: 0, count: 32)).prefix(32)))!
    }

    /// Bodies as they come over HTTP, in one group. Precondition: the parser accepts them.
    @discardableResult
    func send(_ bodies: [(String, EventParser.Kind)], key: String? = nil, to log: LogID = log) -> CommitOutcome {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        var group = GroupBuilder(
            log: log, arrival: now, keyHash: key.map(Self.hash), bodyHash: key.map { Self.hash("body of " + $0) })
        for (index, (body, kind)) in bodies.enumerated() {
            let words = (ticket + 1, UInt64(index))
            let context = EventParser.Context(
                arrival: now, organization: Self.acme, defaultUser: Array("owner".utf8), mayNameAnyUser: true,
                randomness: { words })
            let result = Array(body.utf8).withRawSpan {
                EventParser.parse($0, kind: kind, context: context, into: &group)
            }
            guard case .accepted = result else { fatalError("\(result)") }
        }
        return commit(group)
    }

    static func command(_ user: String, _ text: String = "plain") -> (String, EventParser.Kind) {
        (
            """
            {"command_name":"build-\(text)","execution_time_ms":12.5,"status":"error","user_id":"\(user)",\
            "session_id":"\(text)-session","error_message":"no such thing: \(text)-error",\
            "command_args":{"\(text)_flag":true},"context":{"project":"\(text)-project","deep":{"\(text)":1}}}
            """, .commandExecution
        )
    }

    static func agent(_ user: String, _ text: String = "plain") -> (String, EventParser.Kind) {
        (
            """
            {"agent_name":"agent-\(text)","interaction_type":"tool_call","input_tokens":3,"output_tokens":4,\
            "processing_time_ms":7,"success":true,"user_id":"\(user)","metadata":{"note":"\(text)-note"}}
            """, .agentInteraction
        )
    }

    static func metric(_ user: String, _ text: String = "plain") -> (String, EventParser.Kind) {
        (
            """
            {"metric_type":"completion_rate","value":8.5,"unit":"tasks","user_id":"\(user)",\
            "dimensions":{"team":"\(text)-dimension"}}
            """, .productivityMetric
        )
    }

    static func session(_ user: String, _ id: String) -> (String, EventParser.Kind) {
        (#"{"session_id":"\#(id)","user_id":"\#(user)","context":{"place":"\#(id)-place"}}"#, .sessionStart)
    }

    /// Two rounds of events of everybody in both organizations: four families, alone and among others in one group.
    func fill(_ round: Int, logs: [LogID] = [log, otherLog]) {
        for log in logs {
            for number in 0..<4 {
                send([Self.command("bob"), Self.agent("carol"), Self.metric("bob")], to: log)
                send([Self.command(Self.user, "\(Self.mark)-\(number)"), Self.agent(Self.user, Self.mark)], to: log)
                send([Self.command("bob"), Self.metric(Self.user, Self.mark), Self.command("carol")], to: log)
            }
            send([Self.session(Self.user, "\(Self.mark)-session-\(round)")], to: log)
            send([Self.session("bob", "bobs-session-\(round)")], to: log)
            send([Self.command(Self.user, Self.mark)], key: "\(Self.idempotencyKey)-\(round)", to: log)
            send([Self.command("bob")], key: "bobs-key-\(round)", to: log)
            clock.advance(seconds: 1)
        }
    }

    /// So many events of the user alone that they pay for rollups with the user's name, and for columns of the
    /// attributes that only the user has.
    func fillRollups() {
        let body =
            """
            {"command_name":"\(Self.mark)","execution_time_ms":1,"status":"success","user_id":"\(Self.user)",\
            "command_args":{"\(Self.mark)_flag":true}}
            """
        for _ in 0..<5 {
            for log in [Self.log, Self.otherLog] {
                send(Array(repeating: (body, .commandExecution), count: 40), to: log)
                checkpoint()
            }
        }
        seal()
    }

    /// Events of the user that have expired and gone, in both organizations: only their sums are left.
    func fillHistory() {
        fill(9)
        checkpoint()
        seal()
        clock.advance(seconds: 120 * 86_400)
        for log in [Self.log, Self.otherLog] { store.shared.maintenance.addPatrolled(log) }
        for _ in 0..<400 { step() }
    }

    /// Events of the user in segments, in log files, in memory and in the journal.
    func fillEveryPlace() {
        fill(0)
        checkpoint()
        seal()
        fill(1)
        checkpoint()
        fill(2)
    }

    // MARK: - Work behind

    func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    func seal() {
        for log in [Self.log, Self.otherLog] {
            store.shared.maintenance.addToRoll(log)
        }
        while store.machine.stepCheckpointer() {}
        while store.machine.stepSealer() {}
    }

    @discardableResult
    func begin(_ user: String = user, _ organization: OrganizationID = acme) throws -> ErasureRecord {
        let (record, acts) = try store.erasureActs(of: user, in: organization, entropy: entropy)
        if !acts.isEmpty { try act(acts) }
        return record
    }

    /// Steps everything until nothing is left to be erased. False when it does not come to that.
    @discardableResult
    func work(stepCountMax: Int = 5_000) -> Bool {
        for _ in 0..<stepCountMax {
            guard store.shared.erasures.hasWork else { return true }
            guard !disk.isCrashed else { return false }
            step()
        }
        return false
    }

    func step() {
        _ = store.machine.stepCommitter()
        for _ in 0..<4 { _ = store.machine.stepCheckpointer() }
        _ = store.machine.stepSealer()
        if case .resting(let nanoseconds) = store.machine.stepCompactor() {
            clock.advance(microseconds: nanoseconds / 1_000 + 1)
        }
    }

    // MARK: - Looking

    func events(of log: LogID = log) throws -> [UInt64: [UInt8]] { try SteppedStore.events(store.snapshot(of: log)) }

    /// Sequences of a user's events.
    static func sequences(of user: String, in events: [UInt64: [UInt8]], _ families: [UInt64: Family]) -> Set<UInt64> {
        Set(
            events.keys.filter { sequence in
                guard let family = families[sequence], let encoding = events[sequence] else { return false }
                return encoding.withRawSpan { (bytes: RawSpan) in
                    guard let fields = try? EventFields(family: family, schemaVersion: 1, reading: bytes) else {
                        return false
                    }
                    return bytes.toArray(fields.user) == Array(user.utf8)
                }
            })
    }

    func families(of log: LogID = log) throws -> [UInt64: Family] {
        let snapshot = try store.snapshot(of: log)
        var families: [UInt64: Family] = [:]
        for reference in snapshot.segments {
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                for sequence in try segment.read(rowGroup: rowGroup, [.sequence]).sequences {
                    families[sequence] = reference.family
                }
            }
        }
        try snapshot.forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) { families[entry.sequence] = entry.family }
            return true
        }
        return families
    }

    func certificate(_ id: UInt64) throws -> ParsedJSON {
        try ParsedJSON(parsing: try #require(try store.erasureCertificate(id)))
    }
}

/// Where bytes are found on a disk, as they are and decoded.
enum ErasureSearch {
    /// Files in which the mark stands, in raw bytes or in what they hold.
    /// - Parameter folder: of the other organization, which is left out.
    static func found(on image: DiskImage, but folder: String) throws -> [String] {
        let disk = SimulatedDisk(recovering: image)
        let needle = Array(ErasingStore.mark.utf8)
        var found: [String] = []
        for (path, bytes) in image.files.sorted(by: { $0.key < $1.key }) where !path.hasPrefix(folder + "/") {
            var texts = [bytes]
            // What only looks like a segment has no rows.
            if path.hasSuffix(".dbs"), bytes.starts(with: Array("DDBS".utf8)) { texts += try rows(disk, path) }
            if path.hasSuffix(".dbr") || path.hasSuffix(".dba") { texts += try keys(bytes) }
            if texts.contains(where: { contains($0, needle) }) { found.append(path) }
        }
        return found
    }

    /// Every event of a segment, every dictionary, every path of an attribute and what its values are made of.
    private static func rows(_ disk: SimulatedDisk, _ path: String) throws -> [[UInt8]] {
        let reader = try SegmentReader.open(disk: disk, path: path)
        var texts = reader.attributes.flatMap(\.name.keys)
        for rowGroup in 0..<reader.rowGroupCount {
            let batch = try reader.read(rowGroup: rowGroup, .all)
            for row in 0..<batch.rowCount {
                var encoding: [UInt8] = []
                batch.appendEncoding(row: row, to: &encoding)
                texts.append(encoding)
            }
            for table in [batch.users, batch.names, batch.sessions, batch.kinds, batch.teams] {
                if let table { texts.append(table.table.bytes) }
            }
            let names = try reader.attributeColumns(rowGroup: rowGroup).map(\.attribute.name)
            let found = try reader.readAttributes(rowGroup: rowGroup, rows: 0..<batch.rowCount, names)
            for column in found.columns {
                switch column.values {
                case .codes(let codes): texts.append(codes.table.bytes)
                case .strings(let strings): texts += (0..<batch.rowCount).compactMap { strings[$0] }
                case .none, .signed, .unsigned, .numbers, .booleans: continue
                }
            }
            for rest in [found.objectRest, found.argumentsRest] {
                if let rest { texts += (0..<batch.rowCount).compactMap { rest[$0] } }
            }
        }
        return texts
    }

    /// Every name and user that rollups have rows of.
    private static func keys(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let file = try RollupFile(bytes)
        return [file.names, file.users].flatMap { dictionary in
            (0..<UInt32(dictionary.count)).map { Array(dictionary.bytes(of: $0)) }
        }
    }

    static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard let first = needle.first, bytes.count >= needle.count else { return false }
        for start in 0...bytes.count - needle.count where bytes[start] == first {
            if bytes[start..<start + needle.count].elementsEqual(needle) { return true }
        }
        return false
    }
}
