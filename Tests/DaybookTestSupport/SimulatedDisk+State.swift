import DaybookSystem

/// Everything behind the lock of a simulated disk. A value, so that a copy of it is a second disk.
struct SimulatedState: Sendable {
    var contents: [Int: SimulatedContents] = [:]
    var directories = SimulatedDirectories()
    var nextNode = 1
    var trace = SimulatedTrace()
    var isCrashed = false
    var openCounts: [Int: Int] = [:]
    private var random: SeededRandom
    private(set) var plan = FaultPlan()
    /// The counts at the moment when the plan was given.
    private var origin = SimulatedTrace()
    /// The power fails in the call that runs.
    private var isCrashing = false

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func arm(_ plan: FaultPlan) {
        self.plan = plan
        origin = trace
    }

    mutating func failWrites(of ending: String?) { plan.failWritesOf = ending }

    /// The frame of every call: counts it, and lets the power fail in it when the plan says so.
    mutating func perform<R>(
        _ operation: SimulatedOperation, _ path: String, _ details: [UInt64] = [], bytes: [UInt8] = [],
        _ effect: (inout SimulatedState) throws(DiskError) -> R
    ) throws(DiskError) -> R {
        let crash = DiskError(.crashed, operation: operation.rawValue, path: path)
        guard !isCrashed else { throw crash }
        trace.note(operation, path, details, bytes: bytes)
        let isChange = operation.kind != .question && operation.kind != .read
        isCrashing =
            isChange && trace.changeCount - origin.changeCount == plan.crashAtChange
            || trace.callCount - origin.callCount == plan.crashAtCall
        if trace.callCount - origin.callCount == plan.failCall { try fail(operation, path) }
        guard isCrashing else { return try effect(&self) }
        isCrashed = true
        do { _ = try effect(&self) } catch { throw crash }
        throw crash
    }

    /// Lets the call that runs fail the way its kind does.
    private mutating func fail(_ operation: SimulatedOperation, _ path: String) throws(DiskError) {
        switch operation.kind {
        case .read: plan.failRead = trace.readCount - origin.readCount
        case .write: plan.failWrite = trace.writeCount - origin.writeCount
        case .synchronize: plan.failSynchronize = trace.synchronizeCount - origin.synchronizeCount
        case .question, .change: throw DiskError(.inputOutput, operation: operation.rawValue, path: path)
        }
    }

    // MARK: Names

    /// Where the last name of the path stands; nil if its directory is missing, or the path is the root.
    func place(_ path: String) -> SimulatedDirectories.Place? {
        var components = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard !components.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return nil }
        let name = components.removeLast()
        var directory = 0
        for component in components {
            let place = SimulatedDirectories.Place(directory: directory, name: component)
            guard case .directory(let next) = directories.node(at: place) else { return nil }
            directory = next
        }
        return SimulatedDirectories.Place(directory: directory, name: name)
    }

    func node(_ path: String) -> SimulatedDirectories.Node? {
        path.isEmpty ? .directory(0) : place(path).flatMap { directories.node(at: $0) }
    }

    func existing(
        _ path: String, _ operation: SimulatedOperation
    ) throws(DiskError) -> (SimulatedDirectories.Place, SimulatedDirectories.Node) {
        guard let place = place(path), let node = directories.node(at: place) else {
            throw DiskError(.notFound, operation: operation.rawValue, path: path)
        }
        return (place, node)
    }

    func vacant(_ path: String, _ operation: SimulatedOperation) throws(DiskError) -> SimulatedDirectories.Place {
        guard let place = place(path) else {
            throw DiskError(.notFound, operation: operation.rawValue, path: path)
        }
        guard directories.node(at: place) == nil else {
            throw DiskError(.alreadyExists, operation: operation.rawValue, path: path)
        }
        return place
    }

    func directory(_ path: String, _ operation: SimulatedOperation) throws(DiskError) -> Int {
        switch node(path) {
        case .directory(let number): return number
        case .file: throw DiskError(.other, operation: operation.rawValue, path: path)
        case nil: throw DiskError(.notFound, operation: operation.rawValue, path: path)
        }
    }

    func file(_ path: String, _ operation: SimulatedOperation) throws(DiskError) -> Int {
        guard case .file(let number) = try existing(path, operation).1 else {
            throw DiskError(.other, operation: operation.rawValue, path: path)
        }
        return number
    }

    // MARK: Bytes

    mutating func read(_ file: Int, _ path: String, from offset: UInt64, _ byteCount: Int) throws(DiskError) -> [UInt8]
    {
        if trace.readCount - origin.readCount == plan.failRead {
            throw DiskError(.inputOutput, operation: "read", path: path)
        }
        let visible = contents[file]?.visible ?? []
        let start = Int(min(offset, UInt64(visible.count)))
        return Array(visible[start..<start + min(byteCount, visible.count - start)])
    }

    mutating func write(_ file: Int, _ path: String, _ bytes: [UInt8], at offset: UInt64) throws(DiskError) {
        guard let start = Int(exactly: offset), start < 1 << 40 else {
            throw DiskError(.other, operation: "write", path: path)
        }
        let count = trace.writeCount - origin.writeCount
        if count == plan.failWrite {
            contents[file]?.write(bytes.prefix(random.below(bytes.count + 1)), at: start)
            throw DiskError(.inputOutput, operation: "write", path: path)
        }
        if let ending = plan.failWritesOf, path.hasSuffix(ending) {
            throw DiskError(.inputOutput, operation: "write", path: path)
        }
        if let moment = plan.fillAtWrite, count >= moment {
            plan.fillAtWrite = nil
            plan.capacityByteCount = min(plan.capacityByteCount ?? .max, usedByteCount)
        }
        let length = contents[file]?.visible.count ?? 0
        let growth = max(0, start + bytes.count - length)
        let isFull = growth > 0 && growth > availableByteCount
        let written = isFull ? max(0, length + availableByteCount - start) : bytes.count
        contents[file]?.write(bytes.prefix(written), at: start)
        if isFull { throw DiskError(.noSpace, operation: "write", path: path) }
    }

    var usedByteCount: Int {
        var sum = 0
        for entries in directories.visible.values {
            for case .file(let file) in entries.values { sum += contents[file]?.visible.count ?? 0 }
        }
        return sum
    }

    var availableByteCount: Int {
        guard let capacity = plan.capacityByteCount else { return 1 << 40 }
        return max(0, capacity - usedByteCount)
    }

    mutating func evict(_ file: Int, _ range: Range<Int>) { contents[file]?.evict(range, &random) }

    // MARK: Synchronization

    private enum Outcome { case done, skipped }

    /// Whether a synchronization takes effect. When the power fails in it, it may have been complete already; what
    /// lies between is among the survivors of doing nothing.
    private mutating func synchronizeOutcome(
        _ operation: SimulatedOperation, _ path: String, onFailure: (inout SimulatedState) -> Void
    ) throws(DiskError) -> Outcome {
        if trace.synchronizeCount - origin.synchronizeCount == plan.failSynchronize {
            onFailure(&self)
            throw DiskError(.inputOutput, operation: operation.rawValue, path: path)
        }
        if plan.ignoresSynchronize { return .skipped }
        if let ending = plan.skipsSynchronizeOf, path.hasSuffix(ending) { return .skipped }
        return isCrashing && random.oneIn(2) ? .skipped : .done
    }

    mutating func synchronize(_ file: Int, _ path: String) throws(DiskError) {
        let outcome = try synchronizeOutcome(.synchronize, path) { $0.contents[file]?.failSynchronize() }
        if outcome == .done { contents[file]?.synchronize() }
    }

    mutating func synchronizeDirectory(_ path: String) throws(DiskError) {
        let number = try directory(path, .synchronizeDirectory)
        let outcome = try synchronizeOutcome(.synchronizeDirectory, path) { $0.directories.failSynchronize(number) }
        guard outcome == .done else { return }
        directories.synchronize(number)
        dropUnreachableContents()
    }

    mutating func synchronizeAll() throws(DiskError) {
        let outcome = try synchronizeOutcome(.synchronizeAll, "") { state in
            state.directories.failSynchronize(nil)
            for file in state.contents.keys { state.contents[file]?.failSynchronize() }
        }
        guard outcome == .done else { return }
        for file in contents.keys { contents[file]?.synchronize() }
        directories.synchronize(nil)
        dropUnreachableContents()
    }

    /// Frees the bytes of files that no name, no possible survivor and no open handle leads to.
    private mutating func dropUnreachableContents() {
        var nodes: [SimulatedDirectories.Node] = []
        for entries in directories.visible.values { nodes.append(contentsOf: entries.values) }
        for entries in directories.durable.values { nodes.append(contentsOf: entries.values) }
        for change in directories.pending { nodes.append(contentsOf: change.occupants.compactMap(\.node)) }
        var reachable = Set(openCounts.keys)
        for case .file(let file) in nodes { reachable.insert(file) }
        contents = contents.filter { reachable.contains($0.key) }
    }
}
