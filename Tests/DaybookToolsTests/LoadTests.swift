import DaybookFormat
import Testing

@testable import DaybookTools

struct LatencyHistogramTests {
    @Test func percentilesAreNearestRankWithinTheBucketWidth() {
        var histogram = LatencyHistogram()
        for value in 1...10_000 { histogram.record(nanoseconds: UInt64(value) * 1_000) }
        for percent in [1.0, 50, 95, 99, 99.9] {
            let exact = percent * 100 * 1_000
            #expect(abs(Double(histogram.percentile(percent)) - exact) <= exact / 64 + 1)
        }
        #expect(histogram.percentile(100) == 10_000_000)
        #expect(histogram.maximumNanoseconds == 10_000_000)
        #expect(histogram.meanNanoseconds == 5_000_500)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 1 << 20, 1 << 40, UInt64.max])
    func everyValueHasABucket(value: UInt64) {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: value)
        #expect(histogram.percentile(50) == value)
    }

    @Test func withoutSamplesEverythingIsZero() {
        #expect(LatencyHistogram().percentile(99) == 0)
    }
}

struct HTTPResponseReaderTests {
    private func feed(_ text: String, inPiecesOf pieceByteCount: Int) -> [HTTPResponseReader.Progress] {
        var reader = HTTPResponseReader()
        var results: [HTTPResponseReader.Progress] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            reader.buffer.append(contentsOf: bytes[start..<min(bytes.count, start + pieceByteCount)])
            while true {
                let progress = reader.advance()
                if progress == .needsMore { break }
                results.append(progress)
                if progress == .malformed || reader.buffer.isEmpty { break }
            }
        }
        return results
    }

    private static let two =
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\ncontent-length: 5\r\n\r\n{\"a\"}"
        + "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    @Test(arguments: [1, 2, 3, 7, 64, 1_000])
    func answersEndWhereTheirLengthSays(pieceByteCount: Int) {
        #expect(
            feed(Self.two, inPiecesOf: pieceByteCount) == [
                .complete(status: 201, closes: false), .complete(status: 503, closes: true),
            ])
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ])
    func anythingElseIsMalformed(text: String) {
        #expect(feed(text, inPiecesOf: 1_000) == [.malformed])
    }
}

struct LoadScheduleTests {
    @Test func theClosedLoopIsAlwaysDueUntilTheCountIsReached() {
        var schedule = LoadSchedule(
            startNanoseconds: 100, requestCount: 2, durationNanoseconds: nil, requestsPerSecond: nil)
        #expect(schedule.take(now: 150) == 150)
        #expect(schedule.take(now: 160) == 160)
        #expect(schedule.take(now: 170) == nil)
        #expect(schedule.waitNanoseconds(now: 170) == nil)
    }

    @Test func theOpenLoopKeepsItsTimesWhenTheCallerIsLate() {
        var schedule = LoadSchedule(
            startNanoseconds: 1_000, requestCount: nil, durationNanoseconds: 4_000_000, requestsPerSecond: 1_000)
        #expect(schedule.take(now: 1_000) == 1_000)
        #expect(schedule.take(now: 2_000) == nil)
        #expect(schedule.waitNanoseconds(now: 2_000) == 999_000)
        var taken: [UInt64] = []
        while let intended = schedule.take(now: 9_000_000) { taken.append(intended) }
        #expect(taken == [1_001_000, 2_001_000, 3_001_000])
    }

    @Test func noRateDrifts() {
        var schedule = LoadSchedule(
            startNanoseconds: 0, requestCount: nil, durationNanoseconds: 60_000_000_000, requestsPerSecond: 12_345)
        while schedule.take(now: .max) != nil {}
        #expect((740_690...740_710).contains(schedule.taken))
    }
}

struct LoadWorkloadTests {
    @Test(arguments: [1, 20])
    func everyBodyHasTheIdsOfItsEvents(batch: Int) {
        let workload = LoadWorkload(batch: batch, seed: 3, start: EventGeneratorTests.day)
        #expect(workload.bodies.count >= 20)
        for body in workload.bodies {
            #expect(body.idOffsets.count == batch)
            #expect((body.path == 0) == (batch > 1))
        }
    }

    @Test func stampedIdsAreDistinctAndStayIds() throws {
        let workload = LoadWorkload(batch: 20, seed: 3, start: EventGeneratorTests.day)
        var identity = LoadIdentity(run: 0xABCD_EF01)
        var seen: Set<EventID> = []
        for round in 0..<3 {
            var bytes = Array("head".utf8) + workload.bodies[round % 2].bytes
            identity.stamp(&bytes, at: workload.bodies[round % 2].idOffsets, base: 4)
            for offset in workload.bodies[round % 2].idOffsets {
                let id = try #require(EventID(String(decoding: bytes[4 + offset..<4 + offset + 36], as: UTF8.self)))
                #expect(seen.insert(id).inserted)
            }
        }
        #expect(seen.count == 60)
    }
}
