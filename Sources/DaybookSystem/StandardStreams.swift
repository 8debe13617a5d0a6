internal import Glibc

/// The three streams a process is born with.
package enum StandardStreams {
    package enum Stream: Int32, Sendable {
        case input = 0
        case output = 1
        case error = 2
    }

    /// All of it. Fails with kind `other` (`EPIPE`) when the reader has gone and the signal is ignored.
    package static func write(_ bytes: RawSpan, to stream: Stream = .output) throws(DiskError) {
        try HostFile.write(bytes, to: stream.rawValue, "\(stream)")
    }

    package static func write(_ text: String, to stream: Stream = .output) throws(DiskError) {
        let bytes = Array(text.utf8)
        try unsafe write(bytes.span.bytes, to: stream)
    }

    /// Appends what arrives next from standard input, up to 64 KiB. False at the end.
    package static func readInput(appendingTo bytes: inout [UInt8]) throws(DiskError) -> Bool {
        try HostFile.read(Stream.input.rawValue, "input", appendingTo: &bytes) > 0
    }

    /// Standard input to its end. Throws kind `noSpace` when there is more than `byteCountMax`.
    package static func readInputToEnd(byteCountMax: Int) throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        while try readInput(appendingTo: &bytes) {
            guard bytes.count <= byteCountMax else {
                throw DiskError(.noSpace, operation: "read", path: "input")
            }
        }
        return bytes
    }

    package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }
}
