import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Pages in which a few numbers stand apart.
struct PatchedPageTests {
    /// Times that rise unevenly, one in thirty of them from days ago.
    private static func times(_ count: Int, seed: UInt64) -> [UInt64] {
        var random = SeededRandom(seed: seed)
        var now: UInt64 = 1_780_000_000_000_000
        return (0..<count).map { _ in
            now += UInt64(random.below(20_000_000))
            return random.oneIn(30) ? now - UInt64(random.below(1 << 38)) : now
        }
    }

    /// Small numbers below and above zero, one in twenty far away.
    private static func nearZero(_ count: Int, seed: UInt64) -> [UInt64] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            UInt64(bitPattern: random.oneIn(20) ? Int64(random.below(1 << 40)) - 1 << 39 : Int64(random.below(9)) - 4)
        }
    }

    @Test func timesOfWhichSomeAreLateAreDifferencesWithPatches() throws {
        let values = Self.times(8_192, seed: 1)
        let (encoding, payload, zone) = PageCoding.encode(values, signed: true, patches: true)
        #expect(encoding == .patchedDelta)
        #expect(payload.count * 6 < PageCoding.encode(values, signed: true).1.count * 5)
        #expect(try PageCoding.decode(encoding, payload, count: values.count) == values)
        #expect(zone.min == values.min())
        #expect(zone.max == values.max())
    }

    @Test func smallNumbersOfWhichSomeAreFarArePatched() throws {
        let values = Self.nearZero(8_192, seed: 2)
        let (encoding, payload, _) = PageCoding.encode(values, signed: true, patches: true)
        #expect(encoding == .patched)
        #expect(payload.count < 8_192)
        #expect(try PageCoding.decode(encoding, payload, count: values.count) == values)
    }

    @Test func anyValuesComeBack() throws {
        var random = SeededRandom(seed: 3)
        for _ in 0..<400 {
            let count = 1 + random.below(300)
            let width = UInt64(random.below(64))
            let values = (0..<count).map { _ in random.oneIn(9) ? random.next() : random.next() >> width }
            let (encoding, payload, _) = PageCoding.encode(values, signed: random.oneIn(2), patches: true)
            try #require(try PageCoding.decode(encoding, payload, count: count) == values)
            #expect(payload.count <= 8 * count)
        }
    }

    @Test func extremesComeBack() throws {
        var values = (0..<100).map { 1 << 63 + UInt64($0 * 37 % 101) }
        values[7] = .max
        values[50] = 1 << 63 - 1
        values[99] = 0
        let (encoding, payload, _) = PageCoding.encode(values, patches: true)
        #expect(encoding == .patched)
        #expect(try PageCoding.decode(encoding, payload, count: 100) == values)
    }

    @Test(arguments: [PageEncoding.patched, .patchedDelta])
    func aTruncatedOrPaddedPayloadIsRefused(encoding: PageEncoding) throws {
        let values = encoding == .patched ? Self.nearZero(3_000, seed: 4) : Self.times(3_000, seed: 4)
        let (found, payload, _) = PageCoding.encode(values, signed: true, patches: true)
        try #require(found == encoding)
        for kept in [0, 1, 7, payload.count / 2, payload.count - 1] {
            #expect(throws: FormatError.self) {
                try PageCoding.decode(encoding, Array(payload.prefix(kept)), count: 3_000)
            }
        }
        #expect(throws: FormatError.invalid("page payload length")) {
            try PageCoding.decode(encoding, payload + [0], count: 3_000)
        }
    }

    @Test func aPatchOutsideOfThePageIsRefused() throws {
        var payload: [UInt8] = [1, 0, 0, 0]
        IntegerPageEncoder.appendBlock([1, 2, 3], to: &payload)
        IntegerPageEncoder.appendBlock([3], to: &payload)
        IntegerPageEncoder.appendBlock([900], to: &payload)
        #expect(throws: FormatError.invalid("patch position")) {
            try PageCoding.decode(.patched, payload, count: 3)
        }
        payload[0] = 4
        #expect(throws: FormatError.invalid("patch count")) { try PageCoding.decode(.patched, payload, count: 3) }
    }

    /// The client made the identifier when the event happened, the server at arrival; some events come late.
    @Test func identifiersComeBackWithWhateverTime() throws {
        var random = SeededRandom(seed: 5)
        var events = events(.commandExecution, count: 500, seed: 6, style: .realistic)
        for row in events.indices where random.oneIn(4) {
            // Bytes 4 to 9 are the time of the identifier, 20 to 27 the timestamp.
            events[row].encoding.replaceSubrange(4..<10, with: random.bytes(6))
            if random.oneIn(2) {
                let time = -Int64(random.below(1 << 50))
                events[row].encoding.store(littleEndian: time, at: 20)
            }
        }
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        try expect(try reader.read(rowGroup: 0, .all), equals: events)
        let identifiers = try reader.read(rowGroup: 0, rows: 100..<200, .identifier)
        #expect(identifiers.identifiers == Array(try reader.read(rowGroup: 0, .all).identifiers[100..<200]))
        #expect(identifiers.timestamps.isEmpty)
        let times = identifiers.identifiers.map { $0.high >> 16 }
        let zone = try #require(reader.zone(rowGroup: 0, .identifierTime))
        #expect(times.allSatisfy { zone.min <= $0 && $0 <= zone.max })
    }
}
