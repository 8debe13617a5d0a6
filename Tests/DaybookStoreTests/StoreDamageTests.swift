import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// The corruption table of a whole store: a byte of a file is changed, or the file ends earlier, and the store answers as
/// before, or says what it has lost; everything that is not damaged is served.
struct StoreDamageTests {
    /// What may happen to the rest of the store when a file of this kind is damaged.
    enum Reach: Sendable {
        /// Nothing is lost: what is in it is somewhere else, too.
        case nothing
        /// Events of its organization.
        case events
        /// Its organization is served, and takes nothing new.
        case ingest
        /// The store may refuse to open, and says why.
        case store
    }

    struct Kind: Sendable, CustomTestStringConvertible {
        var name: String
        var reach: Reach
        /// At about so many places a byte is changed.
        var placeCount: Int
        var isMeant: @Sendable (String) -> Bool
        var testDescription: String { name }

        init(_ name: String, _ reach: Reach, placeCount: Int = 240, _ isMeant: @escaping @Sendable (String) -> Bool) {
            self.name = name
            self.reach = reach
            self.placeCount = placeCount
            self.isMeant = isMeant
        }
    }

    static let kinds: [Kind] = [
        Kind("identity", .store) { $0 == Layout.identity },
        Kind("position", .nothing) { $0 == PositionFile.path },
        Kind("checkpoint", .store) { $0.hasPrefix(Layout.checkpoint + "/") },
        Kind("journal", .store) { $0.hasPrefix(Layout.journal + "/") },
        Kind("control log", .store) { $0.hasPrefix(Layout.control + "/") },
        Kind("manifest", .events) { $0.hasSuffix("manifest.dbm") },
        Kind("log file", .events) { $0.hasPrefix(Layout.organizations + "/") && $0.hasSuffix(".dbl") },
        Kind("segment", .events) { $0.hasSuffix(".dbs") },
        Kind("index", .nothing) { $0.hasSuffix(".dbi") },
        Kind("rollup", .nothing) { $0.hasSuffix(".dbr") },
        Kind("history", .nothing) { $0.hasSuffix(".dba") },
        Kind("carry file", .ingest) { $0.hasSuffix(".dbk") },
        Kind("erasure", .nothing) { $0.hasSuffix(".dbe") },
        // Those that the store itself does not read: their owners' tests look at what is in them.
        Kind("certificate", .nothing, placeCount: 16) { $0.hasSuffix(".json") },
        Kind("limits", .nothing, placeCount: 16) { $0 == Layout.limits },
        Kind("signing keys", .nothing, placeCount: 16) { $0 == Layout.signingKeys },
        Kind("report", .nothing) { $0.hasSuffix(".report") },
        Kind("bytes set aside", .nothing) { $0.hasSuffix(".quarantine") },
    ]

    static let golden: (image: DiskImage, events: [LogID: [UInt64: [UInt8]]])? = {
        guard var image = try? GoldenFiles.events.image(), (try? addOthers(to: &image)) != nil else { return nil }
        return (image, DamagedStore(SimulatedDisk(recovering: image)).events)
    }()

    /// The notes of an erasure and its certificate, and what a server keeps beside the store: that golden store has none.
    private static func addOthers(to image: inout DiskImage) throws {
        var progress = ErasureProgress(log: GoldenStore.acme, id: 7)
        let files = [ErasureProgress.File(name: FileKind.logFile(first: 1).name, byteCount: 6_200)]
        progress.removed = files
        progress.rewrites = [
            ErasureProgress.Rewrite(
                range: 1...48, old: files, new: files, erased: [.commandExecution: 3], lostCount: 0)
        ]
        image.files[Layout.path(Layout.folder(of: progress.log), progress.name)] = progress.encoded()
        let acts = try GoldenFiles.acts.image().files
        for (path, bytes) in acts where path.hasSuffix(".json") || [Layout.limits, Layout.signingKeys].contains(path) {
            image.files[path] = bytes
        }
    }

    /// About so many places, the first and the last bytes among them.
    static func places(_ byteCount: Int, _ count: Int) -> [Int] {
        guard byteCount > count else { return Array(0..<byteCount) }
        let edge = count / 6
        let step = max(1, (byteCount - 2 * edge) / (count - 2 * edge))
        return Array(0..<edge) + Array(stride(from: edge, to: byteCount - edge, by: step))
            + Array(byteCount - edge..<byteCount)
    }

    static func log(of path: String) -> LogID? {
        let parts = path.split(separator: "/")
        return parts.count == 3 ? Layout.log(ofOrganizationFolder: String(parts[1])) : nil
    }

    /// Compares a damaged store with the golden one.
    private func examine(_ disk: SimulatedDisk, _ path: String, _ reach: Reach, _ comment: Comment) throws {
        let golden = try #require(Self.golden)
        let found = DamagedStore(disk)
        defer { found.close() }
        let damaged = Self.log(of: path)
        if let refusal = found.refusal {
            #expect(reach == .store, "\(comment): \(refusal)")
            return
        }
        for (_, log) in GoldenStore.organizations {
            let before = try #require(golden.events[log])
            let now = try #require(found.events[log])
            for (sequence, encoding) in now {
                let isSame = before[sequence] == encoding
                #expect(isSame, "\(comment): event \(sequence) of log \(log.rawValue)")
            }
            guard now.count < before.count else { continue }
            let isMeant = reach == .store || reach == .events && log == damaged
            #expect(isMeant, "\(comment): \(before.count - now.count) events of log \(log.rawValue), \(found.told)")
            #expect(!found.told.isEmpty, "\(comment): \(before.count - now.count) events are gone and nobody says so")
        }
        guard reach != .store else { return }
        for (_, log) in GoldenStore.organizations where log != damaged || reach == .nothing {
            #expect(found.commits(log), "\(comment): log \(log.rawValue) takes nothing, \(found.told)")
        }
    }

    @Test(arguments: kinds)
    func `a changed byte costs what it is part of, and is told`(kind: Kind) throws {
        let image = try #require(Self.golden).image
        let paths = image.files.filter { kind.isMeant($0.key) && !$0.value.isEmpty }.keys.sorted()
        #expect(!paths.isEmpty)
        for path in paths {
            let byteCount = image.files[path]?.count ?? 0
            for offset in Self.places(byteCount, kind.placeCount / paths.count) {
                let disk = SimulatedDisk(recovering: image)
                disk.corrupt(path, offset: offset, xor: 1 << UInt8(offset % 8))
                try examine(disk, path, kind.reach, "\(path), byte \(offset)")
            }
        }
    }

    @Test(arguments: kinds)
    func `a file that ends earlier costs what is missing, and is told`(kind: Kind) throws {
        let image = try #require(Self.golden).image
        let paths = image.files.filter { kind.isMeant($0.key) && !$0.value.isEmpty }.keys.sorted()
        for path in paths {
            let byteCount = image.files[path]?.count ?? 0
            for length in Self.places(byteCount, kind.placeCount / 2 / paths.count) {
                let disk = SimulatedDisk(recovering: image)
                disk.truncate(path, to: length)
                try examine(disk, path, kind.reach, "\(path), \(length) bytes")
            }
        }
    }

    @Test(arguments: kinds)
    func `a missing file costs what it held, and is told`(kind: Kind) throws {
        let image = try #require(Self.golden).image
        for path in image.files.keys.sorted() where kind.isMeant(path) && path != Layout.identity {
            let disk = SimulatedDisk(recovering: image)
            try disk.remove(path)
            try examine(disk, path, kind.reach, "\(path) is missing")
        }
    }

    @Test func `a damaged history file is told, and stays`() throws {
        let image = try #require(Self.golden).image
        let paths = image.files.keys.filter { $0.hasSuffix(".dba") }
        #expect(paths.count >= 2)
        for path in paths {
            let disk = SimulatedDisk(recovering: image)
            disk.corrupt(path, offset: 30, xor: 4)
            let found = DamagedStore(disk)
            #expect(found.told.contains { $0.hasPrefix("check: ") && $0.contains(path) })
            #expect(disk.contents(path)?.count == image.files[path]?.count)
            found.close()
        }
    }

    @Test func `damaged notes of an erasure are told, and nothing else changes`() throws {
        let golden = try #require(Self.golden)
        let path = try #require(golden.image.files.keys.first { $0.hasSuffix(".dbe") })
        let disk = SimulatedDisk(recovering: golden.image)
        disk.corrupt(path, offset: 30, xor: 4)
        let found = DamagedStore(disk)
        #expect(found.told.filter { $0.hasPrefix("check: ") }.allSatisfy { $0.contains(path) })
        #expect(found.told.contains { $0.contains(path) })
        #expect(found.events == golden.events)
        found.close()
    }

    @Test func `a damaged index is made anew and a damaged rollup left out`() throws {
        let image = try #require(Self.golden).image
        for path in image.files.keys.sorted() where path.hasSuffix(".dbi") || path.hasSuffix(".dbr") {
            let disk = SimulatedDisk(recovering: image)
            disk.corrupt(path, offset: 30, xor: 4)
            let found = DamagedStore(disk)
            #expect(found.told.contains { $0.hasPrefix("check: ") && $0.contains(path) })
            let isAnew = disk.contents(path) == image.files[path]
            #expect(isAnew == path.hasSuffix(".dbi"), "\(path)")
            found.close()
        }
    }

    /// All checksums are 0 while the files are made and read, as if each of them had been made right again: only the
    /// checks behind them are left, and no trap may depend on a byte.
    @Test(arguments: kinds)
    func `a changed byte under a sound checksum never traps`(kind: Kind) throws {
        try withConstantChecksums {
            var image = try GoldenStore.make().image()
            try Self.addOthers(to: &image)
            var servedCount = 0
            let paths = image.files.filter { kind.isMeant($0.key) && !$0.value.isEmpty }.keys.sorted()
            for path in paths {
                let byteCount = image.files[path]?.count ?? 0
                for offset in Self.places(byteCount, kind.placeCount * 3 / 4 / paths.count) {
                    let disk = SimulatedDisk(recovering: image)
                    disk.corrupt(path, offset: offset, xor: [0xFF, 0x01, 0x80][offset % 3])
                    let found = DamagedStore(disk)
                    if found.refusal == nil { servedCount += 1 }
                    try found.work()
                    found.close()
                }
            }
            #expect(servedCount > 0 || kind.name == "identity")
        }
    }
}
