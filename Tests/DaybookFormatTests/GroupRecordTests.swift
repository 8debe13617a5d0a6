import DaybookFormat
import DaybookTestSupport
import Testing

/// Group records as the committer writes them and recovery reads them.
struct GroupRecordTests {
    static let keyHash = IdempotencyHash(1, 2, 3, 4)
    static let bodyHash = IdempotencyHash(5, 6, 7, 8)

    /// Two events: one of seven bytes, one empty.
    static func sealed(idempotent: Bool = false, relaxed: Bool = false) -> [UInt8] {
        var builder = GroupBuilder(
            log: LogID(0x1122_3344_5566_7788), arrival: Timestamp(microseconds: 1_700_000_000_000_000),
            keyHash: idempotent ? keyHash : nil, bodyHash: idempotent ? bodyHash : nil)
        Array("seven b".utf8).withRawSpan { builder.append(.commandExecution, schemaVersion: 1, encoding: $0) }
        [UInt8]().withRawSpan { builder.append(.productivityMetric, schemaVersion: 3, encoding: $0) }
        if relaxed { builder.markRelaxed() }
        builder.seal(firstSequence: 100, durableThrough: 97)
        return builder.bytes
    }

    @Test func aRecordSaysWhatWasSealed() throws {
        let bytes = Self.sealed()
        let span = bytes.span.bytes
        let header = try GroupHeader(verifying: span)
        #expect(header.byteCount == bytes.count)
        #expect(header.byteCount == 48 + 8 + 7 + 8)
        #expect(header.headerByteCount == 48)
        #expect(header.flags == [])
        #expect(header.eventCount == 2)
        #expect(header.log == LogID(0x1122_3344_5566_7788))
        #expect(header.firstSequence == 100)
        #expect(header.lastSequence == 101)
        #expect(header.arrival == Timestamp(microseconds: 1_700_000_000_000_000))
        #expect(header.durableThrough == 97)
        #expect(header.keyHash == nil)
        #expect(header.bodyHash == nil)
    }

    @Test func entriesComeInOrderWithTheirSequences() throws {
        let bytes = Self.sealed()
        let span = bytes.span.bytes
        var entries = GroupEntries(of: try GroupHeader(verifying: span))
        let first = try #require(try entries.next(span))
        #expect(first.family == .commandExecution)
        #expect(first.schemaVersion == 1)
        #expect(first.sequence == 100)
        #expect(span.text(first.encoding) == "seven b")
        let second = try #require(try entries.next(span))
        #expect(second.family == .productivityMetric)
        #expect(second.schemaVersion == 3)
        #expect(second.sequence == 101)
        #expect(second.encoding.isEmpty)
        #expect(try entries.next(span) == nil)
        #expect(try entries.next(span) == nil)
    }

    @Test func theIdempotencyHashesTravelWithTheRecord() throws {
        let bytes = Self.sealed(idempotent: true)
        let span = bytes.span.bytes
        let header = try GroupHeader(verifying: span)
        #expect(header.flags == .idempotency)
        #expect(header.headerByteCount == 112)
        #expect(header.keyHash == Self.keyHash)
        #expect(header.bodyHash == Self.bodyHash)
        var entries = GroupEntries(of: header)
        #expect(span.text(try #require(try entries.next(span)).encoding) == "seven b")
    }

    @Test func theFlagsSayThatARecordIsRelaxed() throws {
        let bytes = Self.sealed(relaxed: true)
        #expect(try GroupHeader(verifying: bytes.span.bytes).flags == .relaxed)
    }

    @Test func theFlagsSayThatASessionChangeIsInside() throws {
        var builder = GroupBuilder(log: LogID(2), arrival: Timestamp(microseconds: 0))
        [1].withRawSpan { builder.append(.sessionChange, schemaVersion: 1, encoding: $0) }
        builder.seal(firstSequence: 1, durableThrough: 0)
        #expect(try GroupHeader(verifying: builder.bytes.span.bytes).flags == .sessions)
    }

    @Test func aRecordIsReadWhereverItStands() throws {
        let record = Self.sealed(idempotent: true)
        let bytes = [UInt8](repeating: 0xEE, count: 13) + record + [0xEE, 0xEE]
        let span = bytes.span.bytes
        let header = try GroupHeader(verifying: span, at: 13)
        #expect(header.byteCount == record.count)
        var entries = GroupEntries(of: header, at: 13)
        #expect(span.text(try #require(try entries.next(span)).encoding) == "seven b")
        #expect(try entries.next(span) != nil)
        #expect(try entries.next(span) == nil)
    }

    @Test func randomRecordsAreReadBackWhole() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<300 {
            let events = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                random.bytes(Int.random(in: 0...200, using: &random))
            }
            let first = UInt64.random(in: 1...(.max - 21), using: &random)
            let arrival = Timestamp(microseconds: Int64(bitPattern: random.next()))
            let log = LogID(random.next())
            var builder = GroupBuilder(log: log, arrival: arrival)
            for event in events {
                let start = builder.beginEntry(.agentInteraction, schemaVersion: 7)
                builder.bytes += event
                builder.endEntry(start)
            }
            #expect(builder.eventCount == events.count)
            builder.seal(firstSequence: first, durableThrough: first - 1)
            let span = builder.bytes.span.bytes
            let header = try GroupHeader(verifying: span)
            #expect(header.arrival == arrival)
            #expect(header.log == log)
            var entries = GroupEntries(of: header)
            for (index, event) in events.enumerated() {
                let entry = try #require(try entries.next(span))
                #expect(entry.sequence == first + UInt64(index))
                #expect(span.toArray(entry.encoding) == event)
            }
            #expect(try entries.next(span) == nil)
        }
    }

    @Test func anEmptyGroupCannotBeSealed() async {
        await #expect(processExitsWith: .failure) {
            var builder = GroupBuilder(log: LogID(2), arrival: Timestamp(microseconds: 0))
            builder.seal(firstSequence: 1, durableThrough: 0)
        }
    }
}

struct IdempotencyHashTests {
    @Test func thirtyTwoBytesMakeAHash() {
        let bytes = (1...32).map { UInt8($0) }
        #expect(
            IdempotencyHash(bytes: bytes)
                == IdempotencyHash(
                    0x0807_0605_0403_0201, 0x100F_0E0D_0C0B_0A09, 0x1817_1615_1413_1211, 0x201F_1E1D_1C1B_1A19))
    }

    @Test(arguments: [0, 31, 33, 64])
    func anyOtherNumberOfBytesDoesNot(count: Int) {
        #expect(IdempotencyHash(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func everyWordTellsHashesApart() {
        let hash = IdempotencyHash(1, 2, 3, 4)
        for other in [
            IdempotencyHash(0, 2, 3, 4), IdempotencyHash(1, 0, 3, 4), IdempotencyHash(1, 2, 0, 4),
            IdempotencyHash(1, 2, 3, 0),
        ] {
            #expect(hash != other)
        }
        #expect(Set([hash, IdempotencyHash(1, 2, 3, 4), IdempotencyHash(1, 9, 3, 4)]).count == 2)
    }
}
