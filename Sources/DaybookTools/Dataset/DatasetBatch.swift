internal import DaybookFormat

/// The events of one organization that wait for their request to be full.
struct DatasetBatch: Sendable {
    /// One for each kind, items parted by commas.
    private var sections = [[UInt8]](repeating: [], count: DatasetEvent.Kind.allCases.count)
    /// Events that the store makes of them.
    private(set) var storedEventCount = 0
    /// Items of the request.
    private(set) var itemCount = 0

    var isEmpty: Bool { itemCount == 0 }

    /// Writes an event that was just drawn from `dataset`.
    mutating func append(_ event: DatasetEvent, from dataset: inout DatasetGenerator) {
        let section = event.kind.rawValue
        if !sections[section].isEmpty { sections[section].append(UInt8(ascii: ",")) }
        dataset.appendBody(of: event, to: &sections[section])
        storedEventCount += event.storedEventCount
        itemCount += 1
    }

    /// The body of the request. The batch is empty afterwards and keeps its memory.
    mutating func take() -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(sections.reduce(160) { $0 + $1.count })
        var separator = UInt8(ascii: "{")
        for kind in DatasetEvent.Kind.allCases where !sections[kind.rawValue].isEmpty {
            body.append(separator)
            separator = UInt8(ascii: ",")
            body.append(text: "\"\(kind.batchKey)\":[")
            body.append(contentsOf: sections[kind.rawValue])
            body.append(UInt8(ascii: "]"))
            sections[kind.rawValue].removeAll(keepingCapacity: true)
        }
        body.append(UInt8(ascii: "}"))
        storedEventCount = 0
        itemCount = 0
        return body
    }
}

/// The dataset as requests of up to `batchEventCount` events, each of one organization.
package struct DatasetRequests: Sendable {
    package struct Request: Sendable, Equatable {
        package var organization: Int
        /// Events that the store makes of it.
        package var storedEventCount: Int
        package var body: [UInt8]
    }

    private var dataset: DatasetGenerator
    private var batches: [DatasetBatch]
    private let batchEventCount: Int
    private var flushed = 0

    /// Precondition: from 2 to 1,000 events a request.
    package init(_ options: DatasetOptions, batchEventCount: Int) {
        precondition((2...Limits.batchEventCountMax).contains(batchEventCount))
        dataset = DatasetGenerator(options)
        batches = Array(repeating: DatasetBatch(), count: options.organizationCount)
        self.batchEventCount = batchEventCount
    }

    /// The next request that is full; after the last event those that are not; then nil.
    package mutating func next() -> Request? {
        while let event = dataset.next() {
            let organization = event.organization
            batches[organization].append(event, from: &dataset)
            // A session may bring two.
            if batches[organization].storedEventCount >= batchEventCount - 1 { return take(organization) }
        }
        while flushed < batches.count {
            flushed += 1
            if !batches[flushed - 1].isEmpty { return take(flushed - 1) }
        }
        return nil
    }

    private mutating func take(_ organization: Int) -> Request {
        let count = batches[organization].storedEventCount
        return Request(organization: organization, storedEventCount: count, body: batches[organization].take())
    }
}

extension DatasetRequests.Request {
    /// One line of a request file, in the form of `GeneratedRequest.line()`.
    package func line(number: Int, seed: UInt64) -> [UInt8] {
        GeneratedRequest(
            organization: organization, method: "POST", path: "/api/v1/metrics/batch",
            idempotencyKey: "dataset-\(seed)-\(number)", eventCount: storedEventCount, body: body
        ).line()
    }
}
