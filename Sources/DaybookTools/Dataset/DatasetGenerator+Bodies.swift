internal import DaybookEvent
internal import DaybookFormat

extension DatasetGenerator {
    /// Appends the event as a JSON object, valid as the body of its kind's own route and as an item of a batch.
    package mutating func appendBody(of event: DatasetEvent, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        if event.kind != .userSession, random.below(100) < options.clientIDPercent {
            bytes.append(text: #""id":""#)
            // RFC 9562 version 4: random but for the version and the variant.
            let id = EventID(
                high: random.next() & ~0xF000 | 0x4000, low: random.next() >> 2 | 0x8000_0000_0000_0000)
            id.appendText(to: &bytes)
            bytes.append(text: #"","#)
        }
        bytes.append(text: #""user_id":""#)
        bytes.append(contentsOf: organizations[event.organization].users[event.user].id)
        bytes.append(text: #"","#)
        switch event.kind {
        case .commandExecution: appendCommand(event, to: &bytes)
        case .agentInteraction: appendAgent(event, to: &bytes)
        case .productivityMetric: appendMetric(event, to: &bytes)
        case .userSession: appendSession(event, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    // MARK: - Commands and agents

    private mutating func appendCommand(_ event: DatasetEvent, to bytes: inout [UInt8]) {
        let command = skewed(DatasetTexts.commands.count)
        bytes.append(text: #""command_name":""#)
        bytes.append(contentsOf: DatasetTexts.commands[command])
        bytes.append(text: #"","execution_time_ms":"#)
        let status = status()
        // Commands differ in how long they take, each over five octaves.
        bytes.append(thousandths: duration(status, firstOctave: 12 + command % 7))
        append(status, to: &bytes)
        bytes.append(text: #","command_args":{"path":""#)
        let organization = event.organization
        let file = skewed(organizations[organization].files.count)
        bytes.append(contentsOf: organizations[organization].files[file])
        bytes.append(contentsOf: DatasetTexts.endings[file % DatasetTexts.endings.count])
        bytes.append(text: #"","lines":"#)
        bytes.append(decimal: UInt64(random.below(random.below(4_000) + 1)))
        bytes.append(text: random.below(16) == 0 ? #","dry_run":true},"context":"# : #","dry_run":false},"context":"#)
        bytes.append(contentsOf: organizations[organization].users[event.user].sitting.context)
        bytes.append(text: #","turn":"#)
        bytes.append(decimal: UInt64(organizations[organization].users[event.user].sitting.eventCount))
        bytes.append(text: #"},"timestamp":""#)
        bytes.append(milliseconds: event.timestamp)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendAgent(_ event: DatasetEvent, to bytes: inout [UInt8]) {
        let agent = skewed(DatasetTexts.agents.count)
        bytes.append(text: #""agent_name":""#)
        bytes.append(contentsOf: DatasetTexts.agents[agent])
        bytes.append(text: #"","interaction_type":""#)
        bytes.append(contentsOf: DatasetTexts.interactions[skewed(DatasetTexts.interactions.count)])
        bytes.append(text: #"","input_tokens":"#)
        bytes.append(decimal: UInt64(random.microseconds(octaves: 7...17)))
        bytes.append(text: #","output_tokens":"#)
        bytes.append(decimal: UInt64(random.microseconds(octaves: 5...13)))
        bytes.append(text: #","processing_time_ms":"#)
        let status = status()
        bytes.append(thousandths: duration(status, firstOctave: 17 + agent % 5))
        append(status, to: &bytes)
        bytes.append(text: #","metadata":"#)
        bytes.append(contentsOf: organizations[event.organization].users[event.user].sitting.metadata)
        bytes.append(text: #","task":""#)
        bytes.append(contentsOf: DatasetTexts.tasks[skewed(DatasetTexts.tasks.count)])
        bytes.append(text: #"","complexity_score":"#)
        bytes.append(decimal: UInt64(random.within(1...9)))
        bytes.append(text: random.below(8) == 0 ? #".5,"cached_tokens":"# : #","cached_tokens":"#)
        bytes.append(decimal: UInt64(random.below(64)) * 1_024)
        bytes.append(text: #","turn":"#)
        bytes.append(decimal: UInt64(organizations[event.organization].users[event.user].sitting.eventCount))
        bytes.append(text: #"},"timestamp":""#)
        bytes.append(milliseconds: event.timestamp)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func status() -> Int {
        switch random.below(1_000) {
        case 0..<920: 0
        case 920..<975: 1
        case 975..<990: 2
        default: 3
        }
    }

    /// Microseconds. What timed out took two minutes.
    private mutating func duration(_ status: Int, firstOctave: Int) -> UInt64 {
        if status == 2 { return 120_000_000 + UInt64(random.below(1_000)) }
        return UInt64(random.microseconds(octaves: firstOctave...firstOctave + 4))
    }

    private mutating func append(_ status: Int, to bytes: inout [UInt8]) {
        bytes.append(text: #","status":""#)
        bytes.append(contentsOf: DatasetTexts.statuses[status])
        bytes.append(UInt8(ascii: "\""))
        guard status == 1 || status == 2 else { return }
        bytes.append(text: #","error_message":""#)
        bytes.append(contentsOf: DatasetTexts.errors[skewed(DatasetTexts.errors.count)])
        bytes.append(decimal: UInt64(random.below(2_000)))
        bytes.append(UInt8(ascii: "\""))
    }

    /// The product of two draws leans to the front of a list, as a few commands do most of the work.
    private mutating func skewed(_ count: Int) -> Int { random.below(random.below(count) + 1) }

    // MARK: - Metrics and sessions

    private mutating func appendMetric(_ event: DatasetEvent, to bytes: inout [UInt8]) {
        let metric = random.below(DatasetTexts.metrics.count)
        bytes.append(text: #""metric_type":""#)
        bytes.append(contentsOf: DatasetTexts.metrics[metric].type)
        bytes.append(text: #"","value":"#)
        bytes.append(thousandths: UInt64(random.below(10_000)) * 10)
        bytes.append(text: #","unit":""#)
        bytes.append(contentsOf: DatasetTexts.metrics[metric].unit)
        let hour: Int64 = 3_600_000_000
        let periodEnd = event.timestamp.microseconds / hour * hour
        bytes.append(text: #"","period_start":""#)
        bytes.append(milliseconds: Timestamp(microseconds: periodEnd - hour))
        bytes.append(text: #"","period_end":""#)
        bytes.append(milliseconds: Timestamp(microseconds: periodEnd))
        bytes.append(text: #"","dimensions":{"project":""#)
        let project = organizations[event.organization].users[event.user].sitting.project
        bytes.append(contentsOf: organizations[event.organization].projects[project])
        bytes.append(text: #"","sprint":"#)
        bytes.append(decimal: UInt64(event.timestamp.microseconds / (14 * 24 * hour) % 26 + 1))
        bytes.append(text: #"},"timestamp":""#)
        bytes.append(milliseconds: event.timestamp)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendSession(_ event: DatasetEvent, to bytes: inout [UInt8]) {
        bytes.append(text: #""id":"ses_"#)
        for _ in 0..<2 { bytes.append(hex: UInt32(truncatingIfNeeded: random.next())) }
        let sitting = organizations[event.organization].users[event.user].sitting
        let length = Int64(random.within(5...120)) * 60_000_000
        bytes.append(text: #"","session_start":""#)
        bytes.append(milliseconds: event.timestamp.adding(microseconds: -length))
        bytes.append(text: #"","session_end":""#)
        bytes.append(milliseconds: event.timestamp)
        bytes.append(text: #"","commands_executed":"#)
        bytes.append(decimal: UInt64(random.below(200)))
        bytes.append(text: #","agents_used":[""#)
        bytes.append(contentsOf: DatasetTexts.agents[skewed(DatasetTexts.agents.count)])
        bytes.append(text: #""],"productivity_score":"#)
        bytes.append(decimal: UInt64(random.within(20...100)))
        bytes.append(text: #","context":"#)
        bytes.append(contentsOf: sitting.context)
        bytes.append(text: random.below(8) == 0 ? #"},"status":"abandoned""# : #"},"status":"completed""#)
    }
}

/// The words of the dataset as bytes, made once.
enum DatasetTexts {
    static let commands = GeneratorVocabulary.commands.map { Array($0.utf8) }
    static let agents = GeneratorVocabulary.agents.map { Array($0.utf8) }
    static let interactions = GeneratorVocabulary.interactions.map { Array($0.utf8) }
    static let tasks = GeneratorVocabulary.tasks.map { Array($0.utf8) }
    static let endings = DatasetVocabulary.endings.map { Array($0.utf8) }
    static let statuses = ["success", "error", "timeout", "cancelled"].map { Array($0.utf8) }
    static let metrics = GeneratorVocabulary.units.map { (type: Array($0.metric.utf8), unit: Array($0.unit.utf8)) }
    static let errors = [
        "TypeError: Cannot read properties of undefined, line ", "error: cannot find 'payload' in scope, line ",
        "Tests failed: AuthTests.testRefresh and others: ", "ECONNREFUSED 127.0.0.1:5432, attempt ",
        "permission denied while writing the cache, entry ", "Timed out while waiting for the model, request ",
        "SyntaxError: unexpected token at column ", "push rejected, commits behind origin: ",
    ].map { Array($0.utf8) }
}

extension [UInt8] {
    mutating func append(text: String) { append(contentsOf: text.utf8) }

    mutating func append(decimal value: UInt64) {
        guard value >= 10 else {
            append(UInt8(ascii: "0") + UInt8(value))
            return
        }
        let start = count
        var rest = value
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            append(UInt8(ascii: "0") + UInt8(digit))
            rest = quotient
        }
        self[start...].reverse()
    }

    /// `value / 1000` with its trailing zeroes left out.
    mutating func append(thousandths value: UInt64) {
        append(decimal: value / 1_000)
        let rest = value % 1_000
        guard rest > 0 else { return }
        append(UInt8(ascii: "."))
        append(UInt8(ascii: "0") + UInt8(rest / 100))
        guard rest % 100 > 0 else { return }
        append(UInt8(ascii: "0") + UInt8(rest / 10 % 10))
        if rest % 10 > 0 { append(UInt8(ascii: "0") + UInt8(rest % 10)) }
    }

    mutating func append(hex value: UInt32) {
        for position in 0..<8 {
            append(hexDigit(UInt8(truncatingIfNeeded: value >> UInt32(28 - 4 * position)) & 15))
        }
    }

    /// RFC 3339 in UTC with three decimals. Precondition: whole milliseconds.
    mutating func append(milliseconds time: Timestamp) {
        TimestampText.append(time, to: &self)
        removeLast(4)
        append(UInt8(ascii: "Z"))
    }
}
