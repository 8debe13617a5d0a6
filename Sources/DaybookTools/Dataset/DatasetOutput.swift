/// Writes a dataset as lines, to one sink for each organization.
package struct DatasetOutput {
    private let format: GeneratorFormat

    package init(format: GeneratorFormat) { self.format = format }

    /// - Parameters:
    ///   - sinks: one for each organization, in their order; the same one may stand there several times.
    ///   - progress: called with the number of events written so far.
    package func write(
        _ options: DatasetOptions, into sinks: [any OutputSink], progress: (Int) -> Void = { _ in }
    ) throws {
        precondition(sinks.count == options.organizationCount)
        var count = 0
        switch format {
        case .batches:
            var requests = DatasetRequests(options, batchEventCount: 1_000)
            var number = 0
            while let request = requests.next() {
                number += 1
                try sinks[request.organization].write(request.line(number: number, seed: options.seed))
                count += request.storedEventCount
                progress(count)
            }
        case .ndjson:
            var dataset = DatasetGenerator(options)
            var body: [UInt8] = []
            while let event = dataset.next() {
                body.removeAll(keepingCapacity: true)
                dataset.appendBody(of: event, to: &body)
                try sinks[event.organization].write(Self.line(event, body))
                count += event.storedEventCount
                progress(count)
            }
        }
    }

    /// A whole session has no line of an import; it stands there as the item of a batch that it is.
    private static func line(_ event: DatasetEvent, _ body: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(body.count + 40)
        let type =
            switch event.kind {
            case .commandExecution: "command_execution"
            case .agentInteraction: "agent_interaction"
            case .productivityMetric: "productivity_metric"
            case .userSession: "user_session"
            }
        line.append(text: "{\"type\":\"\(type)\",")
        line.append(contentsOf: body.dropFirst())
        line.append(UInt8(ascii: "\n"))
        return line
    }
}
