import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookSystem

/// Inputs for the kernels: the same on every machine.
enum Samples {
    static let start: Int64 = 1_767_225_600_000_000
    static let organization = OrganizationID("bench")
    private static let commands = ["build", "test", "lint", "format", "review", "generate", "explain", "commit"]
    private static let statuses = ["success", "success", "success", "success", "success", "error", "timeout"]

    /// A linear congruential sequence is random enough to defeat compression.
    static func noise(_ byteCount: Int) -> [UInt8] {
        var state: UInt64 = 1
        return (0..<byteCount).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    /// About 260 bytes, as clients send them.
    static func commandBody(_ number: Int) -> [UInt8] {
        let minute = (number / 60) % 60
        let second = number % 60
        return Array(
            """
            {"command_name":"\(commands[number * 7 % commands.count])","execution_time_ms":\(number * 37 % 9_000).25,\
            "status":"\(statuses[number * 5 % statuses.count])","user_id":"user-\(number * 13 % 40)",\
            "timestamp":"2026-01-01T00:\(minute < 10 ? "0" : "")\(minute):\(second < 10 ? "0" : "")\(second).000Z",\
            "context":{"project":"project-\(number % 12)","branch":"main","model":"model-\(number % 3)"}}
            """.utf8)
    }

    static func batchBody(eventCount: Int) -> [UInt8] {
        var body = Array("{\"command_executions\":[".utf8)
        for number in 0..<eventCount {
            if number > 0 { body.append(UInt8(ascii: ",")) }
            body += commandBody(number)
        }
        body += Array("]}".utf8)
        return body
    }

    private static var context: EventParser.Context {
        guard let organization else { preconditionFailure("the name fits its pattern") }
        return EventParser.Context(
            arrival: Timestamp(microseconds: start), organization: organization, defaultUser: Array("owner".utf8),
            mayNameAnyUser: true, randomness: { (1, 2) })
    }

    private static var emptyGroup: GroupBuilder {
        GroupBuilder(log: LogID(16), arrival: Timestamp(microseconds: start), byteCapacity: 256 << 10)
    }

    static func parse(_ body: [UInt8], _ kind: EventParser.Kind) {
        var group = emptyGroup
        let result = body.withRawSpan { EventParser.parse($0, kind: kind, context: context, into: &group) }
        guard case .accepted = result else { preconditionFailure("the sample is valid") }
    }

    static func encodings(_ count: Int) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for first in stride(from: 0, to: count, by: 1_000) {
            var group = emptyGroup
            for number in first..<min(count, first + 1_000) {
                let body = commandBody(number)
                _ = body.withRawSpan { EventParser.parse($0, kind: .commandExecution, context: context, into: &group) }
            }
            group.seal(firstSequence: 1, durableThrough: 0)
            let record = group.bytes
            let span = record.span.bytes
            guard let header = try? GroupHeader(verifying: span) else { preconditionFailure("just sealed") }
            var entries = GroupEntries(of: header)
            while let entry = try? entries.next(span) { result.append(span.toArray(entry.encoding)) }
        }
        return result
    }

    static func group(_ encodings: [[UInt8]]) -> [UInt8] {
        var group = emptyGroup
        for encoding in encodings {
            group.append(.commandExecution, schemaVersion: 1, encoding: encoding.span.bytes)
        }
        group.seal(firstSequence: 1, durableThrough: 0)
        return group.bytes
    }

    static func walk(_ record: [UInt8]) throws -> Int {
        let span = record.span.bytes
        var entries = GroupEntries(of: try GroupHeader(verifying: span))
        var byteCount = 0
        while let entry = try entries.next(span) { byteCount += entry.encoding.count }
        return byteCount
    }

    static func print(_ encoding: [UInt8], into bytes: inout [UInt8]) throws {
        guard let organization else { preconditionFailure("the name fits its pattern") }
        try EventPrinter.append(
            family: .commandExecution, schemaVersion: 1, encoding: encoding.span.bytes, sequence: 1,
            arrival: Timestamp(microseconds: start), organization: organization, to: &bytes)
    }

    static func columns(_ encodings: [[UInt8]]) throws -> Int {
        var builder = ColumnBatchBuilder(family: .commandExecution, schemaVersion: 1)
        for (index, encoding) in encodings.enumerated() {
            try builder.append(
                sequence: UInt64(index + 1), arrival: Timestamp(microseconds: start), encoding: encoding.span.bytes)
        }
        return builder.rowCount
    }
}
