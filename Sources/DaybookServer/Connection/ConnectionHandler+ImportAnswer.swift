internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import NIOCore

/// The answers to imports: one object at the end, or, for a client that accepts newline-delimited JSON, a line for each
/// bad line and each chunk while the import goes on, and that object as the last line.
extension ConnectionHandler {
    func answerImport() {
        guard let stream = importStream else { return }
        let latency = environment.nanoseconds &- request.startedNanoseconds
        if environment.isDraining { request.keepsAlive = false }
        let totals = stream.totals
        var body = Array(#"{"success":true,"data":{"#.utf8)
        totals.appendCounts(to: &body)
        body.append(UInt8(ascii: ","))
        appendCounts(totals.counts, to: &body)
        if let first = totals.firstSequence {
            body.append(contentsOf: #","first_sequence":"#.utf8)
            body.append(decimal: first)
            body.append(contentsOf: #","last_sequence":"#.utf8)
            body.append(decimal: totals.lastSequence)
        }
        body.append(UInt8(ascii: ","))
        totals.appendLists(to: &body)
        body.append(contentsOf: #","processing_time_ms":"#.utf8)
        body.append(millisecondsOf: latency)
        body.append(contentsOf: #","durability":"\#(stream.rules.isRelaxed ? "relaxed" : "durable")""#.utf8)
        AnswerPattern.append(request.rate, at: environment.now, to: &body)
        appendBatchPerformance(eventCount: Int(totals.storedEventCount), latency, to: &body)
        environment.counters.stored(eventCount: totals.storedEventCount, nanoseconds: latency)
        if stream.answersInLines {
            endLines(body, status: 200)
        } else {
            writeStored(body, isSingle: false, isDurable: !stream.rules.isRelaxed)
        }
        finishRequest()
    }

    /// Tells a client that wants to hear of it what became of the chunk that has ended last.
    func tellOfChunk() {
        guard let stream = importStream, stream.answersInLines else { return }
        var lines: [UInt8] = []
        for rejection in stream.lastRejections {
            lines.append(contentsOf: #"{"rejected":"#.utf8)
            rejection.append(to: &lines)
            lines.append(contentsOf: "}\n".utf8)
        }
        lines.append(contentsOf: #"{"progress":{"#.utf8)
        stream.totals.appendCounts(to: &lines)
        lines.append(contentsOf: "}}\n".utf8)
        write(lines: lines, andEnd: false)
    }

    /// Ends with an error an answer that has begun well: its status is out already.
    func endImportAnswer(_ failure: ErrorResponse) {
        let latency = environment.nanoseconds &- request.startedNanoseconds
        environment.counters.answered(status: failure.status)
        request.keepsAlive = false
        endLines(failure.body(requestID: request.id.text, latencyNanoseconds: latency), status: failure.status)
        finishRequest()
    }

    private func endLines(_ body: [UInt8], status: Int) {
        write(lines: body + [UInt8(ascii: "\n")], andEnd: true)
        request.record?.ended(status: status)
    }

    /// Lines of a body whose length nobody knows, after the head if that is not out yet.
    private func write(lines: [UInt8], andEnd isLast: Bool) {
        guard let stream = importStream else { return }
        var head: [UInt8] = []
        if !stream.hasStartedAnswer {
            importStream?.hasStartedAnswer = true
            head = Array("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson".utf8)
            if sendsChunks { head.append(contentsOf: "\r\nTransfer-Encoding: chunked".utf8) }
            appendRequestFields(to: &head)
            head.append(contentsOf: stream.rules.isRelaxed ? AnswerPattern.relaxed : AnswerPattern.durable)
        }
        request.record?.sent(lines.count)
        writePart(head, lines, isLast: isLast)
    }
}
