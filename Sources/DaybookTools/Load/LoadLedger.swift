/// The ids of all acknowledged events, one a line: what must be in the store whatever happens to the server. The file
/// is complete when `close` has returned.
final class LoadLedger {
    private let sink: FileSink
    private var line: [UInt8] = []

    /// The file must not exist.
    init(path: String) throws { sink = try FileSink(path: path) }

    /// Takes the ids out of an acknowledged request.
    func note(_ request: [UInt8], at offsets: [Int], base: Int) throws {
        line.removeAll(keepingCapacity: true)
        for offset in offsets {
            line.append(contentsOf: request[base + offset..<base + offset + 36])
            line.append(UInt8(ascii: "\n"))
        }
        try sink.write(line)
    }

    func close() throws { try sink.finish() }
}
