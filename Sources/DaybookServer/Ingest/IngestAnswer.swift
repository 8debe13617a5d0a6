internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import NIOCore

/// What is the same in every answer to a stored request, as bytes.
enum AnswerPattern {
    static let created = Array("HTTP/1.1 201 Created\r\n".utf8)
    static let ok = Array("HTTP/1.1 200 OK\r\n".utf8)
    static let durable = Array("Daybook-Durability: durable\r\n\r\n".utf8)
    static let relaxed = Array("Daybook-Durability: relaxed\r\n\r\n".utf8)
    static let identifier = Array(#"{"success":true,"data":{"id":""#.utf8)
    static let createdAt = Array(#"","created_at":""#.utf8)
    static let sequence = Array(#"","sequence":"#.utf8)
    static let durableField = Array(#","durability":"durable""#.utf8)
    static let relaxedField = Array(#"","durability":"relaxed""#.utf8)
    static let droppedKeys = Array(#","dropped_keys":["#.utf8)
    /// Where there is no limit; its window starts anew with every answer.
    private static let withoutLimit = Array(
        #"},"rate_limit":{"limit":\#(RateStanding.unlimited),"remaining":\#(RateStanding.unlimited),"reset_time":""#
            .utf8)
    private static let endOfData = Array("},".utf8)
    static let performance = Array(#""},"performance":{"processing_latency_ms":"#.utf8)
    static let end = Array("}}".utf8)

    /// The end of the data, and the limit up to its time.
    static func append(_ rate: RateStanding?, at now: Timestamp, to bytes: inout [UInt8]) {
        if let rate {
            bytes.append(contentsOf: endOfData)
            rate.appendObjectStart(to: &bytes)
        } else {
            bytes.append(contentsOf: withoutLimit)
            TimestampText.append(now, to: &bytes)
        }
    }

    /// The same with the time copied from where it stands already.
    static func append(_ rate: RateStanding?, copying time: Range<Int>, to bytes: inout [UInt8]) {
        if let rate {
            bytes.append(contentsOf: endOfData)
            rate.appendObjectStart(to: &bytes)
        } else {
            bytes.append(contentsOf: withoutLimit)
            for index in time { bytes.append(bytes[index]) }
        }
    }
}

/// Where and when a request was stored, whatever way it came about.
private struct Stored {
    var isDurable: Bool
    var firstSequence: UInt64
    var lastSequence: UInt64
    var arrival: Timestamp
    /// Set when the events are those of an earlier request with the same idempotency key.
    var firstEvent: EventID?
    var isDuplicate: Bool { firstEvent != nil }
}

/// The answers to requests that were stored.
extension ConnectionHandler {
    /// Precondition: the outcome is not a refusal.
    func answerStored(_ outcome: CommitOutcome) {
        guard let current = ingest, let summary = current.summary else { return }
        let stored: Stored
        switch outcome {
        case .committed(let first, let last):
            stored = Stored(isDurable: true, firstSequence: first, lastSequence: last, arrival: current.arrival)
        case .relaxed:
            stored = Stored(isDurable: false, firstSequence: 0, lastSequence: 0, arrival: current.arrival)
        case .duplicate(let first, let eventCount, let arrival, let firstEvent):
            stored = Stored(
                isDurable: true, firstSequence: first, lastSequence: first + UInt64(eventCount) - 1, arrival: arrival,
                firstEvent: firstEvent)
        case .refused: return
        }
        let latency = environment.nanoseconds &- request.startedNanoseconds
        if environment.isDraining { request.keepsAlive = false }
        var body = loop.scratch
        loop.scratch = []
        body.removeAll(keepingCapacity: true)
        if current.isSingle {
            appendSingle(stored, summary, latency, to: &body)
        } else {
            appendBatch(stored, current, summary, latency, to: &body)
        }
        writeStored(body, isSingle: current.isSingle, isDurable: stored.isDurable)
        loop.scratch = body
        environment.counters.stored(
            eventCount: stored.isDuplicate ? 0 : UInt64(current.eventCount), nanoseconds: latency)
        finishRequest()
    }

    /// Head and body in one buffer and one write.
    func writeStored(_ body: [UInt8], isSingle: Bool, isDurable: Bool) {
        var head = loop.headScratch
        loop.headScratch = []
        head.removeAll(keepingCapacity: true)
        head.append(contentsOf: isSingle ? AnswerPattern.created : AnswerPattern.ok)
        appendCommonFields(to: &head, bodyByteCount: body.count)
        head.append(contentsOf: isDurable ? AnswerPattern.durable : AnswerPattern.relaxed)
        request.record?.answered(status: isSingle ? 201 : 200, byteCount: body.count)
        writeAnswer(head, body)
        loop.headScratch = head
    }

    private func appendSingle(
        _ stored: Stored, _ summary: EventParser.Summary, _ latency: UInt64, to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: AnswerPattern.identifier)
        if let session = summary.sessionID, !stored.isDuplicate || session != summary.firstID.description {
            bytes.append(contentsOf: session.utf8)
        } else {
            // A session that was given no name has that of its first event.
            (stored.firstEvent ?? summary.firstID).appendText(to: &bytes)
        }
        bytes.append(contentsOf: AnswerPattern.createdAt)
        let timeStart = bytes.count
        TimestampText.append(stored.arrival, to: &bytes)
        let time = timeStart..<bytes.count
        if stored.isDurable {
            bytes.append(contentsOf: AnswerPattern.sequence)
            bytes.append(decimal: stored.firstSequence)
            bytes.append(contentsOf: AnswerPattern.durableField)
        } else {
            bytes.append(contentsOf: AnswerPattern.relaxedField)
        }
        appendDroppedKeys(summary.droppedKeys, to: &bytes)
        AnswerPattern.append(request.rate, copying: time, to: &bytes)
        bytes.append(contentsOf: AnswerPattern.performance)
        bytes.append(millisecondsOf: latency)
        bytes.append(contentsOf: AnswerPattern.end)
    }

    private func appendBatch(
        _ stored: Stored, _ current: IngestRequest, _ summary: EventParser.Summary, _ latency: UInt64,
        to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: #"{"success":true,"data":{"#.utf8)
        appendCounts(FamilyCounts(summary), to: &bytes)
        if stored.isDurable {
            bytes.append(contentsOf: #","first_sequence":"#.utf8)
            bytes.append(decimal: stored.firstSequence)
            bytes.append(contentsOf: #","last_sequence":"#.utf8)
            bytes.append(decimal: stored.lastSequence)
        }
        bytes.append(contentsOf: #","created_at":""#.utf8)
        let timeStart = bytes.count
        TimestampText.append(stored.arrival, to: &bytes)
        let time = timeStart..<bytes.count
        bytes.append(contentsOf: #"","processing_time_ms":"#.utf8)
        bytes.append(millisecondsOf: latency)
        bytes.append(
            contentsOf: stored.isDurable ? AnswerPattern.durableField : Array(#","durability":"relaxed""#.utf8))
        appendDroppedKeys(summary.droppedKeys, to: &bytes)
        AnswerPattern.append(request.rate, copying: time, to: &bytes)
        appendBatchPerformance(eventCount: current.eventCount, latency, to: &bytes)
    }

    /// `ingestion_rate` is the events of this request for each second that it took.
    func appendBatchPerformance(eventCount: Int, _ latency: UInt64, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: AnswerPattern.performance)
        bytes.append(millisecondsOf: latency)
        bytes.append(contentsOf: #","ingestion_rate":"#.utf8)
        bytes.append(decimal: UInt64(eventCount) * 1_000_000_000 / max(latency, 1))
        bytes.append(contentsOf: AnswerPattern.end)
    }

    /// The four counts of a batch, in the order in which families are listed everywhere.
    func appendCounts(_ counts: FamilyCounts, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #""command_executions":"#.utf8)
        bytes.append(decimal: UInt64(counts.commandExecutions))
        bytes.append(contentsOf: #","agent_interactions":"#.utf8)
        bytes.append(decimal: UInt64(counts.agentInteractions))
        bytes.append(contentsOf: #","user_sessions":"#.utf8)
        bytes.append(decimal: UInt64(counts.userSessions))
        bytes.append(contentsOf: #","productivity_metrics":"#.utf8)
        bytes.append(decimal: UInt64(counts.productivityMetrics))
    }

    private func appendDroppedKeys(_ keys: [String], to bytes: inout [UInt8]) {
        guard !keys.isEmpty else { return }
        bytes.append(contentsOf: AnswerPattern.droppedKeys)
        for (position, key) in keys.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.append(key, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }
}
