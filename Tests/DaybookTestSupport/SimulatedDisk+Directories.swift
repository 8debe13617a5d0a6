/// The names on a simulated disk: what readers see, what certainly survives, and the operations between the two.
///
/// Files and directories are nodes with a number; a directory's entries are kept by its number. Number 0 is the root.
struct SimulatedDirectories: Sendable {
    enum Node: Sendable, Equatable {
        case directory(Int)
        case file(Int)
    }

    /// A place in a directory. Operations on one place keep their order on the disk, those on different ones do not.
    struct Place: Sendable, Hashable {
        var directory: Int
        var name: String
    }

    /// One change that reaches the disk whole or not at all.
    struct Change: Sendable {
        /// New occupants; nil empties the place.
        var occupants: [(place: Place, node: Node?)]
        /// A name leaves its directory only if the name in the other directory has arrived: files are not lost.
        var requires: Int?
        var ordinal: Int
        /// The next synchronization of the directory makes it durable. False after a failed one.
        var isDirty = true
    }

    private(set) var visible: [Int: [String: Node]] = [0: [:]]
    private(set) var durable: [Int: [String: Node]] = [0: [:]]
    private(set) var pending: [Change] = []
    private var changeCount = 0

    mutating func addDirectory(_ number: Int) {
        visible[number] = [:]
        durable[number] = [:]
    }

    func node(at place: Place) -> Node? { visible[place.directory]?[place.name] }

    mutating func set(_ place: Place, to node: Node?) {
        record([(place, node)], requires: nil)
    }

    /// Within one directory a rename is one change. Between two it is an arrival and a departure.
    mutating func move(_ node: Node, from source: Place, to target: Place) {
        if source.directory == target.directory {
            record([(target, node), (source, nil)], requires: nil)
        } else {
            record([(target, node)], requires: nil)
            record([(source, nil)], requires: changeCount - 1)
        }
    }

    private mutating func record(_ occupants: [(place: Place, node: Node?)], requires: Int?) {
        pending.append(Change(occupants: occupants, requires: requires, ordinal: changeCount))
        changeCount += 1
        SimulatedDirectories.apply(occupants, to: &visible)
    }

    private static func apply(_ occupants: [(place: Place, node: Node?)], to entries: inout [Int: [String: Node]]) {
        for (place, node) in occupants { entries[place.directory, default: [:]][place.name] = node }
    }

    /// Makes the changes of one directory durable, or of all (`nil`), with those that they build on.
    mutating func synchronize(_ directory: Int?) {
        let needed = pending.filter { change in
            change.isDirty && (directory == nil || change.occupants.contains { $0.place.directory == directory })
        }
        settle(withPrerequisites(needed.map(\.ordinal)))
    }

    mutating func failSynchronize(_ directory: Int?) {
        for index in pending.indices
        where directory == nil || pending[index].occupants.contains(where: { $0.place.directory == directory }) {
            pending[index].isDirty = false
        }
    }

    private mutating func settle(_ ordinals: Set<Int>) {
        for change in pending where ordinals.contains(change.ordinal) {
            SimulatedDirectories.apply(change.occupants, to: &durable)
        }
        pending.removeAll { ordinals.contains($0.ordinal) }
    }

    /// Adds to the wanted changes all earlier ones on the same places and the arrivals that departures require.
    private func withPrerequisites(_ wanted: [Int]) -> Set<Int> {
        var chosen = Set(wanted)
        var places: Set<Place> = []
        for change in pending.reversed() {
            let isPrerequisite = change.occupants.contains { places.contains($0.place) }
            guard isPrerequisite || chosen.contains(change.ordinal) else { continue }
            chosen.insert(change.ordinal)
            if let required = change.requires { chosen.insert(required) }
            places.formUnion(change.occupants.map(\.place))
        }
        return chosen
    }

    /// The entries that are there after the power came back: any subset of the pending changes, in which every change
    /// has those that it builds on.
    func survivor(_ random: inout SeededRandom) -> [Int: [String: Node]] {
        var entries = durable
        var lostPlaces: Set<Place> = []
        var lostChanges: Set<Int> = []
        let fate = random.below(4)
        for change in pending {
            let isPossible =
                !change.occupants.contains { lostPlaces.contains($0.place) }
                && !(change.requires.map(lostChanges.contains) ?? false)
            let isWanted = fate == 0 ? false : fate == 1 ? true : random.oneIn(2)
            if isPossible && isWanted {
                SimulatedDirectories.apply(change.occupants, to: &entries)
            } else {
                lostPlaces.formUnion(change.occupants.map(\.place))
                lostChanges.insert(change.ordinal)
            }
        }
        return entries
    }
}
