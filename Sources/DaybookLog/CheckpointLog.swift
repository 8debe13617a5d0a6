package import DaybookFormat
package import DaybookSystem

/// How far one log is trusted without the journal. Spec: docs/format/checkpoint.md.
package struct LogMark: Equatable, Sendable {
    package static let byteCount = 48

    package var log: LogID
    /// Which file: its first sequence.
    package var fileFirstSequence: UInt64
    /// Bytes of that file that are durable; files before it are durable whole.
    package var fileByteCount: UInt64
    /// Last sequence inside those bytes.
    package var lastSequence: UInt64
    /// When the last group arrived; sealing by age asks for it.
    package var lastArrival: Timestamp
    /// What segments held at that time: tells whether whole files wait to be sealed without opening the log.
    package var sealedThrough: UInt64

    package init(
        log: LogID, fileFirstSequence: UInt64, fileByteCount: UInt64, lastSequence: UInt64, lastArrival: Timestamp,
        sealedThrough: UInt64
    ) {
        self.log = log
        self.fileFirstSequence = fileFirstSequence
        self.fileByteCount = fileByteCount
        self.lastSequence = lastSequence
        self.lastArrival = lastArrival
        self.sealedThrough = sealedThrough
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: fileFirstSequence)
        bytes.append(littleEndian: fileByteCount)
        bytes.append(littleEndian: lastSequence)
        bytes.append(littleEndian: lastArrival.microseconds)
        bytes.append(littleEndian: sealedThrough)
    }

    init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        log = LogID(try reader.uint64(bytes))
        fileFirstSequence = try reader.uint64(bytes)
        fileByteCount = try reader.uint64(bytes)
        lastSequence = try reader.uint64(bytes)
        lastArrival = Timestamp(microseconds: try reader.int64(bytes))
        sealedThrough = try reader.uint64(bytes)
        guard fileFirstSequence >= 1, lastSequence >= fileFirstSequence - 1, lastSequence < .max else {
            throw .invalid("checkpoint mark")
        }
    }
}

/// All marks, and the journal position before which the logs need no journal.
package struct CheckpointTable: Equatable, Sendable {
    package var journalPosition: UInt64 = 0
    package var marks: [LogID: LogMark] = [:]
    package init() {}
}

/// The store's checkpoint log: one small append-only file that says which log bytes count. Each record lists the logs
/// that changed since the one before; the file is replaced by a fresh one that lists all of them when it has grown.
///
/// A record is written only after the log bytes it vouches for were synchronized. Owned by the checkpoint thread.
package final class CheckpointLog {
    package static let magic: UInt32 = 0x4343_4444  // "DDCC" in the file
    package static let version: UInt32 = 1
    package static let headerByteCount = 32
    package static let recordHeaderByteCount = 24

    private let disk: any Disk
    private let storeID: UInt64
    package private(set) var table: CheckpointTable
    private var file: any DiskFile
    private var ordinal: UInt64
    private var byteCount: UInt64
    private var isPoisoned = false

    private init(
        disk: any Disk, storeID: UInt64, table: CheckpointTable, file: any DiskFile, ordinal: UInt64, byteCount: UInt64
    ) {
        self.disk = disk
        self.storeID = storeID
        self.table = table
        self.file = file
        self.ordinal = ordinal
        self.byteCount = byteCount
    }

    package static func path(_ ordinal: UInt64) -> String {
        Layout.checkpoint + "/" + FileKind.checkpoint(ordinal: ordinal).name
    }

    /// Starts a checkpoint log with one record that holds `table`.
    package static func create(
        disk: any Disk, storeID: UInt64, table: CheckpointTable, ordinal: UInt64
    ) throws(DiskError) -> CheckpointLog {
        let bytes =
            header(storeID: storeID) + record(table.journalPosition, table.marks.values.sorted { $0.log < $1.log })
        try unsafe disk.replaceAtomically(path(ordinal), with: bytes.span.bytes)
        return CheckpointLog(
            disk: disk, storeID: storeID, table: table, file: try disk.open(path(ordinal), .readWrite),
            ordinal: ordinal,
            byteCount: UInt64(bytes.count))
    }

    /// Opens the newest one for writing; a torn last record is cut, older files are removed.
    package static func open(disk: any Disk, storeID: UInt64) throws(LogError) -> CheckpointLog {
        let found = try read(disk: disk, storeID: storeID)
        return try onDisk { () throws(DiskError) in
            for ordinal in found.ordinals where ordinal != found.ordinal { try disk.remove(path(ordinal)) }
            let file = try disk.open(path(found.ordinal), .readWrite)
            if try file.byteCount() > found.byteCount {
                try file.truncate(to: found.byteCount)
                try file.synchronize()
            }
            return CheckpointLog(
                disk: disk, storeID: storeID, table: found.table, file: file, ordinal: found.ordinal,
                byteCount: found.byteCount)
        }
    }

    package struct Found: Sendable {
        package var table: CheckpointTable
        package var ordinal: UInt64
        package var ordinals: [UInt64]
        /// Bytes of good records.
        package var byteCount: UInt64
        package var recordCount: Int
    }

    /// Reads the newest checkpoint log without writing.
    package static func read(disk: any Disk, storeID: UInt64) throws(LogError) -> Found {
        let names = try onDisk { () throws(DiskError) in try disk.list(Layout.checkpoint) }
        var ordinals: [UInt64] = []
        for name in names {
            if case .checkpoint(let ordinal)? = FileKind(name: name) { ordinals.append(ordinal) }
        }
        guard let ordinal = ordinals.max() else {
            throw .corrupt(
                Corruption(
                    file: Layout.checkpoint, offset: 0, reason: .truncated(needed: headerByteCount, found: 0)))
        }
        let bytes = try onDisk { () throws(DiskError) in try disk.readAll(path(ordinal)) }
        var found = Found(table: CheckpointTable(), ordinal: ordinal, ordinals: ordinals, byteCount: 0, recordCount: 0)
        do throws(FormatError) {
            try unsafe replay(bytes.span.bytes, storeID: storeID, into: &found)
        } catch {
            throw .corrupt(Corruption(file: path(ordinal), offset: found.byteCount, reason: error))
        }
        return found
    }

    private static func replay(_ bytes: RawSpan, storeID: UInt64, into found: inout Found) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        guard try reader.uint64(bytes) == storeID else { throw .invalid("checkpoint store id") }
        for index in try reader.range(12, bytes) where bytes.byte(at: index) != 0 {
            throw .invalid("checkpoint header reserved field")
        }
        try reader.readChecksum(bytes)
        found.byteCount = UInt64(reader.offset)
        while !reader.isAtEnd(bytes) {
            let start = reader.offset
            do throws(FormatError) {
                try apply(&reader, bytes, to: &found.table)
                found.recordCount += 1
                found.byteCount = UInt64(reader.offset)
            } catch {
                // The first record was synchronized before the file got its name; of the later ones only the last can
                // be torn, and nothing relied on it then.
                guard found.recordCount > 0, !hasRecord(bytes, after: start) else { throw error }
                return
            }
        }
    }

    private static func apply(
        _ reader: inout ByteReader, _ bytes: RawSpan, to table: inout CheckpointTable
    ) throws(FormatError) {
        let start = reader.offset
        let expected = try reader.uint32(bytes)
        let count = try reader.uint32(bytes)
        let position = try reader.uint64(bytes)
        guard try reader.uint64(bytes) == UInt64(start) else { throw .invalid("checkpoint record offset") }
        let needed = Int(count) * LogMark.byteCount
        guard needed <= bytes.byteCount - reader.offset else {
            throw .truncated(needed: needed, found: bytes.byteCount - reader.offset)
        }
        let found = crc32c(bytes.extracting(start + 4..<reader.offset + needed))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        guard position >= table.journalPosition else { throw .invalid("checkpoint journal position") }
        table.journalPosition = position
        for _ in 0..<count {
            let mark = try LogMark(&reader, bytes)
            table.marks[mark.log] = mark
        }
    }

    /// Whether a whole record stands anywhere behind `offset`: then what is broken before it was not the last.
    private static func hasRecord(_ bytes: RawSpan, after offset: Int) -> Bool {
        var candidate = offset + 8
        while candidate + recordHeaderByteCount <= bytes.byteCount {
            var reader = ByteReader(at: candidate)
            var table = CheckpointTable()
            if (try? apply(&reader, bytes, to: &table)) != nil { return true }
            candidate += 8
        }
        return false
    }

    private static func header(storeID: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: magic)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: storeID)
        bytes.append(contentsOf: repeatElement(0, count: 12))
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    private static func record(_ position: UInt64, _ marks: [LogMark], at offset: UInt64 = UInt64(headerByteCount))
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(recordHeaderByteCount + marks.count * LogMark.byteCount)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt32(marks.count))
        bytes.append(littleEndian: position)
        bytes.append(littleEndian: offset)
        for mark in marks { mark.append(to: &bytes) }
        let checksum = unsafe crc32c(bytes.span.bytes.extracting(4..<bytes.count))
        bytes.store(littleEndian: checksum, at: 0)
        return bytes
    }

    /// Makes a checkpoint durable. Precondition: the log bytes that `marks` vouch for are synchronized, and every
    /// journal frame before `position` is in them. A failure poisons: the record may be there or not.
    package func append(position: UInt64, marks: [LogMark]) throws(LogError) {
        guard !isPoisoned else { throw .poisoned }
        precondition(position >= table.journalPosition)
        var next = table
        next.journalPosition = position
        for mark in marks { next.marks[mark.log] = mark }
        do throws(DiskError) {
            if byteCount > UInt64(max(64 << 10, 4 * next.marks.count * LogMark.byteCount)) {
                try replace(with: next)
            } else {
                let bytes = Self.record(position, marks, at: byteCount)
                try unsafe file.write(bytes.span.bytes, at: byteCount)
                try file.synchronize()
                byteCount += UInt64(bytes.count)
            }
        } catch {
            isPoisoned = true
            throw .disk(error)
        }
        table = next
    }

    /// Nothing is vouched for in these logs any more. What the file says of them is left out when it is made anew.
    package func forget(where isGone: (LogID) -> Bool) {
        for log in table.marks.keys where isGone(log) { table.marks[log] = nil }
    }

    private func replace(with next: CheckpointTable) throws(DiskError) {
        let fresh = try Self.create(disk: disk, storeID: storeID, table: next, ordinal: ordinal + 1)
        file.close()
        try disk.remove(Self.path(ordinal))
        file = fresh.file
        ordinal = fresh.ordinal
        byteCount = fresh.byteCount
    }

    package func close() { file.close() }
}
