internal import DaybookFormat
internal import DaybookSystem

/// Where the lines of a verb go. Bytes are collected and leave in large pieces.
package protocol OutputSink: AnyObject {
    func write(_ bytes: [UInt8]) throws
    /// Writes what is still held back. Without it the end may be missing.
    func finish() throws
}

/// Standard output.
package final class StandardOutputSink: OutputSink {
    private var pending: [UInt8] = []
    private static let pendingByteCountMax = 64 << 10

    package init() {}

    package func write(_ bytes: [UInt8]) throws {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pendingByteCountMax { try finish() }
    }

    package func finish() throws {
        guard !pending.isEmpty else { return }
        try pending.withRawSpan { bytes in try StandardStreams.write(bytes) }
        pending.removeAll(keepingCapacity: true)
    }
}

/// A new file. An existing one is never overwritten.
package final class FileSink: OutputSink {
    private let file: any DiskFile
    private var offset: UInt64 = 0
    private var pending: [UInt8] = []
    private static let pendingByteCountMax = 1 << 20

    /// - Parameter path: as a person types it; its directory must exist.
    package init(path: String) throws {
        let parent = path.hasPrefix("/") && parentDirectory(of: path).isEmpty ? "/" : parentDirectory(of: path)
        let name = String(path.split(separator: "/").last ?? "")
        do {
            file = try PosixDisk(root: parent.isEmpty ? "." : parent).open(name, .create)
        } catch  where error.kind == .alreadyExists {
            throw ToolError("\(path) exists already.", cure: "Give --output another name, or remove the file first.")
        } catch {
            throw ToolError(
                "\(path) cannot be made: \(error).", cure: "Give --output a name in a directory that you may write to.")
        }
    }

    package func write(_ bytes: [UInt8]) throws {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pendingByteCountMax { try flush() }
    }

    package func finish() throws {
        try flush()
        try file.synchronize()
        file.close()
    }

    private func flush() throws {
        guard !pending.isEmpty else { return }
        try pending.withRawSpan { bytes in try file.write(bytes, at: offset) }
        offset += UInt64(pending.count)
        pending.removeAll(keepingCapacity: true)
    }
}

/// Collects in memory, for tests.
package final class MemorySink: OutputSink {
    package private(set) var bytes: [UInt8] = []
    package init() {}
    package func write(_ bytes: [UInt8]) { self.bytes.append(contentsOf: bytes) }
    package func finish() {}
}

/// The sink that `--output` names: `-` is standard output.
package func outputSink(_ name: String) throws -> any OutputSink {
    name == "-" ? StandardOutputSink() : try FileSink(path: name)
}
