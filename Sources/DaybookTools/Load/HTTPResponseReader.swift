/// Reads HTTP/1.1 answers with a Content-Length from one connection, as the bytes come in. Knows just enough to tell
/// where an answer ends, because every instruction here is charged to the measurement.
package struct HTTPResponseReader: Sendable {
    package enum Progress: Sendable, Equatable {
        /// The answer is not complete yet.
        case needsMore
        /// An answer is complete; `closes` when the server announced that it will hang up.
        case complete(status: Int, closes: Bool)
        /// Not HTTP/1.1 with a Content-Length.
        case malformed
    }

    /// Received and not yet consumed.
    package var buffer: [UInt8] = []
    private var headerEnd = 0
    private var scanned = 0
    private var status = 0
    private var closes = false
    private var contentByteCount = 0

    /// The body of the last complete answer, when bodies are kept.
    package private(set) var body: [UInt8] = []
    private let keepsBody: Bool

    package init(keepsBody: Bool = false) {
        self.keepsBody = keepsBody
        buffer.reserveCapacity(4_096)
    }

    /// Looks at what has been received. After `complete` the answer is consumed and the next call is about the next one.
    package mutating func advance() -> Progress {
        if headerEnd == 0 {
            guard findHeaderEnd() else { return buffer.count > 64 << 10 ? .malformed : .needsMore }
            guard readHead() else { return .malformed }
        }
        let end = headerEnd + contentByteCount
        guard buffer.count >= end else { return .needsMore }
        let result = Progress.complete(status: status, closes: closes)
        if keepsBody { body = Array(buffer[headerEnd..<end]) }
        if buffer.count == end { buffer.removeAll(keepingCapacity: true) } else { buffer.removeFirst(end) }
        headerEnd = 0
        scanned = 0
        return result
    }

    private mutating func findHeaderEnd() -> Bool {
        var position = scanned
        let end = buffer.count
        while position + 3 < end {
            if buffer[position] == 13, buffer[position + 1] == 10, buffer[position + 2] == 13,
                buffer[position + 3] == 10
            {
                headerEnd = position + 4
                return true
            }
            position += 1
        }
        scanned = max(0, end - 3)
        return false
    }

    /// Status line and the two headers that matter.
    private mutating func readHead() -> Bool {
        guard headerEnd >= 16, buffer[0] == UInt8(ascii: "H"), let code = number(9..<12) else { return false }
        status = code
        closes = false
        contentByteCount = -1
        var lineStart = 0
        for position in 0..<headerEnd - 1 where buffer[position] == 13 {
            readHeader(lineStart..<position)
            lineStart = position + 2
        }
        if status == 204 || status == 304 { contentByteCount = max(0, contentByteCount) }
        return contentByteCount >= 0
    }

    private mutating func readHeader(_ line: Range<Int>) {
        if let range = value(of: Self.contentLength, in: line) {
            contentByteCount = number(range) ?? -1
        } else if let range = value(of: Self.connection, in: line) {
            closes = range.count == 5 && buffer[range.lowerBound] | 0x20 == UInt8(ascii: "c")
        }
    }

    private static let contentLength = Array("content-length:".utf8)
    private static let connection = Array("connection:".utf8)

    /// Where the value of a header stands, when the line is that header in any case.
    private func value(of name: [UInt8], in line: Range<Int>) -> Range<Int>? {
        guard line.count > name.count, buffer[line.lowerBound] | 0x20 == name[0] else { return nil }
        for position in 0..<name.count - 1 where buffer[line.lowerBound + position] | 0x20 != name[position] | 0x20 {
            return nil
        }
        guard buffer[line.lowerBound + name.count - 1] == UInt8(ascii: ":") else { return nil }
        var start = line.lowerBound + name.count
        while start < line.upperBound, buffer[start] == 32 { start += 1 }
        return start..<line.upperBound
    }

    private func number(_ range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count <= 9 else { return nil }
        var value = 0
        for position in range {
            let digit = buffer[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
