package import DaybookFormat
internal import DaybookSystem

/// What an erasure has done so far: kept in the organization's folder, so that the certificate is complete although the
/// process was killed in between. Spec: docs/format/erasure.md.
package struct ErasureProgress: Sendable, Equatable {
    package struct File: Sendable, Equatable {
        package var name: String
        package var byteCount: UInt64

        package init(name: String, byteCount: UInt64) {
            self.name = name
            self.byteCount = byteCount
        }
    }

    /// A range of sequences that was written anew. Noted before it is published.
    package struct Rewrite: Sendable, Equatable {
        package var range: ClosedRange<UInt64>
        package var old: [File]
        /// Fewer than before where nothing of a family is left.
        package var new: [File]
        /// Events of the user, by family.
        package var erased: [Family: UInt64]
        /// Events that could not be read and were given up with their file, whoever they are of.
        package var lostCount: UInt64

        package init(
            range: ClosedRange<UInt64>, old: [File], new: [File], erased: [Family: UInt64], lostCount: UInt64
        ) {
            self.range = range
            self.old = old
            self.new = new
            self.erased = erased
            self.lostCount = lostCount
        }
    }

    package static let magic: UInt32 = 0x5542_4444  // "DDBU" in the file
    package static let version: UInt32 = 1
    package static let headerByteCount = 24

    package let log: LogID
    package let id: UInt64
    package var rewrites: [Rewrite] = []
    /// Set aside, left over, or let go of by nobody.
    package var removed: [File] = []
    /// Journal files that were written full of zeroes.
    package var zeroed: [File] = []
    /// Files of the control log that were written anew.
    package var redacted: [File] = []
    package var droppedRequestCount: UInt64 = 0
    package var droppedSessionCount: UInt64 = 0

    package init(log: LogID, id: UInt64) {
        self.log = log
        self.id = id
    }

    package var name: String { FileKind.erasure(id: id).name }

    package func erasedCount(of family: Family) -> UInt64 {
        rewrites.reduce(0) { $0 + ($1.erased[family] ?? 0) }
    }

    package var lostCount: UInt64 { rewrites.reduce(0) { $0 + $1.lostCount } }

    /// Notes files once, however often they are named.
    package static func add(_ files: [File], to list: inout [File]) {
        for file in files {
            list.removeAll { $0.name == file.name }
            list.append(file)
        }
    }
}

// MARK: - Encoding

extension ErasureProgress {
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(littleEndian: id)
        bytes.append(varint: droppedRequestCount)
        bytes.append(varint: droppedSessionCount)
        for files in [removed, zeroed, redacted] { Self.append(files, to: &bytes) }
        bytes.append(varint: UInt64(rewrites.count))
        for rewrite in rewrites {
            bytes.append(littleEndian: rewrite.range.lowerBound)
            bytes.append(littleEndian: rewrite.range.upperBound)
            Self.append(rewrite.old, to: &bytes)
            Self.append(rewrite.new, to: &bytes)
            for family in Family.ofOrganizations { bytes.append(varint: rewrite.erased[family] ?? 0) }
            bytes.append(varint: rewrite.lostCount)
        }
        bytes.appendChecksum()
        return bytes
    }

    private static func append(_ files: [File], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(files.count))
        for file in files {
            bytes.append(lengthPrefixed: file.name)
            bytes.append(varint: file.byteCount)
        }
    }

    /// Reads a whole file.
    package init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        let body = bytes.extracting(try bytes.verifiedBody(headerByteCount: Self.headerByteCount))
        self.init(log: LogID(try reader.uint64(body)), id: try reader.uint64(body))
        droppedRequestCount = try reader.varint(body)
        droppedSessionCount = try reader.varint(body)
        removed = try Self.files(&reader, body)
        zeroed = try Self.files(&reader, body)
        redacted = try Self.files(&reader, body)
        for _ in 0..<(try reader.count(of: Self.rewriteByteCountMin, body)) {
            let range = try ClosedRange(sequences: &reader, body)
            let old = try Self.files(&reader, body)
            let new = try Self.files(&reader, body)
            var erased: [Family: UInt64] = [:]
            for family in Family.ofOrganizations {
                let count = try reader.varint(body)
                guard count <= range.sequenceCount else { throw .invalid("erased events") }
                if count > 0 { erased[family] = count }
            }
            let lostCount = try reader.varint(body)
            guard lostCount <= range.sequenceCount else { throw .invalid("lost events") }
            rewrites.append(Rewrite(range: range, old: old, new: new, erased: erased, lostCount: lostCount))
        }
        guard reader.isAtEnd(body) else { throw .invalid("erasure file length") }
        guard hasPossibleSums(rewrites) else { throw .invalid("erased events") }
    }

    private static let rewriteByteCountMin = 23

    /// The counts add up without overflow.
    private func hasPossibleSums(_ rewrites: [Rewrite]) -> Bool {
        var sum: UInt64 = 0
        for rewrite in rewrites {
            for count in Array(rewrite.erased.values) + [rewrite.lostCount] {
                let (next, overflow) = sum.addingReportingOverflow(count)
                guard !overflow else { return false }
                sum = next
            }
        }
        return true
    }

    private static func files(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> [File] {
        var files: [File] = []
        for _ in 0..<(try reader.count(of: 2, bytes)) {
            let name = bytes.toArray(try reader.lengthPrefixedRange(bytes))
            guard let text = String(validating: name, as: UTF8.self) else { throw .invalid("file name") }
            files.append(File(name: text, byteCount: try reader.varint(bytes)))
        }
        return files
    }
}

// MARK: - On disk

extension ErasureProgress {
    /// What was kept of an erasure; nothing yet when there is no file, or when it is damaged: then only the certificate
    /// says less.
    /// - Parameter onDamage: told of a damaged file.
    static func load(
        disk: any Disk, folder: String, log: LogID, id: UInt64, onDamage: (Corruption) -> Void
    ) throws(DiskError) -> ErasureProgress {
        let empty = ErasureProgress(log: log, id: id)
        let path = Layout.path(folder, empty.name)
        guard try disk.exists(path) else { return empty }
        let bytes = try disk.readAll(path)
        do throws(FormatError) {
            let found = try bytes.withRawSpan { (span) throws(FormatError) in try ErasureProgress(reading: span) }
            guard found.log == log, found.id == id else { throw FormatError.invalid("erasure of another log") }
            return found
        } catch {
            onDamage(Corruption(file: path, offset: 0, reason: error))
            return empty
        }
    }

    /// Durable when this returns.
    func save(disk: any Disk, folder: String) throws(DiskError) {
        if try !disk.exists(folder) {
            try disk.createDirectory(folder)
            try disk.synchronizeDirectory(parentDirectory(of: folder))
        }
        try encoded().withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(Layout.path(folder, name), with: span)
        }
    }
}
