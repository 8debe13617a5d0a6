internal import DaybookSystem

/// In which form made-up events are written.
package enum GeneratorFormat: String, CaseIterable, Sendable {
    case ndjson, batches
}

/// Writes made-up events: to standard output, or into a directory with one file for each organization.
package struct GeneratorOutput {
    private let format: GeneratorFormat
    private let directory: String?

    /// - Parameter directory: nil for standard output. It is made if it is missing.
    package init(format: GeneratorFormat, directory: String?) {
        self.format = format
        self.directory = directory
    }

    /// - Parameter progress: called with the number of events written so far.
    package func write(_ options: GeneratorOptions, progress: (Int) -> Void = { _ in }) throws {
        let sinks = try makeSinks(options.organizationCount)
        try generate(options, into: sinks, progress: progress)
        // Standard output stands there once for all organizations.
        for sink in directory == nil ? Array(sinks.prefix(1)) : sinks { try sink.finish() }
    }

    /// - Parameter sinks: one for each organization, in their order; the same one may stand there several times.
    package func generate(
        _ options: GeneratorOptions, into sinks: [any OutputSink], progress: (Int) -> Void = { _ in }
    ) throws {
        precondition(sinks.count == options.organizationCount)
        var count = 0
        switch format {
        case .ndjson:
            var options = options
            options.wholeSessions = false
            var events = EventGenerator(options)
            while let event = events.next() {
                try sinks[event.organization].write(event.importLine())
                count += 1
                progress(count)
            }
        case .batches:
            var requests = RequestGenerator(options)
            while let request = requests.next() {
                try sinks[request.organization].write(request.line())
                count += request.eventCount
                progress(count)
            }
        }
    }

    private func makeSinks(_ organizationCount: Int) throws -> [any OutputSink] {
        try Self.sinks(directory: directory, organizationCount: organizationCount)
    }

    /// Standard output for each organization, or a new file for each in a directory that is made if it is missing.
    package static func sinks(directory: String?, organizationCount: Int) throws -> [any OutputSink] {
        guard let directory else {
            return Array(repeating: StandardOutputSink(), count: organizationCount)
        }
        do {
            _ = try PosixDisk(creatingRoot: directory)
        } catch {
            throw ToolError(
                "The directory \(directory) cannot be made: \(error).",
                cure: "Give --output a directory whose parent exists, or - for standard output.")
        }
        return try (0..<organizationCount).map { index in
            try FileSink(path: "\(directory)/\(EventGenerator.organizationName(index)).ndjson")
        }
    }
}
