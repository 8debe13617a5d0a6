internal import DaybookStore

/// A setting that a server has less of than it would have by default.
package struct LoweredSetting: Sendable, Equatable {
    package var name: String
    package var standard: Int
    package var value: Int
}

/// Connections and open segments against the open files that the system allows, which only the starting process knows.
extension Configuration {
    /// Where defaults are lowered they are not lowered further than to this.
    static let loweredConnectionCountMin = 64
    static let loweredSegmentCountMin = 32

    /// Descriptors that the server needs beside `server.connections` and `memory.open_segments`: files of the store,
    /// connections that are told that there are too many, those of each event loop (three of its poller, two of its
    /// bell), what each query thread reads past the cache of segments (a segment, its index, a log file), standard
    /// streams, the listener, and the admin socket.
    package var ownDescriptorCountMax: Int {
        store.ownDescriptorCountMax + ServerOptions.refusedConnectionCountMax + 5 * server.eventLoopCount
            + 3 * (2 * server.queryThreadCount + 1) + 32
    }

    /// Makes the settings fit: what was set stays as it is, and defaults give way, connections first.
    /// - Parameter descriptorLimit: descriptors that the process may have.
    /// - Returns: what was lowered.
    /// - Throws: the fault, when what was set needs more than there is.
    package mutating func fit(descriptorLimit: Int) throws(ConfigurationFaults) -> [LoweredSetting] {
        let (connections, segments) = ("server.connections", "memory.open_segments")
        let left = descriptorLimit - ownDescriptorCountMax
        let wanted = self
        if origins[connections] == nil {
            let room = max(Self.loweredConnectionCountMin, left - store.openSegmentCountMax)
            server.connectionCountMax = min(server.connectionCountMax, room)
        }
        if origins[segments] == nil {
            let room = max(Self.loweredSegmentCountMin, left - server.connectionCountMax)
            store.openSegmentCountMax = min(store.openSegmentCountMax, room)
        }
        let sum = server.connectionCountMax + store.openSegmentCountMax
        guard sum <= left else {
            let set = [connections, segments].filter { origins[$0] != nil }
            let first = set.first ?? connections
            let message =
                "must fit: \(connections) (\(server.connectionCountMax)), \(segments) "
                + "(\(store.openSegmentCountMax)) and \(ownDescriptorCountMax) other files are "
                + "\(sum - left) more than the \(descriptorLimit) open files that the system allows (ulimit -n)."
            self = wanted
            throw ConfigurationFaults(list: [
                ConfigurationFault(name: first, origin: origins[first] ?? .standard, message: message)
            ])
        }
        return [
            LoweredSetting(
                name: connections, standard: wanted.server.connectionCountMax, value: server.connectionCountMax),
            LoweredSetting(
                name: segments, standard: wanted.store.openSegmentCountMax, value: store.openSegmentCountMax),
        ].filter { $0.value < $0.standard }
    }
}
