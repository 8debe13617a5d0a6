import CLZ4
import DaybookFormat
import DaybookQuery
import DaybookRollup
import DaybookSegment
import DaybookStore

extension Samples {
    /// Rows in memory, as the unsealed tail has them: no page is decoded.
    struct ColumnSource: EventSource {
        let batches: [ColumnBatch]
        let lastSequence: UInt64
        let segments: [SegmentReference] = []

        func open(_ segment: SegmentReference) throws -> SegmentReader { preconditionFailure("there is no segment") }
        func forEachTailGroup(from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool) throws {}
        func tailChunks(
            of family: Family, through last: UInt64, _ selection: ColumnSelection
        ) throws -> [TailChunk] {
            batches.map { TailChunk($0) }
        }
    }

    static func source(_ encodings: [[UInt8]]) throws -> ColumnSource {
        var batches: [ColumnBatch] = []
        for first in stride(from: 0, to: encodings.count, by: 8_192) {
            var builder = ColumnBatchBuilder(family: .commandExecution, schemaVersion: 1)
            for index in first..<min(encodings.count, first + 8_192) {
                let encoding = encodings[index]
                try builder.append(
                    sequence: UInt64(index + 1), arrival: Timestamp(microseconds: start),
                    encoding: encoding.span.bytes)
            }
            batches.append(builder.takeBatch())
        }
        return ColumnSource(batches: batches, lastSequence: UInt64(encodings.count))
    }

    /// All rows in one bucket, grouped by one dimension or none.
    static func query(groupedBy name: String?) throws -> AggregateQuery {
        let range = TimeRange(
            start: Timestamp(microseconds: start - 3_600_000_000), end: Timestamp(microseconds: start + 86_400_000_000))
        var query = AggregateQuery(family: .commandExecution, range: range)
        query.window = .total
        query.percentiles = [.p95]
        if let name {
            guard let dimension = QueryDimension(name, of: .commandExecution) else {
                preconditionFailure("\(name) is no dimension")
            }
            query.groupBy = [AggregateQuery.Grouping(name, dimension)]
        }
        return query
    }

    static func answer(_ query: AggregateQuery, _ source: ColumnSource) throws -> Int {
        let answer = try query.answer(from: source, now: Timestamp(microseconds: start))
        // A kernel that reads nothing is fast.
        precondition(UInt64(answer.scannedRowCount) == source.lastSequence, "\(answer.scannedRowCount) rows scanned")
        return answer.itemCount
    }

    /// Long-tailed nanoseconds.
    static func durations(_ count: Int) -> [UInt64] {
        var state: UInt64 = 7
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return 1 << (20 + state >> 60) | state >> 40
        }
    }

    static func rows(_ count: Int, of durations: [UInt64]) -> [AggregateRow] {
        (0..<count).map { number in
            var row = AggregateRow()
            for index in 0..<200 { row.durations.add(durations[(number * 200 + index) % durations.count]) }
            row.statuses.success = 200
            return row
        }
    }

    static func merged(_ rows: [AggregateRow]) -> AggregateRow {
        var sum = AggregateRow()
        for row in rows { sum.merge(row) }
        return sum
    }

    static func decodeRows(_ bytes: [UInt8]) throws -> Int {
        let span = bytes.span.bytes
        var reader = ByteReader()
        var count = 0
        while !reader.isAtEnd(span) {
            _ = try AggregateRow(&reader, span)
            count += 1
        }
        return count
    }

    /// What a wide column holds: objects that resemble each other.
    static func columnBytes(_ byteCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var number = 0
        while bytes.count < byteCount {
            bytes += commandBody(number)
            number += 1
        }
        return Array(bytes.prefix(byteCount))
    }

    static func compress(_ source: [UInt8], isHigh: Bool = false) -> [UInt8] {
        let limit = LZ4_compressBound(Int32(source.count))
        return [UInt8](unsafeUninitializedCapacity: Int(limit)) { target, count in
            source.withUnsafeBytes { input in
                let from = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                target.withMemoryRebound(to: CChar.self) { output in
                    count = Int(
                        isHigh
                            ? LZ4_compress_HC(from, output.baseAddress, Int32(input.count), limit, 4)
                            : LZ4_compress_default(from, output.baseAddress, Int32(input.count), limit))
                }
            }
        }
    }

    static func expand(_ source: [UInt8], byteCount: Int) -> Int {
        let target = [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
            source.withUnsafeBytes { input in
                let from = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                target.withMemoryRebound(to: CChar.self) { output in
                    count = Int(LZ4_decompress_safe(from, output.baseAddress, Int32(input.count), Int32(byteCount)))
                }
            }
        }
        return target.count
    }
}
