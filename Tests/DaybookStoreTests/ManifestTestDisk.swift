import DaybookFormat
import DaybookSystem
import Synchronization

/// A disk in memory that knows what was synchronized, and fails where it is told to.
final class ManifestTestDisk: Disk {
    fileprivate struct Node {
        var bytes: [UInt8] = []
        var durableBytes: [UInt8] = []
    }

    fileprivate struct State {
        var nodes: [Int: Node] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var calls: [String] = []
        /// The call with this number, counted from 0, and every later one fail.
        var failingCall: Int?
    }

    fileprivate let state = Mutex(State())

    /// The calls so far that could change the disk, or its durable part, in order.
    var calls: [String] { state.withLock { $0.calls } }

    func forgetCalls() { state.withLock { $0.calls = [] } }

    /// Lets the call with that number and every later one fail; nil: none.
    func fail(atCall number: Int?) {
        state.withLock { state in
            state.calls = []
            state.failingCall = number
        }
    }

    /// What a machine would find after losing power now.
    func afterPowerLoss() -> ManifestTestDisk {
        let survivor = ManifestTestDisk()
        let (names, nodes) = state.withLock { ($0.durableNames, $0.nodes) }
        survivor.state.withLock { state in
            state.names = names
            state.durableNames = names
            state.nodes = nodes.mapValues { Node(bytes: $0.durableBytes, durableBytes: $0.durableBytes) }
        }
        return survivor
    }

    /// Puts a durable file there.
    func place(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            let number = state.nodes.count
            state.nodes[number] = Node(bytes: bytes, durableBytes: bytes)
            state.names[path] = number
            state.durableNames[path] = number
        }
    }

    func bytes(of path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.nodes[$0]?.bytes } }
    }

    fileprivate func change(
        _ operation: String, _ path: String, _ body: (inout State) throws(DiskError) -> Void
    ) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            if let failing = state.failingCall, state.calls.count >= failing {
                throw DiskError(.inputOutput, operation: operation, path: path)
            }
            state.calls.append("\(operation) \(path)")
            try body(&state)
        }
    }

    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
        if mode == .create {
            try change("create", path) { (state) throws(DiskError) in
                guard state.names[path] == nil else {
                    throw DiskError(.alreadyExists, operation: "open", path: path)
                }
                let number = state.nodes.count
                state.nodes[number] = Node()
                state.names[path] = number
            }
        }
        guard let number = state.withLock({ $0.names[path] }) else {
            throw DiskError(.notFound, operation: "open", path: path)
        }
        return ManifestTestFile(disk: self, path: path, number: number)
    }

    func exists(_ path: String) throws(DiskError) -> Bool { state.withLock { $0.names[path] != nil } }

    func rename(_ path: String, to target: String) throws(DiskError) {
        try change("rename", path) { $0.names[target] = $0.names.removeValue(forKey: path) }
    }

    func remove(_ path: String) throws(DiskError) {
        try change("remove", path) { $0.names[path] = nil }
    }

    func synchronizeDirectory(_ path: String) throws(DiskError) {
        try change("synchronize directory", path) { state in
            state.durableNames = state.durableNames.filter { parentDirectory(of: $0.key) != path }
            for (name, number) in state.names where parentDirectory(of: name) == path {
                state.durableNames[name] = number
            }
        }
    }

    func list(_ path: String) throws(DiskError) -> [String] {
        state.withLock { state in
            state.names.keys.filter { parentDirectory(of: $0) == path }
                .map { String($0.dropFirst(path.utf8.count + 1)) }.sorted()
        }
    }

    func createDirectory(_ path: String) throws(DiskError) {}

    func synchronizeAll() throws(DiskError) {}

    func map(_ path: String) throws(DiskError) -> Mapping { Mapping(copy: try readAll(path)) }

    func freeByteCount() throws(DiskError) -> UInt64 { .max }
}

private final class ManifestTestFile: DiskFile {
    let disk: ManifestTestDisk
    let path: String
    let number: Int

    init(disk: ManifestTestDisk, path: String, number: Int) {
        self.disk = disk
        self.path = path
        self.number = number
    }

    private var bytes: [UInt8] { disk.state.withLock { $0.nodes[number]?.bytes ?? [] } }

    func byteCount() throws(DiskError) -> UInt64 { UInt64(bytes.count) }

    func read(_ byteCount: Int, at offset: UInt64, appendingTo target: inout [UInt8]) throws(DiskError) {
        target += bytes.dropFirst(Int(offset)).prefix(byteCount)
    }

    func write(_ span: RawSpan, at offset: UInt64) throws(DiskError) {
        let written = span.toArray()
        try disk.change("write", path) { state in
            var bytes = state.nodes[number]?.bytes ?? []
            let end = Int(offset) + written.count
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            bytes.replaceSubrange(Int(offset)..<end, with: written)
            state.nodes[number]?.bytes = bytes
        }
    }

    func write(gathering parts: [[UInt8]], at offset: UInt64) throws(DiskError) {
        try Array(parts.joined()).withRawSpan { (span) throws(DiskError) in try write(span, at: offset) }
    }

    func synchronize() throws(DiskError) {
        try disk.change("synchronize", path) { state in
            let bytes = state.nodes[number]?.bytes ?? []
            state.nodes[number]?.durableBytes = bytes
        }
    }

    func truncate(to byteCount: UInt64) throws(DiskError) {
        try disk.change("truncate", path) { state in
            let bytes = state.nodes[number]?.bytes ?? []
            state.nodes[number]?.bytes = Array(bytes.prefix(Int(byteCount)))
        }
    }

    func evictFromPageCache() {}

    func close() {}
}
