import DaybookFormat
import DaybookSegment
import DaybookSystem

extension Samples {
    /// On a file system of this machine: the cost of writing to the page cache and of one sync is part of the figure.
    private static let path = "kernel.dbs"

    private static func disk() throws -> any Disk { try PosixDisk(root: "/tmp") }

    static func writeSegment(_ encodings: [[UInt8]]) throws {
        let disk = try disk()
        if try disk.exists(path) { try disk.remove(path) }
        var writer = try SegmentWriter(
            disk: disk, path: path, log: LogID(16), family: .commandExecution, schemaVersion: 1, firstSequence: 1,
            lastSequence: UInt64(encodings.count))
        for (index, encoding) in encodings.enumerated() {
            try writer.append(
                sequence: UInt64(index + 1), arrival: Timestamp(microseconds: start), encoding: encoding.span.bytes)
        }
        _ = try writer.finish()
    }

    static func readSegment(_ selection: ColumnSelection) throws -> Int {
        let reader = try SegmentReader.open(disk: try disk(), path: path)
        var rowCount = 0
        for rowGroup in 0..<reader.rowGroupCount {
            rowCount += try reader.read(rowGroup: rowGroup, selection).rowCount
        }
        return rowCount
    }

    /// Bytes of the index.
    static func buildIndex() throws -> Int {
        let disk = try disk()
        return try SegmentIndex.rebuild(try SegmentReader.open(disk: disk, path: path), disk: disk).byteCount
    }
}
