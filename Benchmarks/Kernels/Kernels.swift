import Benchmark
import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookSystem

/// The loops that decide what an event costs. One iteration does what its name says, once.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock], maxDuration: .seconds(2), maxIterations: 100_000)
    registerBytes()
    registerEvents()
    registerSegments()
    registerRollups()
}

private func registerBytes() {
    for byteCount in [300, 64 << 10, 1 << 20] {
        let bytes = Samples.noise(byteCount)
        Benchmark("crc32c of \(byteCount) bytes") { benchmark in
            for _ in benchmark.scaledIterations { blackHole(crc32c(bytes)) }
        }
    }

    let encoding = Samples.encodings(1)[0]
    Benchmark("group record of 1 event, encoded and sealed") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(Samples.group([encoding])) }
    }
    let encodings = Samples.encodings(1_000)
    Benchmark("group record of 1,000 events, encoded and sealed") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(Samples.group(encodings)) }
    }
    let record = Samples.group(encodings)
    Benchmark("group record of 1,000 events, verified and walked") { benchmark in
        for _ in benchmark.scaledIterations {
            blackHole(try Samples.walk(record))
        }
    }
    Benchmark("journal frame header, encoded") { benchmark in
        let frame = JournalFrame(
            kind: .group, payloadByteCount: 300, payloadChecksum: 1, position: 4_096, log: LogID(16),
            durablePosition: 0)
        var bytes: [UInt8] = []
        for _ in benchmark.scaledIterations {
            bytes.removeAll(keepingCapacity: true)
            frame.append(to: &bytes, nonce: 7)
            blackHole(bytes.count)
        }
    }
}

private func registerEvents() {
    let single = Samples.commandBody(1)
    Benchmark("parse of a single command execution") { benchmark in
        for _ in benchmark.scaledIterations { Samples.parse(single, .commandExecution) }
    }
    let batch = Samples.batchBody(eventCount: 1_000)
    Benchmark("parse of a batch of 1,000, \(batch.count) bytes") { benchmark in
        for _ in benchmark.scaledIterations { Samples.parse(batch, .batch) }
    }
    let encoding = Samples.encodings(1)[0]
    Benchmark("print of one event as JSON") { benchmark in
        var bytes: [UInt8] = []
        for _ in benchmark.scaledIterations {
            bytes.removeAll(keepingCapacity: true)
            try Samples.print(encoding, into: &bytes)
            blackHole(bytes.count)
        }
    }
}

private func registerSegments() {
    let encodings = Samples.encodings(65_536)
    Benchmark("columns of 65,536 events, built") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try Samples.columns(encodings)) }
    }
    Benchmark("segment of 65,536 events, written") { benchmark in
        for _ in benchmark.scaledIterations { try Samples.writeSegment(encodings) }
    }
    Benchmark("segment of 65,536 events, times and names read") { benchmark in
        try Samples.writeSegment(encodings)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try Samples.readSegment([.time, .name, .duration])) }
    }
    Benchmark("segment of 65,536 events, all columns read") { benchmark in
        try Samples.writeSegment(encodings)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try Samples.readSegment(.all)) }
    }
}

private func registerRollups() {
    let columns = Samples.rollupColumns(eventCount: 65_536)
    Benchmark("rollups of 65,536 commands, built") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(Samples.rollup(columns)) }
    }
    let bytes = Samples.rollup(columns)
    Benchmark("rollups by hour, summed with p95") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try Samples.hourlyPercentiles(bytes)) }
    }
}
