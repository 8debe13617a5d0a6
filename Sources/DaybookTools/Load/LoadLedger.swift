internal import DaybookFormat
internal import DaybookSystem

/// The ids of all acknowledged events, one a line: what must be in the store whatever happens to the server. The file
/// is outside of the store and is complete whenever `flush` has returned.
final class LoadLedger {
    private let file: any DiskFile
    private var offset: UInt64 = 0
    private var pending: [UInt8] = []
    private static let pendingByteCountMax = 1 << 20

    /// The file must not exist.
    init(disk: any Disk, name: String) throws {
        file = try disk.open(name, .create)
    }

    /// Takes the ids out of an acknowledged request.
    func note(_ request: [UInt8], at offsets: [Int], base: Int) throws {
        for offset in offsets {
            pending.append(contentsOf: request[base + offset..<base + offset + 36])
            pending.append(UInt8(ascii: "\n"))
        }
        if pending.count >= Self.pendingByteCountMax { try flush() }
    }

    func flush() throws {
        guard !pending.isEmpty else { return }
        try pending.withRawSpan { bytes in try file.write(bytes, at: offset) }
        offset += UInt64(pending.count)
        pending.removeAll(keepingCapacity: true)
    }

    func close() throws {
        try flush()
        file.close()
    }
}
