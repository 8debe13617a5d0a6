package import DaybookFormat
package import DaybookSystem

/// What can go wrong with a manifest on disk.
package enum ManifestError: Error, Equatable, Sendable, CustomStringConvertible {
    case disk(DiskError)
    case corrupt(Corruption)
    /// The edit would have published something untrue. Nothing was written.
    case violation(StaticString)

    package var description: String {
        switch self {
        case .disk(let error): "\(error)"
        case .corrupt(let corruption): "\(corruption)"
        case .violation(let rule): "manifest edit refused: \(rule)"
        }
    }

    package static func == (left: ManifestError, right: ManifestError) -> Bool {
        switch (left, right) {
        case (.disk(let left), .disk(let right)): left == right
        case (.corrupt(let left), .corrupt(let right)): left == right
        case (.violation(let left), .violation(let right)): "\(left)" == "\(right)"
        default: false
        }
    }
}

/// The manifest of one folder and its file `manifest.dbm`. The one owner of that file: not copyable. Holds no
/// descriptor between calls.
package struct ManifestLog: ~Copyable, Sendable {
    /// A file with this many edits is replaced by one snapshot instead of being appended to.
    package static let editCountMax = 256

    /// The last published manifest.
    package private(set) var manifest: Manifest
    /// Bytes dropped when the file was opened: an edit that was never published. 0 after a clean end.
    package let tornByteCount: Int

    private let disk: any Disk
    private let log: LogID
    private let path: String
    /// 0 while there is no file.
    private var byteCount: UInt64
    private var editCount: Int
    /// Why nothing more may be published: after a failed write or sync the file's end is unknown.
    private var failure: ManifestError?

    private init(disk: any Disk, log: LogID, path: String, content: ManifestFile?) {
        self.disk = disk
        self.log = log
        self.path = path
        manifest = content?.manifest ?? Manifest()
        tornByteCount = content?.tornByteCount ?? 0
        byteCount = UInt64(content?.byteCount ?? 0)
        // A file of an earlier version takes no more edits: the next one replaces it.
        let isOld = content.map { $0.version < ManifestFileHeader.version } ?? false
        editCount = isOld ? Self.editCountMax : content?.editCount ?? 0
    }

    /// Reads the manifest of `folder` and writes nothing. Nil when there is no file, which means an empty manifest.
    package static func load(
        disk: any Disk, folder: String, log: LogID
    ) throws(ManifestError) -> ManifestFile? {
        let path = Layout.path(folder, .manifest)
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.readAll(path)
        } catch {
            guard error.kind == .notFound else { throw .disk(error) }
            return nil
        }
        do throws(Corruption) {
            let content = try bytes.withRawSpan { (span) throws(Corruption) in
                try ManifestFile(reading: span, file: path)
            }
            guard content.log == log else {
                throw Corruption(file: path, offset: 8, reason: .invalid("manifest log id"))
            }
            return content
        } catch {
            throw .corrupt(error)
        }
    }

    /// Opens the manifest of `folder` for publishing. A torn edit at the end is cut off.
    package static func open(disk: any Disk, folder: String, log: LogID) throws(ManifestError) -> ManifestLog {
        let path = Layout.path(folder, .manifest)
        do throws(DiskError) {
            try settle(disk: disk, path: path)
        } catch {
            throw .disk(error)
        }
        let content = try load(disk: disk, folder: folder, log: log)
        if let content, content.tornByteCount > 0 {
            do throws(DiskError) {
                let file = try disk.open(path, .readWrite)
                defer { file.close() }
                try file.truncate(to: UInt64(content.byteCount))
                try file.synchronize()
            } catch {
                throw .disk(error)
            }
        }
        return ManifestLog(disk: disk, log: log, path: path, content: content)
    }

    /// Makes what is about to be read what the disk holds. A process that was killed before its sync leaves an edit, or
    /// a renamed file, that is there until the power goes; one whose sync failed leaves one that never will be.
    private static func settle(disk: any Disk, path: String) throws(DiskError) {
        guard try disk.exists(path) else { return }
        let file = try disk.open(path, .readWrite)
        defer { file.close() }
        try file.synchronize()
        file.evictFromPageCache()
        try disk.synchronizeDirectory(parentDirectory(of: path))
    }

    /// Publishes one edit: when this returns, the edit is durable and is what `manifest` says. The files it names must
    /// be durable before, and their directory entries too.
    ///
    /// After `.violation` nothing changed. After any other error the edit may or may not be there at the next start,
    /// and every later call throws that error again.
    package mutating func append(_ edit: ManifestEdit) throws(ManifestError) {
        if let failure { throw failure }
        let next = try successor(edit)
        do throws(DiskError) {
            if byteCount == 0 {
                try replaceFile(with: ManifestRecord(generation: next.generation, edit: edit))
            } else if editCount >= Self.editCountMax {
                try replaceFile(with: ManifestRecord(generation: next.generation, edit: .snapshot(next)))
            } else {
                try appendRecord(ManifestRecord(generation: next.generation, edit: edit))
            }
        } catch {
            failure = .disk(error)
            throw .disk(error)
        }
        manifest = next
    }

    private func successor(_ edit: ManifestEdit) throws(ManifestError) -> Manifest {
        do throws(ManifestViolation) {
            let next = try manifest.applying(edit)
            if let rule = next.firstBrokenInvariant(after: manifest) { throw ManifestViolation(rule) }
            return next
        } catch {
            throw .violation(error.rule)
        }
    }

    private mutating func replaceFile(with record: ManifestRecord) throws(DiskError) {
        var bytes = ManifestFileHeader(log: log).encoded()
        record.append(to: &bytes)
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path, with: span) }
        byteCount = UInt64(bytes.count)
        editCount = 1
    }

    private mutating func appendRecord(_ record: ManifestRecord) throws(DiskError) {
        var bytes: [UInt8] = []
        record.append(to: &bytes)
        let file = try disk.open(path, .readWrite)
        defer { file.close() }
        try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: byteCount) }
        try file.synchronize()
        byteCount += UInt64(bytes.count)
        editCount += 1
    }
}
