internal import DaybookEvent
internal import DaybookFormat

/// What the measurement needs of an answer, found by the names of its members: parsing whole answers would cost more
/// than the server takes to make them.
struct QueryAnswer: Sendable {
    let status: Int
    let body: [UInt8]

    /// The array of items as it came, without the pages behind it; nil when the answer is no list.
    var items: ArraySlice<UInt8>? {
        guard let start = body.firstRange(of: Array(#""items":"#.utf8)),
            let end = body.lastRange(of: Array(#","pagination":"#.utf8)), start.upperBound <= end.lowerBound
        else { return nil }
        return body[start.upperBound..<end.lowerBound]
    }

    private var meta: ArraySlice<UInt8> {
        guard let start = body.lastRange(of: Array(#""meta":{"#.utf8)) else { return [] }
        return body[start.upperBound...]
    }

    /// `rollup`, `raw` or `mixed`.
    var source: String? { meta.text(of: "source") }
    var scannedRowCount: Int? { meta.integer(of: "scanned_rows") }
    /// Whether the answer says that something is missing from it.
    var hasWarnings: Bool {
        guard let start = meta.firstRange(of: Array(#""warnings":["#.utf8)) else { return false }
        return meta[start.upperBound...].first != UInt8(ascii: "]")
    }

    /// The cursor of the page behind this one.
    var nextCursor: String? {
        guard let start = body.lastRange(of: Array(#","pagination":"#.utf8)) else { return nil }
        return body[start.upperBound...].text(of: "next_cursor")
    }

    /// Message of an error, or the beginning of whatever came.
    var message: String { body[...].text(of: "message") ?? String(decoding: body.prefix(120), as: UTF8.self) }

    /// The buckets of an aggregation with their counts, in order.
    func buckets() -> [(start: Timestamp, count: Int)] {
        var found: [(start: Timestamp, count: Int)] = []
        forEachItem { item in
            guard let text = item.text(of: "bucket_start"), let start = TimestampText.parse(text),
                let count = item.integer(of: "count")
            else { return }
            found.append((start, count))
        }
        return found
    }

    /// The groups of an aggregation by one name, with their counts.
    func groups(_ name: String) -> [(name: String, count: Int)] {
        var found: [(name: String, count: Int)] = []
        forEachItem { item in
            guard let text = item.text(of: name), let count = item.integer(of: "count") else { return }
            found.append((text, count))
        }
        return found
    }

    /// Items of an aggregation begin with their bucket.
    private func forEachItem(_ body: (ArraySlice<UInt8>) -> Void) {
        guard let items else { return }
        let mark = Array(#"{"bucket_start":"#.utf8)
        let starts = items.ranges(of: mark).map(\.lowerBound)
        for (position, start) in starts.enumerated() {
            body(items[start..<(position + 1 < starts.count ? starts[position + 1] : items.endIndex)])
        }
    }
}

extension ArraySlice<UInt8> {
    /// The string behind the first member of that name; nil when there is none, or one with escapes.
    func text(of name: String) -> String? {
        guard let start = firstRange(of: Array("\"\(name)\":\"".utf8)) else { return nil }
        let value = self[start.upperBound...].prefix { $0 != UInt8(ascii: "\"") }
        guard !value.contains(UInt8(ascii: "\\")) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    /// The whole number behind the first member of that name.
    func integer(of name: String) -> Int? {
        guard let start = firstRange(of: Array("\"\(name)\":".utf8)) else { return nil }
        let digits = self[start.upperBound...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}

extension BidirectionalCollection<UInt8> {
    /// The last place where `other` stands.
    func lastRange(of other: [UInt8]) -> Range<Index>? {
        guard other.count <= count else { return nil }
        var start = index(endIndex, offsetBy: -other.count)
        while true {
            let end = index(start, offsetBy: other.count)
            if self[start..<end].elementsEqual(other) { return start..<end }
            guard start > startIndex else { return nil }
            start = index(before: start)
        }
    }
}
