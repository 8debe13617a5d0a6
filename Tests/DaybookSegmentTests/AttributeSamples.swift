import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Events whose free-form objects hold everything that canonical JSON allows, and some that are no JSON at all.
struct AttributeSamples {
    var random: SeededRandom
    /// Paths below which any key may stand: many more than there is room for.
    var hasManyKeys = false

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    static let numbers = [
        "0", "1", "-1", "7", "42", "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807",
        "9223372036854775808", "18446744073709551615", "-9223372036854775808", "0.5", "7.3", "99.95", "-12.125", "0.1",
        "0.000001", "1e-7", "1e+21", "1.5e+300", "5e-324", "100000000000000000000", "123456789.12345679",
        "0.30000000000000004", "999999999999999.9", "99999999999999.9", "-0.000001",
    ]
    static let texts = [
        "", "x", "main", "feature/login", "quote \" backslash \\ slash /", "\n\t\r\u{8}\u{c}", "\u{1f}\u{7f}", "é",
        "e\u{301}", "😀 astral", "\u{2028}", "12345678", "1234567\"", "seventeen bytes!!", "null", "{}",
    ]
    static let keys = [
        "a", "b", "a.b", "", "\u{e9}", "e\u{301}", "session_id", "key with space", "\"", "\\", "\n", "\u{1}", "Z", "zz",
        "😀", "model", "0", "/", "a_key_of_more_than_sixteen_bytes", "branch",
    ]

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[random.below(elements.count)] }

    /// Canonical text of one value, without its place.
    mutating func value(depth: Int) -> String {
        switch random.below(depth > 0 ? 12 : 9) {
        case 0: "null"
        case 1: random.oneIn(2) ? "true" : "false"
        case 2, 3: pick(Self.numbers)
        case 4: "\(Int64(bitPattern: random.next()) >> Int64(random.below(64)))"
        case 5, 6, 7: Self.quoted(pick(Self.texts) + (random.oneIn(4) ? pick(Self.texts) : ""))
        case 8: random.oneIn(2) ? "{}" : "[]"
        case 9: "[" + value(depth: 0) + ",{\"a\":" + value(depth: 0) + "}]"
        default: object(depth: depth - 1)
        }
    }

    /// An object whose keys are any of `keys`, in canonical order.
    mutating func object(depth: Int) -> String {
        var members: [[UInt8]: String] = [:]
        for _ in 0..<random.below(6) {
            let key = hasManyKeys && random.oneIn(3) ? "key-\(random.below(1 << 20))" : pick(Self.keys)
            members[Array(key.utf8)] = Self.quoted(key) + ":" + value(depth: depth)
        }
        let sorted = members.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return "{" + sorted.map(\.value).joined(separator: ",") + "}"
    }

    /// Mostly one shape whose values mostly keep their kind, as clients send it; sometimes anything.
    mutating func text() -> [UInt8] {
        switch random.below(20) {
        case 0...12: return Array(usual().utf8)
        case 13: return broken()
        default: return Array(object(depth: 3).utf8)
        }
    }

    private mutating func usual() -> String {
        var members = ["\"branch\":\"\(pick(["main", "develop", "fix/é"]))\""]
        if random.oneIn(2) { members.append("\"count\":\(random.below(1_000))") }
        members.append("\"files\":" + (random.oneIn(9) ? value(depth: 1) : "\(random.below(40))"))
        members.append("\"hash\":\(random.next())")
        members.append("\"id\":\"\(random.next())\"")
        if random.oneIn(3) {
            members.append(
                "\"repository\":{\"ahead\":\(random.below(12)),\"dirty\":\(random.oneIn(2)),\"labels\":[\"v1\"]}")
        }
        members.append("\"score\":" + Self.tenths(random.below(1_000)))
        if random.oneIn(5) { members.append("\"text\":" + Self.quoted(pick(Self.texts))) }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func tenths(_ number: Int) -> String {
        number % 10 == 0 ? "\(number / 10)" : "\(number / 10).\(number % 10)"
    }

    /// Canonical text with a few bytes changed.
    private mutating func broken() -> [UInt8] {
        var bytes = Array((random.oneIn(2) ? usual() : object(depth: 3)).utf8)
        for _ in 0...random.below(3) {
            let alphabet = Array("{}[]\",:\\\u{1}01.e-tn".utf8)
            if random.oneIn(3) {
                bytes.insert(pick(alphabet), at: random.below(bytes.count))
            } else {
                bytes[random.below(bytes.count)] = pick(alphabet)
            }
        }
        return bytes
    }

    /// With quotes, escaped canonically.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        CanonicalScanner.appendEscaped(text.utf8, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func events(_ family: Family, count: Int) -> [GeneratedEvent] {
        (0..<count).map { row in
            let object = random.oneIn(10) ? nil : text()
            let arguments = family != .commandExecution || random.oneIn(4) ? nil : text()
            return Self.event(family, row: row, object: object, arguments: arguments)
        }
    }

    /// An event that holds little else than its objects.
    static func event(
        _ family: Family, row: Int, object: [UInt8]?, arguments: [UInt8]? = nil
    ) -> GeneratedEvent {
        let arrival = Timestamp(microseconds: 1_780_000_000_000_000 + Int64(row))
        var encoder = EventEncoder(family: family)
        encoder.id = EventID(high: UInt64(row), low: UInt64(row))
        encoder.timestamp = arrival
        var flags: EventFlags = object == nil ? [] : family == .commandExecution ? .commandContext : .object
        if arguments != nil { flags.formUnion(.commandArguments) }
        encoder.flags = flags
        if family == .sessionChange { encoder.status = 2 }
        if family == .productivityMetric { encoder.value = .unsigned(UInt64(row)) }
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        for (string, flag) in EventLayout.strings(of: family) where flags.isSuperset(of: flag) {
            let text: [UInt8] =
                switch string {
                case .object: object ?? []
                case .commandArguments: arguments ?? []
                default: [UInt8(ascii: "u")]
                }
            bytes.append(varint: UInt64(text.count))
            bytes += text
        }
        var generator = EventGenerator(seed: 1, style: .realistic, firstSequence: 1_000 + UInt64(row))
        var event = generator.next(family)
        event.arrival = arrival
        event.encoding = bytes
        return event
    }
}

/// Rows of one object each, written with columns for whatever stands in so many rows.
func attributeReader(
    _ objects: [String?], from rowCountMin: Int = 1, family: Family = .agentInteraction,
    effort: Compression.Effort = .none
) throws -> SegmentReader {
    let disk = SimulatedDisk()
    let events = objects.enumerated().map { row, text in
        AttributeSamples.event(family, row: row, object: text.map { Array($0.utf8) })
    }
    try writeSegment(events, disk: disk, effort: effort, attributes: .columns(from: rowCountMin))
    return try SegmentReader.open(disk: disk, path: segmentPath)
}

extension SegmentReader {
    /// The objects of the first row group as text.
    func objectTexts() throws -> [String?] {
        let batch = try read(rowGroup: 0, .object)
        let column = try #require(batch.objects)
        return (0..<batch.rowCount).map { row in column[row].map { String(decoding: $0, as: UTF8.self) } }
    }

    /// One attribute of the first row group.
    func attribute(_ keys: String..., root: AttributeName.Root = .object) throws -> (AttributeColumn, ByteColumn?) {
        let name = AttributeName(root: root, keys: keys.map { Array($0.utf8) })
        let rowCount = zone(rowGroup: 0).rowCount
        let found = try read(rowGroup: 0, rows: 0..<rowCount, [], attributes: [name]).attributes
        return (try #require(found.columns.first), found.rest(root))
    }

    /// The kinds of the columns of the first row group by their paths.
    func attributeKinds() throws -> [String: AttributeKind] {
        var kinds: [String: AttributeKind] = [:]
        for (attribute, _) in try attributeColumns(rowGroup: 0) {
            kinds[attribute.name.keys.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")] =
                attribute.kind
        }
        return kinds
    }
}
