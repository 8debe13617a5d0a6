import DaybookFormat
import DaybookSystem
import Synchronization

/// A disk in memory that behaves as badly as a real one may.
///
/// Readers see every write at once. It survives a power loss only after the file was synchronized; until then each of
/// its 512-byte sectors may be found old, new, or as it was at any moment between. Names survive only after their
/// directory was synchronized, and until then in any order. `crash` picks one of the images that are legal; the same
/// seed picks the same one. Driven by one thread it tells the same story for the same calls.
package final class SimulatedDisk: Disk {
    private let state: Mutex<SimulatedState>

    package init(seed: UInt64 = 0) { state = Mutex(SimulatedState(seed: seed)) }

    /// The disk after the power came back.
    package init(recovering image: DiskImage, seed: UInt64 = 0) {
        state = Mutex(SimulatedState(recovering: image, seed: seed))
    }

    private init(state: SimulatedState) { self.state = Mutex(state) }

    package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
        let operation: SimulatedOperation = mode == .create ? .create : .open
        let node = try perform(operation, path) { state throws(DiskError) in
            let node: Int
            if mode == .create {
                let place = try state.vacant(path, operation)
                node = state.nextNode
                state.nextNode += 1
                state.contents[node] = SimulatedContents()
                state.directories.set(place, to: .file(node))
            } else {
                node = try state.file(path, operation)
            }
            state.openCounts[node, default: 0] += 1
            return node
        }
        return SimulatedFile(disk: self, node: node, path: path, isWritable: mode != .read)
    }

    package func createDirectory(_ path: String) throws(DiskError) {
        try perform(.createDirectory, path) { state throws(DiskError) in
            let place = try state.vacant(path, .createDirectory)
            state.directories.addDirectory(state.nextNode)
            state.directories.set(place, to: .directory(state.nextNode))
            state.nextNode += 1
        }
    }

    package func list(_ path: String) throws(DiskError) -> [String] {
        try perform(.list, path) { state throws(DiskError) in
            let number = try state.directory(path, .list)
            return (state.directories.visible[number] ?? [:]).keys.sorted(by: SimulatedState.precedes)
        }
    }

    package func exists(_ path: String) throws(DiskError) -> Bool {
        try perform(.exists, path) { state throws(DiskError) in state.node(path) != nil }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        try perform(.rename, path + " " + target) { state throws(DiskError) in
            let (source, node) = try state.existing(path, .rename)
            guard let place = state.place(target) else {
                throw DiskError(.notFound, operation: "rename", path: target)
            }
            guard place != source else { return }
            if let replaced = state.directories.node(at: place) {
                guard case .file = replaced, case .file = node else {
                    throw DiskError(.alreadyExists, operation: "rename", path: target)
                }
            }
            state.directories.move(node, from: source, to: place)
        }
    }

    package func remove(_ path: String) throws(DiskError) {
        try perform(.remove, path) { state throws(DiskError) in
            let (place, node) = try state.existing(path, .remove)
            guard case .file = node else { throw DiskError(.other, operation: "remove", path: path) }
            state.directories.set(place, to: nil)
        }
    }

    package func removeDirectory(_ path: String) throws(DiskError) {
        try perform(.removeDirectory, path) { state throws(DiskError) in
            let (place, node) = try state.existing(path, .removeDirectory)
            guard case .directory(let number) = node, state.directories.visible[number]?.isEmpty ?? true else {
                throw DiskError(.other, operation: "removeDirectory", path: path)
            }
            state.directories.set(place, to: nil)
        }
    }

    package func synchronizeDirectory(_ path: String) throws(DiskError) {
        try perform(.synchronizeDirectory, path) { state throws(DiskError) in
            try state.synchronizeDirectory(path)
        }
    }

    package func synchronizeAll() throws(DiskError) {
        try perform(.synchronizeAll, "") { state throws(DiskError) in try state.synchronizeAll() }
    }

    package func map(_ path: String) throws(DiskError) -> Mapping {
        let bytes = try perform(.map, path) { state throws(DiskError) in
            try state.read(try state.file(path, .map), path, from: 0, .max)
        }
        return Mapping(copy: bytes)
    }

    package func freeByteCount() throws(DiskError) -> UInt64 {
        try perform(.length, "") { state throws(DiskError) in UInt64(state.availableByteCount) }
    }

    func perform<R: Sendable>(
        _ operation: SimulatedOperation, _ path: String, _ details: [UInt64] = [], bytes: [UInt8] = [],
        _ effect: (inout SimulatedState) throws(DiskError) -> R
    ) throws(DiskError) -> R {
        try state.withLock { state throws(DiskError) in
            try state.perform(operation, path, details, bytes: bytes, effect)
        }
    }

    /// For calls that cannot fail and are not counted.
    func withState<R: Sendable>(_ body: (inout SimulatedState) -> R) -> R {
        state.withLock { body(&$0) }
    }

    /// A second disk with the same past, which goes its own way from here.
    package func copy() -> SimulatedDisk {
        SimulatedDisk(state: state.withLock { $0 })
    }
}
