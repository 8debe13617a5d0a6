import Benchmark
import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookSystem

/// The loops that decide what an event costs. One iteration does what its name says, once.
let benchmarks: @Sendable () -> Void = {
    // Times differ between machines and hours; allocations hardly do. So allocations have thresholds, in `Thresholds`. A
    // tenth is let pass, because tables of hashes grow a little differently each time.
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, allocations], maxDuration: .seconds(2), maxIterations: 100_000,
        thresholds: [allocations: .init(relative: [.p90: 10])])
    registerBytes()
    registerEvents()
    registerSegments()
    registerQueries()
    registerRollups()
    registerLimits()
    registerTokens()
}

private func registerBytes() {
    for (name, byteCount) in [("300-bytes", 300), ("64-kib", 64 << 10), ("1-mib", 1 << 20)] {
        let bytes = Samples.noise(byteCount)
        kernel("crc32c-\(name)") { blackHole(crc32c(bytes)) }
    }
    let encoding = Samples.encodings(1)[0]
    kernel("group-of-1-sealed") { blackHole(Samples.group([encoding])) }
    let encodings = Samples.encodings(1_000)
    kernel("group-of-1000-sealed") { blackHole(Samples.group(encodings)) }
    let record = Samples.group(encodings)
    kernel("group-of-1000-walked") { blackHole(try Samples.walk(record)) }
    kernel("journal-frame-header") {
        let frame = JournalFrame(
            kind: .group, payloadByteCount: 300, payloadChecksum: 1, position: 4_096, log: LogID(16),
            durablePosition: 0)
        var bytes: [UInt8] = []
        frame.append(to: &bytes, nonce: 7)
        blackHole(bytes.count)
    }
}

private func registerEvents() {
    let single = Samples.commandBody(1)
    kernel("parse-1-command") { Samples.parse(single, .commandExecution) }
    let batch = Samples.batchBody(eventCount: 1_000)
    kernel("parse-batch-of-1000") { Samples.parse(batch, .batch) }
    let encoding = Samples.encodings(1)[0]
    kernel("print-1-event") {
        var bytes: [UInt8] = []
        try Samples.print(encoding, into: &bytes)
        blackHole(bytes.count)
    }
}

private func registerSegments() {
    let encodings = Samples.encodings(65_536)
    kernel("encode-columns-65536") { blackHole(try Samples.columns(encodings)) }
    kernel("encode-segment-65536") { try Samples.writeSegment(encodings) }
    let selections: [(String, ColumnSelection)] = [
        ("times-names-durations", [.time, .name, .duration]), ("statuses-durations", [.status, .duration]),
        ("objects", .object), ("all", .all),
    ]
    for (name, selection) in selections {
        kernel(
            "decode-segment-65536-\(name)", prepare: { try Samples.writeSegment(encodings) },
            run: { _ in blackHole(try Samples.readSegment(selection)) })
    }
    kernel(
        "index-segment-65536", prepare: { try Samples.writeSegment(encodings) },
        run: { _ in blackHole(try Samples.buildIndex()) })
}

private func registerRollups() {
    let columns = Samples.rollupColumns(eventCount: 65_536)
    kernel("rollup-build-65536") { blackHole(Samples.rollup(columns)) }
    let bytes = Samples.rollup(columns)
    kernel("rollup-hours-p95") { blackHole(try Samples.hourlyPercentiles(bytes)) }
}
