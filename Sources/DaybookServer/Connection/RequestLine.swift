internal import NIOCore

/// The first line of a request whose method the HTTP decoder does not know. The decoder gives up at the first byte that
/// no method of its list has; which path was asked for, and so whether the answer is 404 or 405, is read here.
enum RequestLine: Equatable {
    case target(String)
    /// Goes on like one, but its end has not come yet.
    case incomplete
    /// Not a request line at all.
    case malformed

    static let byteCountMax = FrontLimits.uriByteCountMax + 64
    private static let methodByteCountMax = 32
    /// Lines that a search looks at.
    private static let searchedLineCountMax = 64
    private static let versions = [" HTTP/1.1", " HTTP/1.0"].map { Array($0.utf8) }
    /// Methods that the decoder does know: lines that begin with them are not the one that it failed at.
    private static let known = Set(
        ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"].map { Array($0.utf8) })

    /// Reads the line at the very beginning, behind empty lines.
    init(startOf bytes: ByteBufferView) {
        let rest = bytes.drop { $0 == 0x0D || $0 == 0x0A }
        let method = rest.prefix(Self.methodByteCountMax + 1).prefix(while: Self.isTokenByte)
        guard method.count <= Self.methodByteCountMax else {
            self = .malformed
            return
        }
        guard let space = rest[method.endIndex...].first else {
            self = .incomplete
            return
        }
        guard !method.isEmpty, space == UInt8(ascii: " ") else {
            self = .malformed
            return
        }
        guard let end = rest[method.endIndex...].prefix(Self.byteCountMax).firstIndex(of: 0x0A) else {
            self = .incomplete
            return
        }
        var line = rest[rest.index(after: method.endIndex)..<end]
        if line.last == 0x0D { line = line.dropLast() }
        guard Self.versions.contains(where: { line.suffix($0.count).elementsEqual($0) }) else {
            self = .malformed
            return
        }
        let target = line.dropLast(Self.versions[0].count)
        guard !target.isEmpty, target.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            self = .malformed
            return
        }
        self = .target(String(decoding: target, as: UTF8.self))
    }

    /// Searches bytes that begin somewhere before the line, behind other requests: the first line with a method that
    /// the decoder does not know. A body may hold such a line; then the answer tells of another path. It ends the
    /// connection either way.
    init(somewhereIn bytes: ByteBufferView) {
        var searched = bytes
        for _ in 0..<Self.searchedLineCountMax {
            guard let version = Self.firstVersion(in: searched) else { break }
            let start = Self.startOfLine(endingAt: version, in: bytes)
            let method = bytes[start...].prefix(while: Self.isTokenByte)
            let line = RequestLine(startOf: bytes[start...])
            if case .target = line, !Self.known.contains(Array(method)) {
                self = line
                return
            }
            searched = searched[bytes.index(after: version)...]
        }
        self = .malformed
    }

    private static func firstVersion(in bytes: ByteBufferView) -> Int? {
        bytes.indices.first { index in
            bytes[index] == UInt8(ascii: " ") && versions.contains { bytes[index...].starts(with: $0) }
        }
    }

    /// Back over the target and the method; a body may stand directly before the method.
    private static func startOfLine(endingAt version: Int, in bytes: ByteBufferView) -> Int {
        var start = version
        while start > bytes.startIndex, (0x21...0x7E).contains(bytes[start - 1]) { start -= 1 }
        guard start > bytes.startIndex, bytes[start - 1] == UInt8(ascii: " ") else { return start }
        start -= 1
        while start > bytes.startIndex, isTokenByte(bytes[start - 1]) { start -= 1 }
        return start
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
